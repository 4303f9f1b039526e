// SPDX-License-Identifier: GPL-2.0-only
/*
 * What readers see while there is no signal: colour bars with the words NO
 * SIGNAL, or a frame that a writer stored for it.
 *
 * The picture is made by whoever begins to read, and at his expense, before
 * anybody can see it; nobody writes there any more, and another picture lies in
 * other memory. What is stored, or set, while somebody reads is made in the
 * background, at the expense of him who said so.
 */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "v4l2dma.h"

static void put_image(struct v4l2dma_image *image)
{
	if (image && refcount_dec_and_test(&image->ref))
		kvfree(image);
}

/* Whether the loop's frames lie as the image does; a borrowed reference if so. */
static struct v4l2dma_image *fitting_image(struct v4l2dma_loop *loop)
{
	struct v4l2dma_image *image = loop->placeholder.image;

	if (image && v4l2dma_format_same_layout(&image->format,
						&loop->format))
		return image;
	return NULL;
}

static int draw_image(struct v4l2dma_image *image, struct v4l2dma_cpu_map *cpu)
{
	struct iosys_map pixels = IOSYS_MAP_INIT_VADDR(image->data);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < image->format.num_planes && !ret; i++) {
		ret = v4l2dma_copy_map(&cpu[i].map, &pixels,
				       image->meta.planes[i].bytesused);
		iosys_map_incr(&pixels, image->meta.planes[i].bytesused);
	}
	return ret;
}

static int draw_bars(const struct v4l2_pix_format_mplane *format,
		     const struct v4l2dma_cpu_map *cpu)
{
	void *out[V4L2DMA_MAX_PLANES] = {};
	unsigned int i;

	for (i = 0; i < format->num_planes; i++)
		out[i] = cpu[i].map.vaddr;
	return v4l2dma_picture_draw(format, out);
}

/* Into memory that nobody else has yet. */
static int draw(const struct v4l2_pix_format_mplane *format,
		struct v4l2dma_image *image,
		const struct v4l2dma_planes *planes)
{
	struct v4l2dma_cpu_map cpu[V4L2DMA_MAX_PLANES];
	unsigned int n;
	int ret = 0;

	for (n = 0; n < planes->n; n++) {
		ret = v4l2dma_cpu_begin(planes->at[n], DMA_TO_DEVICE, &cpu[n]);
		if (ret)
			break;
	}
	if (!ret)
		ret = image ? draw_image(image, cpu) : draw_bars(format, cpu);
	while (n--)
		v4l2dma_cpu_end(&cpu[n]);
	return ret;
}

static struct v4l2dma_plane *make_plane(u32 bytes, bool contiguous)
{
	struct dma_buf *dbuf;

	dbuf = v4l2dma_pages_create(PAGE_ALIGN(bytes), contiguous);
	if (IS_ERR(dbuf))
		return ERR_CAST(dbuf);
	return v4l2dma_plane_create(NULL, dbuf, bytes);
}

static int make_picture(const struct v4l2_pix_format_mplane *format,
			struct v4l2dma_image *image, bool contiguous,
			struct v4l2dma_planes *planes)
{
	struct v4l2dma_plane *plane;

	while (planes->n < format->num_planes) {
		plane = make_plane(format->plane_fmt[planes->n].sizeimage,
				   contiguous);
		if (IS_ERR(plane))
			return PTR_ERR(plane);
		planes->at[planes->n++] = plane;
	}
	return draw(format, image, planes);
}

/**
 * v4l2dma_placeholder_missing() - is there a picture to be made
 * @loop: the loop
 *
 * Without its lock the answer is a guess.
 *
 * Return: whether there is.
 */
bool v4l2dma_placeholder_missing(struct v4l2dma_loop *loop)
{
	const struct v4l2dma_placeholder *p = &loop->placeholder;

	return READ_ONCE(loop->config.timeout_ms) &&
	       !READ_ONCE(p->memory.n) && !READ_ONCE(p->failed);
}

static void install(struct v4l2dma_loop *loop,
		    const struct v4l2_pix_format_mplane *format,
		    const struct v4l2dma_image *image,
		    struct v4l2dma_planes *planes)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_PLANES; i++) {
		p->payload[i].data_offset = 0;
		p->payload[i].bytesused = format->plane_fmt[i].sizeimage;
	}
	if (image)
		memcpy(p->payload, image->meta.planes, sizeof(p->payload));
	swap(p->memory, *planes);
}

/**
 * v4l2dma_placeholder_prepare() - have the picture, if it may be needed
 * @loop: the loop, its lock not held
 *
 * If there is no memory for it there is no picture.
 *
 * Context: allocates, for the caller.
 */
void v4l2dma_placeholder_prepare(struct v4l2dma_loop *loop)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;
	struct v4l2_pix_format_mplane format;
	struct v4l2dma_planes planes = {};
	struct v4l2dma_image *image;
	bool wanted;
	u32 serial;
	int ret;

	if (!v4l2dma_placeholder_missing(loop))
		return;
	mutex_lock(&loop->lock);
	wanted = v4l2dma_placeholder_missing(loop) && loop->n_readers;
	format = loop->format;
	serial = p->serial;
	image = fitting_image(loop);
	if (image)
		refcount_inc(&image->ref);
	else if (v4l2dma_format_compressed(format.pixelformat))
		p->failed = true;
	wanted = wanted && !p->failed;
	mutex_unlock(&loop->lock);
	if (!wanted)
		goto out;

	ret = make_picture(&format, image, loop->config.contiguous, &planes);
	mutex_lock(&loop->lock);
	if (serial == p->serial && loop->n_readers && !p->memory.n) {
		if (!ret)
			install(loop, &format, image, &planes);
		else if (!fatal_signal_pending(current))
			p->failed = true;
	}
	mutex_unlock(&loop->lock);
	v4l2dma_planes_put(&planes);
	if (ret)
		v4l2dma_dbg(loop, 1, "no picture: %d\n", ret);
	v4l2dma_pace_kick(loop);
out:
	put_image(image);
}

/**
 * v4l2dma_placeholder_memory() - for a reader's buffer of the loop's own slots
 * @loop: the loop
 * @plane: which plane
 * @size: bytes, whole pages
 *
 * Return: a reference to the picture's dma-buf, or NULL if there is none of that
 * size.
 */
struct dma_buf *v4l2dma_placeholder_memory(struct v4l2dma_loop *loop,
					   unsigned int plane,
					   unsigned long size)
{
	struct v4l2dma_planes *memory = &loop->placeholder.memory;
	struct dma_buf *dbuf = NULL;

	mutex_lock(&loop->lock);
	if (plane < memory->n && memory->at[plane]->dbuf->size == size) {
		dbuf = memory->at[plane]->dbuf;
		get_dma_buf(dbuf);
	}
	mutex_unlock(&loop->lock);
	return dbuf;
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
 * v4l2dma_placeholder_show() - show readers the picture, if there is one
 * @loop: the loop, its lock held
 * @now: CLOCK_MONOTONIC
 * @timestamp: for it; ns
 *
 * There is none in a compressed format, unless one is stored.
 */
void v4l2dma_placeholder_show(struct v4l2dma_loop *loop, ktime_t now,
			      u64 timestamp)
{
	const struct v4l2dma_planes *memory = &loop->placeholder.memory;
	struct v4l2dma_meta meta = {
		.timestamp = timestamp,
		.field = loop->format.field,
		.flags = V4L2_BUF_FLAG_TIMECODE,
	};

	lockdep_assert_held(&loop->lock);
	if (!memory->n)
		return;
	memcpy(meta.planes, loop->placeholder.payload, sizeof(meta.planes));
	/* Of two fields it is the same. */
	if (meta.field == V4L2_FIELD_ALTERNATE)
		meta.field = V4L2_FIELD_TOP;
	fill_timecode(loop, now, &meta.timecode);
	v4l2dma_own_publish(loop, memory, &meta);
}

/* Who looks at the old one goes on to do so. */
static void start_anew(struct v4l2dma_loop *loop)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;
	struct v4l2dma_planes old = {};

	lockdep_assert_held(&loop->lock);
	p->serial++;
	p->failed = false;
	swap(p->memory, old);
	v4l2dma_planes_put(&old);
}

/**
 * v4l2dma_placeholder_forget() - nobody reads, or the format is another one
 * @loop: the loop, its lock held
 */
void v4l2dma_placeholder_forget(struct v4l2dma_loop *loop)
{
	v4l2dma_own_end(loop);
	start_anew(loop);
}

static void set_image(struct v4l2dma_loop *loop, struct v4l2dma_image *image)
{
	put_image(loop->placeholder.image);
	loop->placeholder.image = image;
	start_anew(loop);
}

/**
 * v4l2dma_placeholder_recolour() - the format's colours are others now
 * @loop: the loop, its lock held
 *
 * What a writer stored stays what it is.
 */
void v4l2dma_placeholder_recolour(struct v4l2dma_loop *loop)
{
	if (loop->placeholder.image)
		return;
	start_anew(loop);
	v4l2dma_placeholder_kick(loop);
}

/**
 * v4l2dma_placeholder_pay() - the caller is who wants to have something made
 * @loop: the loop, its lock held
 */
void v4l2dma_placeholder_pay(struct v4l2dma_loop *loop)
{
	struct v4l2dma_placeholder *p = &loop->placeholder;

	lockdep_assert_held(&loop->lock);
	mem_cgroup_put(p->payer);
	p->payer = get_mem_cgroup_from_mm(current->mm);
}

/**
 * v4l2dma_placeholder_store() - the control was set
 * @loop: the loop, its lock held
 * @store: the writer's next frame is the picture; otherwise it is bars
 */
void v4l2dma_placeholder_store(struct v4l2dma_loop *loop, bool store)
{
	v4l2dma_own_grab_next(loop, store);
	v4l2dma_placeholder_pay(loop);
	if (store || !loop->placeholder.image)
		return;
	set_image(loop, NULL);
	v4l2dma_placeholder_kick(loop);
}

/* The pixels alone of a plane; what was before them is gone. */
static int copy_plane(struct v4l2dma_loop *loop,
		      const struct v4l2dma_taken *frame, unsigned int i,
		      size_t skip, size_t bytes, void *out)
{
	struct v4l2dma_plane *plane = frame->planes.at[i];
	struct iosys_map to = IOSYS_MAP_INIT_VADDR(out);
	struct v4l2dma_cpu_map cpu;
	struct iosys_map pixels;
	int ret;

	if (skip + bytes > v4l2dma_plane_room(plane))
		return -EIO;
	ret = v4l2dma_cpu_begin_soon(loop, plane, DMA_FROM_DEVICE,
				     loop->config.reclaim_ms, &cpu);
	if (ret)
		return ret;
	pixels = cpu.map;
	iosys_map_incr(&pixels, skip);
	ret = v4l2dma_copy_map(&to, &pixels, bytes);
	v4l2dma_cpu_end(&cpu);
	return ret;
}

static struct v4l2dma_image *copy_image(struct v4l2dma_loop *loop,
					const struct v4l2dma_taken *frame)
{
	struct v4l2dma_image *image;
	struct v4l2dma_meta meta = frame->meta;
	u32 skip[V4L2DMA_MAX_PLANES];
	unsigned int i;
	u8 *pos;

	for (i = 0; i < V4L2DMA_MAX_PLANES; i++) {
		skip[i] = meta.planes[i].data_offset;
		meta.planes[i].bytesused -= skip[i];
		meta.planes[i].data_offset = 0;
	}
	image = kvzalloc(struct_size(image, data, v4l2dma_meta_bytes(&meta)),
			 GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!image)
		return NULL;
	refcount_set(&image->ref, 1);
	image->meta = meta;
	for (i = 0, pos = image->data; i < frame->planes.n; i++) {
		if (copy_plane(loop, frame, i, skip[i],
			       meta.planes[i].bytesused, pos)) {
			put_image(image);
			return NULL;
		}
		pos += meta.planes[i].bytesused;
	}
	return image;
}

static void store_grabbed(struct v4l2dma_loop *loop)
{
	struct v4l2dma_image *image;
	struct v4l2dma_taken frame;
	u32 nr;

	if (!v4l2dma_own_grabbed(loop, &frame, &nr))
		return;
	image = copy_image(loop, &frame);
	v4l2dma_planes_put(&frame.planes);

	mutex_lock(&loop->lock);
	/* While a frame is the loop's, the format is that of the frame. */
	if (v4l2dma_own_ungrab(loop, &frame, nr, image)) {
		image->format = loop->format;
		set_image(loop, image);
		image = NULL;
	}
	mutex_unlock(&loop->lock);
	put_image(image);
}

static void work_on_image(struct work_struct *work)
{
	struct v4l2dma_loop *loop = container_of(work, struct v4l2dma_loop,
						 image_work);
	struct mem_cgroup *payer, *before;

	mutex_lock(&loop->lock);
	payer = loop->placeholder.payer;
	loop->placeholder.payer = NULL;
	mutex_unlock(&loop->lock);

	before = set_active_memcg(payer);
	store_grabbed(loop);
	v4l2dma_placeholder_prepare(loop);
	set_active_memcg(before);

	mutex_lock(&loop->lock);
	/* Otherwise somebody else pays from now on. */
	if (!loop->placeholder.payer)
		swap(payer, loop->placeholder.payer);
	mutex_unlock(&loop->lock);
	mem_cgroup_put(payer);
}

/**
 * v4l2dma_placeholder_init() - prepare a new loop
 * @loop: the loop
 */
void v4l2dma_placeholder_init(struct v4l2dma_loop *loop)
{
	INIT_WORK(&loop->image_work, work_on_image);
}

/**
 * v4l2dma_placeholder_kick() - there is something to be made in the background
 * @loop: the loop
 *
 * Context: any.
 */
void v4l2dma_placeholder_kick(struct v4l2dma_loop *loop)
{
	queue_work(system_unbound_wq, &loop->image_work);
}

/**
 * v4l2dma_placeholder_stop() - end that
 * @loop: the loop, which is removed
 */
void v4l2dma_placeholder_stop(struct v4l2dma_loop *loop)
{
	cancel_work_sync(&loop->image_work);
}

/**
 * v4l2dma_placeholder_free() - the loop goes
 * @loop: the loop; nobody else has it
 */
void v4l2dma_placeholder_free(struct v4l2dma_loop *loop)
{
	put_image(loop->placeholder.image);
	mem_cgroup_put(loop->placeholder.payer);
}
