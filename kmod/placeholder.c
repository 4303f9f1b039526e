// SPDX-License-Identifier: GPL-2.0-only
/*
 * What readers see while there is no signal: colour bars with the words NO
 * SIGNAL, or a frame that a writer stored for it.
 *
 * Each of the loop's own slots gets the picture once, before anybody can see it.
 * What is shown is never written into again: another picture, or another format,
 * goes into other memory.
 */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "v4l2dma.h"

static bool image_fits(struct v4l2dma_loop *loop)
{
	const struct v4l2dma_placeholder *p = &loop->placeholder;

	return p->image && !memcmp(&p->image_format, &loop->format,
				   sizeof(loop->format));
}

static int draw(struct v4l2dma_loop *loop, struct v4l2dma_plane *plane)
{
	struct v4l2dma_cpu_map cpu;
	int ret;

	ret = v4l2dma_cpu_begin_slot(loop, plane, &cpu);
	if (ret)
		return ret;
	if (image_fits(loop))
		iosys_map_memcpy_to(&cpu.map, 0, loop->placeholder.image,
				    loop->placeholder.image_bytes);
	else
		ret = v4l2dma_picture_draw(&loop->format, cpu.map.vaddr);
	v4l2dma_cpu_end(&cpu);
	return ret;
}

/* The slot's memory with the picture in it; a borrowed reference. */
static struct v4l2dma_plane *prepare(struct v4l2dma_loop *loop, unsigned int i)
{
	struct v4l2dma_plane **plane = &loop->placeholder.planes[i], *new;
	unsigned long bytes = loop->format.sizeimage;
	struct dma_buf *dbuf;
	int ret;

	dbuf = v4l2dma_pool_own_slot(loop, i, PAGE_ALIGN(bytes));
	/* Who reads has no buffers for it, and needs copies in any case. */
	if (!dbuf) {
		if (*plane)
			return *plane;
		dbuf = v4l2dma_pages_create(PAGE_ALIGN(bytes), false);
	}
	if (IS_ERR(dbuf))
		return ERR_CAST(dbuf);
	if (*plane && (*plane)->dbuf == dbuf) {
		dma_buf_put(dbuf);
		return *plane;
	}
	new = v4l2dma_plane_create(NULL, dbuf, bytes);
	if (IS_ERR(new))
		return new;
	ret = draw(loop, new);
	if (ret) {
		v4l2dma_plane_put(new);
		return ERR_PTR(ret);
	}
	v4l2dma_plane_put(*plane);
	*plane = new;
	return new;
}

/* How long there was no signal, as V4L2 says it at this frame rate. */
static void fill_timecode(struct v4l2dma_loop *loop, ktime_t now,
			  struct v4l2_timecode *tc)
{
	static const struct {
		u32 fps;
		u32 type;
	} types[] = {
		{ 24, V4L2_TC_TYPE_24FPS }, { 25, V4L2_TC_TYPE_25FPS },
		{ 30, V4L2_TC_TYPE_30FPS }, { 50, V4L2_TC_TYPE_50FPS },
		{ 60, V4L2_TC_TYPE_60FPS },
	};
	const struct v4l2_fract *t = &loop->timeperframe;
	u64 ns = ktime_to_ns(v4l2dma_own_silence(loop, now));
	u32 rate = DIV_ROUND_CLOSEST(t->denominator, t->numerator);
	u32 i, fps = 30, rest, seconds;

	tc->type = V4L2_TC_TYPE_30FPS;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (rate != types[i].fps)
			continue;
		fps = types[i].fps;
		tc->type = types[i].type;
	}
	seconds = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	tc->flags = V4L2_TC_USERBITS_8BITCHARS;
	tc->frames = mul_u64_u32_div(rest, fps, NSEC_PER_SEC);
	tc->seconds = seconds % 60;
	tc->minutes = seconds / 60 % 60;
	tc->hours = seconds / 3600 % 24;
	memcpy(tc->userbits, V4L2DMA_NO_SIGNAL_USERBITS, sizeof(tc->userbits));
}

/**
 * v4l2dma_placeholder_show() - show readers the picture, if anybody can take it
 * @loop: the loop, its lock held
 * @now: CLOCK_MONOTONIC
 * @timestamp: for it; ns
 *
 * There is none in a compressed format, unless one is stored.
 */
void v4l2dma_placeholder_show(struct v4l2dma_loop *loop, ktime_t now,
			      u64 timestamp)
{
	struct v4l2dma_meta meta = {
		.timestamp = timestamp,
		.bytesused = loop->format.sizeimage,
		.field = loop->format.field,
		.flags = V4L2_BUF_FLAG_TIMECODE,
	};
	struct v4l2dma_plane *planes[V4L2DMA_OWN_SLOTS] = { };
	unsigned int i, slots = v4l2dma_own_slots(loop);

	lockdep_assert_held(&loop->lock);
	if (image_fits(loop))
		meta.bytesused = loop->placeholder.image_bytes;
	else if (v4l2dma_format_compressed(loop->format.pixelformat))
		return;
	/* Of two fields it is the same. */
	if (meta.field == V4L2_FIELD_ALTERNATE)
		meta.field = V4L2_FIELD_TOP;
	fill_timecode(loop, now, &meta.timecode);
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++) {
		if (slots & BIT(i))
			planes[i] = prepare(loop, i);
		if (!IS_ERR(planes[i]))
			continue;
		v4l2dma_dbg(loop, 1, "no picture: %ld\n", PTR_ERR(planes[i]));
		planes[i] = NULL;
	}
	v4l2dma_own_publish(loop, planes, &meta);
	v4l2dma_own_put(planes);
}

/**
 * v4l2dma_placeholder_forget() - the picture is another one from now on
 * @loop: the loop, its lock held
 */
void v4l2dma_placeholder_forget(struct v4l2dma_loop *loop)
{
	lockdep_assert_held(&loop->lock);
	v4l2dma_own_end(loop);
	v4l2dma_own_put(loop->placeholder.planes);
	memset(loop->placeholder.planes, 0, sizeof(loop->placeholder.planes));
	v4l2dma_pool_renew_own(loop);
}

static void set_image(struct v4l2dma_loop *loop, void *image, size_t bytes)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;

	v4l2dma_placeholder_forget(loop);
	kvfree(p->image);
	p->image = image;
	p->image_bytes = bytes;
	p->image_format = loop->format;
}

/**
 * v4l2dma_placeholder_store() - the control was set
 * @loop: the loop, its lock held
 * @store: the writer's next frame is the picture; otherwise it is bars
 */
void v4l2dma_placeholder_store(struct v4l2dma_loop *loop, bool store)
{
	v4l2dma_own_grab_next(loop, store);
	if (!store)
		set_image(loop, NULL, 0);
}

static void *copy_image(struct v4l2dma_loop *loop,
			const struct v4l2dma_taken *frame)
{
	size_t bytes = frame->meta.bytesused;
	struct v4l2dma_cpu_map cpu;
	void *image;

	if (bytes > frame->plane->size)
		return NULL;
	image = kvmalloc(bytes, GFP_KERNEL | __GFP_NOWARN);
	if (!image)
		return NULL;
	if (v4l2dma_cpu_begin_soon(frame->plane, DMA_FROM_DEVICE,
				   loop->config.reclaim_ms, &cpu)) {
		kvfree(image);
		return NULL;
	}
	iosys_map_memcpy_from(image, &cpu.map, 0, bytes);
	v4l2dma_cpu_end(&cpu);
	return image;
}

/**
 * v4l2dma_placeholder_take_image() - store the frame that is wanted, if it came
 * @loop: the loop
 *
 * Context: waits for the device that fills the frame, for up to reclaim_ms.
 */
void v4l2dma_placeholder_take_image(struct v4l2dma_loop *loop)
{
	struct v4l2dma_taken frame;
	void *image;

	if (!v4l2dma_own_grabbed(loop, &frame))
		return;
	image = copy_image(loop, &frame);
	v4l2dma_plane_put(frame.plane);

	mutex_lock(&loop->lock);
	/* While a frame is the writer's, the format is that of the frame. */
	if (v4l2dma_own_ungrab(loop, &frame) && image) {
		set_image(loop, image, frame.meta.bytesused);
		image = NULL;
	} else {
		v4l2dma_own_grab_next(loop, true);
	}
	mutex_unlock(&loop->lock);
	kvfree(image);
}

/**
 * v4l2dma_placeholder_free() - the loop goes
 * @loop: the loop; nobody else has it
 */
void v4l2dma_placeholder_free(struct v4l2dma_loop *loop)
{
	kvfree(loop->placeholder.image);
}
