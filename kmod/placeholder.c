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

static void draw_image(struct v4l2dma_loop *loop,
		       void *const out[V4L2DMA_MAX_PLANES])
{
	const struct v4l2dma_placeholder *p = &loop->placeholder;
	const void *image = p->image;
	unsigned int i;

	for (i = 0; i < loop->format.num_planes; i++) {
		memcpy(out[i], image, p->image_meta.planes[i].bytesused);
		image += p->image_meta.planes[i].bytesused;
	}
}

static int draw(struct v4l2dma_loop *loop, const struct v4l2dma_planes *planes)
{
	struct v4l2dma_cpu_map cpu[V4L2DMA_MAX_PLANES];
	void *out[V4L2DMA_MAX_PLANES] = {};
	unsigned int i;
	int ret = 0;

	for (i = 0; i < planes->n; i++) {
		ret = v4l2dma_cpu_begin_slot(loop, planes->at[i], &cpu[i]);
		if (ret)
			break;
		out[i] = cpu[i].map.vaddr;
	}
	if (!ret && image_fits(loop))
		draw_image(loop, out);
	else if (!ret)
		ret = v4l2dma_picture_draw(&loop->format, out);
	while (i--)
		v4l2dma_cpu_end(&cpu[i]);
	return ret;
}

static unsigned long plane_size(struct v4l2dma_loop *loop, unsigned int plane)
{
	return PAGE_ALIGN(loop->format.plane_fmt[plane].sizeimage);
}

/*
 * Whether the picture is in the slot's memory. Where the slot has none, who reads
 * has no buffers for it, and needs copies in any case: it may lie anywhere.
 */
static bool is_there(struct v4l2dma_loop *loop, unsigned int slot)
{
	const struct v4l2dma_planes *have = &loop->placeholder.memory[slot];
	struct dma_buf *dbuf;
	bool same = have->n;
	unsigned int i;

	for (i = 0; i < have->n && same; i++) {
		dbuf = v4l2dma_pool_own_slot(loop, slot, i,
					     plane_size(loop, i));
		same = !dbuf || dbuf == have->at[i]->dbuf;
		if (!IS_ERR_OR_NULL(dbuf))
			dma_buf_put(dbuf);
	}
	return same;
}

static struct v4l2dma_plane *make_plane(struct v4l2dma_loop *loop,
					unsigned int slot, unsigned int i)
{
	struct dma_buf *dbuf;

	dbuf = v4l2dma_pool_own_slot(loop, slot, i, plane_size(loop, i));
	if (!dbuf)
		dbuf = v4l2dma_pages_create(plane_size(loop, i), false);
	if (IS_ERR(dbuf))
		return ERR_CAST(dbuf);
	return v4l2dma_plane_create(NULL, dbuf,
				    loop->format.plane_fmt[i].sizeimage);
}

/* Have the picture in the slot's memory. */
static int prepare(struct v4l2dma_loop *loop, unsigned int slot)
{
	struct v4l2dma_planes *have = &loop->placeholder.memory[slot];
	struct v4l2dma_planes new = {};
	struct v4l2dma_plane *plane;
	int ret = 0;

	if (is_there(loop, slot))
		return 0;
	while (new.n < loop->format.num_planes && !ret) {
		plane = make_plane(loop, slot, new.n);
		if (IS_ERR(plane))
			ret = PTR_ERR(plane);
		else
			new.at[new.n++] = plane;
	}
	if (!ret)
		ret = draw(loop, &new);
	if (!ret)
		swap(*have, new);
	v4l2dma_planes_put(&new);
	return ret;
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

static void fill_payload(struct v4l2dma_loop *loop, struct v4l2dma_meta *meta)
{
	unsigned int i;

	if (image_fits(loop)) {
		memcpy(meta->planes, loop->placeholder.image_meta.planes,
		       sizeof(meta->planes));
		return;
	}
	for (i = 0; i < loop->format.num_planes; i++)
		meta->planes[i].bytesused = loop->format.plane_fmt[i].sizeimage;
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
	struct v4l2dma_planes memory[V4L2DMA_OWN_SLOTS] = {};
	unsigned int i, slots = v4l2dma_own_slots(loop);
	struct v4l2dma_meta meta = {
		.timestamp = timestamp,
		.field = loop->format.field,
		.flags = V4L2_BUF_FLAG_TIMECODE,
	};
	int ret;

	lockdep_assert_held(&loop->lock);
	if (!image_fits(loop) &&
	    v4l2dma_format_compressed(loop->format.pixelformat))
		return;
	fill_payload(loop, &meta);
	/* Of two fields it is the same. */
	if (meta.field == V4L2_FIELD_ALTERNATE)
		meta.field = V4L2_FIELD_TOP;
	fill_timecode(loop, now, &meta.timecode);
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++) {
		if (!(slots & BIT(i)))
			continue;
		ret = prepare(loop, i);
		if (ret)
			v4l2dma_dbg(loop, 1, "no picture: %d\n", ret);
		else
			memory[i] = loop->placeholder.memory[i];
	}
	v4l2dma_own_publish(loop, memory, &meta);
	v4l2dma_own_put(memory);
}

/**
 * v4l2dma_placeholder_forget() - the picture is another one from now on
 * @loop: the loop, its lock held
 */
void v4l2dma_placeholder_forget(struct v4l2dma_loop *loop)
{
	lockdep_assert_held(&loop->lock);
	v4l2dma_own_end(loop);
	v4l2dma_own_put(loop->placeholder.memory);
	memset(loop->placeholder.memory, 0, sizeof(loop->placeholder.memory));
	v4l2dma_pool_renew_own(loop);
}

/* @meta: NULL without an image */
static void set_image(struct v4l2dma_loop *loop, void *image,
		      const struct v4l2dma_meta *meta)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;

	v4l2dma_placeholder_forget(loop);
	kvfree(p->image);
	p->image = image;
	memset(&p->image_meta, 0, sizeof(p->image_meta));
	if (meta)
		memcpy(p->image_meta.planes, meta->planes,
		       sizeof(meta->planes));
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
		set_image(loop, NULL, NULL);
}

static int copy_plane(struct v4l2dma_loop *loop,
		      const struct v4l2dma_taken *frame, unsigned int i,
		      size_t skip, void *out)
{
	size_t bytes = frame->meta.planes[i].bytesused;
	struct v4l2dma_plane *plane = frame->planes.at[i];
	struct v4l2dma_cpu_map cpu;
	int ret;

	if (skip + bytes > v4l2dma_plane_room(plane))
		return -EIO;
	ret = v4l2dma_cpu_begin_soon(plane, DMA_FROM_DEVICE,
				     loop->config.reclaim_ms, &cpu);
	if (ret)
		return ret;
	iosys_map_memcpy_from(out, &cpu.map, skip, bytes);
	v4l2dma_cpu_end(&cpu);
	return 0;
}

/* The pixels alone, of all planes; what was before them is gone. */
static void *copy_image(struct v4l2dma_loop *loop, struct v4l2dma_taken *frame)
{
	u32 skip[V4L2DMA_MAX_PLANES];
	void *image, *pos;
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_PLANES; i++) {
		skip[i] = frame->meta.planes[i].data_offset;
		frame->meta.planes[i].bytesused -= skip[i];
		frame->meta.planes[i].data_offset = 0;
	}
	image = kvmalloc(v4l2dma_meta_bytes(&frame->meta),
			 GFP_KERNEL | __GFP_NOWARN);
	for (i = 0, pos = image; i < frame->planes.n && image; i++) {
		if (copy_plane(loop, frame, i, skip[i], pos)) {
			kvfree(image);
			return NULL;
		}
		pos += frame->meta.planes[i].bytesused;
	}
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
	v4l2dma_planes_put(&frame.planes);

	mutex_lock(&loop->lock);
	/* While a frame is the writer's, the format is that of the frame. */
	if (v4l2dma_own_ungrab(loop, &frame) && image) {
		set_image(loop, image, &frame.meta);
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
