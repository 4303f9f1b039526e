// SPDX-License-Identifier: GPL-2.0-only
/*
 * v4l2_ioctl_ops.
 *
 * The core holds the handle's lock for queue ioctls, and the node's
 * (loop->lock) for all others; see struct v4l2dma_handle.
 */
#include <linux/dma-buf.h>
#include <media/v4l2-common.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>

#include "compat.h"
#include "v4l2dma.h"

/* A side of the loop, whichever of the two APIs it has. */
#define CAPTURE	V4L2_BUF_TYPE_VIDEO_CAPTURE
#define OUTPUT	V4L2_BUF_TYPE_VIDEO_OUTPUT

/* Frame intervals that are offered. Any other is taken as well. */
#define MAX_FPS		1000
#define MAX_SECONDS	1000

static int querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	strscpy(cap->driver, V4L2DMA_DRIVER_NAME, sizeof(cap->driver));
	strscpy(cap->card, loop->config.label, sizeof(cap->card));
	snprintf(cap->bus_info, sizeof(cap->bus_info),
		 "platform:" V4L2DMA_DRIVER_NAME "-%03u", loop->id);
	return 0;
}

/*
 * Whether the handle sees that side of the loop, and the loop has that kind of
 * buffers. The core calls us for both kinds.
 */
static bool has_type(struct v4l2dma_handle *h, u32 type)
{
	return (type == output_queue(h)->type ||
		type == capture_queue(h)->type) && v4l2dma_handle_sees(h, type);
}

/* Likewise, for whoever asks what that side is like; see has_choice(). */
static bool asks_for(struct v4l2dma_handle *h, u32 type)
{
	if (!has_type(h, type))
		return false;
	h->asked_capture = !V4L2_TYPE_IS_OUTPUT(type);
	return true;
}

/* Formats */

/* The core replaces this where it knows the format itself. */
static void describe(struct v4l2_fmtdesc *f)
{
	const char *name = v4l2dma_format_name(f->pixelformat);

	if (name)
		strscpy(f->description, name, sizeof(f->description));
	else
		snprintf(f->description, sizeof(f->description), "%p4cc",
			 &f->pixelformat);
	if (v4l2dma_format_compressed(f->pixelformat))
		f->flags |= V4L2_FMT_FLAG_COMPRESSED;
}

static int enum_fmt_capture(struct file *file, void *priv,
			    struct v4l2_fmtdesc *f)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (!asks_for(to_handle(file), f->type) || f->index)
		return -EINVAL;
	f->pixelformat = loop->format.pixelformat;
	describe(f);
	return 0;
}

static int enum_fmt_output(struct file *file, void *priv,
			   struct v4l2_fmtdesc *f)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (!asks_for(to_handle(file), f->type))
		return -EINVAL;
	if (READ_ONCE(loop->keep_format))
		f->pixelformat = f->index ? 0 : loop->format.pixelformat;
	else
		f->pixelformat = v4l2dma_format_nth(f->index, &loop->config);
	if (!f->pixelformat)
		return -EINVAL;
	describe(f);
	return 0;
}

/* The capture side has the writer's format, whatever a reader wishes. */
static int loop_fmt(struct file *file, void *priv, struct v4l2_format *f)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (!asks_for(to_handle(file), f->type))
		return -EINVAL;
	v4l2dma_format_to_user(f, &loop->format);
	return 0;
}

/* What comes of a writer's wish, in @pix; who says it again insists on it. */
static int negotiate(struct file *file, struct v4l2_format *f,
		     struct v4l2_pix_format_mplane *wish,
		     struct v4l2_pix_format_mplane *pix)
{
	struct v4l2dma_loop *loop = video_drvdata(file);
	struct v4l2dma_handle *h = to_handle(file);
	bool insists;

	if (!asks_for(h, f->type))
		return -EINVAL;
	v4l2dma_format_from_user(wish, f);
	insists = !memcmp(wish, &h->wish, sizeof(*wish));
	*pix = *wish;
	v4l2dma_format_drop_leftovers(pix, &loop->format);
	if (READ_ONCE(loop->keep_format))
		*pix = loop->format;
	else
		v4l2dma_format_adjust(pix, &loop->config);
	if (loop->n_readers && !insists)
		v4l2dma_format_keep_sizes(pix, &loop->format);
	v4l2dma_format_to_user(f, pix);
	return 0;
}

static int try_fmt_output(struct file *file, void *priv, struct v4l2_format *f)
{
	struct v4l2_pix_format_mplane wish, pix;

	return negotiate(file, f, &wish, &pix);
}

static int s_fmt_output(struct file *file, void *priv, struct v4l2_format *f)
{
	struct v4l2dma_loop *loop = video_drvdata(file);
	struct v4l2_pix_format_mplane wish, pix;
	int ret;

	ret = negotiate(file, f, &wish, &pix);
	if (ret)
		return ret;
	/* A writer's buffers fix the format. */
	if (loop->writer)
		return -EBUSY;
	to_handle(file)->wish = wish;
	v4l2dma_loop_set_format(loop, &pix);
	return 0;
}

/*
 * Whether there is a choice of sizes and intervals: for a writer, before there
 * is one. These ioctls do not say which side they are about: it is the one that
 * the handle asked about last.
 */
static bool has_choice(struct v4l2dma_loop *loop, struct v4l2dma_handle *h)
{
	return v4l2dma_handle_sees(h, OUTPUT) && !h->asked_capture &&
	       !loop->writer && !READ_ONCE(loop->keep_format);
}

static int enum_framesizes(struct file *file, void *priv,
			   struct v4l2_frmsizeenum *e)
{
	struct v4l2dma_loop *loop = video_drvdata(file);
	const struct v4l2dma_config *c = &loop->config;
	u32 step_width, step_height;

	if (e->index)
		return -EINVAL;
	if (!has_choice(loop, to_handle(file))) {
		if (e->pixel_format != loop->format.pixelformat)
			return -EINVAL;
		e->type = V4L2_FRMSIZE_TYPE_DISCRETE;
		e->discrete.width = loop->format.width;
		e->discrete.height = loop->format.height;
		return 0;
	}
	if (!v4l2dma_format_known(e->pixel_format, c))
		return -EINVAL;
	v4l2dma_format_steps(e->pixel_format, &step_width, &step_height);
	e->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	e->stepwise.min_width = V4L2DMA_MIN_WIDTH;
	e->stepwise.max_width = rounddown(c->max_width, step_width);
	e->stepwise.min_height = V4L2DMA_MIN_HEIGHT;
	e->stepwise.max_height = rounddown(c->max_height, step_height);
	e->stepwise.step_width = step_width;
	e->stepwise.step_height = step_height;
	return 0;
}

static bool is_possible_size(const struct v4l2dma_config *c,
			     const struct v4l2_frmivalenum *e)
{
	u32 step_width, step_height;

	if (!v4l2dma_format_known(e->pixel_format, c))
		return false;
	v4l2dma_format_steps(e->pixel_format, &step_width, &step_height);
	return e->width >= V4L2DMA_MIN_WIDTH && e->width <= c->max_width &&
	       e->height >= V4L2DMA_MIN_HEIGHT && e->height <= c->max_height &&
	       !(e->width % step_width) && !(e->height % step_height);
}

static int enum_frameintervals(struct file *file, void *priv,
			       struct v4l2_frmivalenum *e)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (e->index || !is_possible_size(&loop->config, e))
		return -EINVAL;
	if (!has_choice(loop, to_handle(file))) {
		if (e->pixel_format != loop->format.pixelformat ||
		    e->width != loop->format.width ||
		    e->height != loop->format.height)
			return -EINVAL;
		e->type = V4L2_FRMIVAL_TYPE_DISCRETE;
		e->discrete = loop->timeperframe;
		return 0;
	}
	e->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
	e->stepwise.min = (struct v4l2_fract){ 1, MAX_FPS };
	e->stepwise.max = (struct v4l2_fract){ MAX_SECONDS, 1 };
	e->stepwise.step = (struct v4l2_fract){ 1, 1 };
	return 0;
}

static int g_parm(struct file *file, void *priv, struct v4l2_streamparm *p)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (!asks_for(to_handle(file), p->type))
		return -EINVAL;
	memset(&p->parm, 0, sizeof(p->parm));
	if (!V4L2_TYPE_IS_OUTPUT(p->type)) {
		p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
		p->parm.capture.timeperframe = loop->timeperframe;
		p->parm.capture.readbuffers = loop->config.min_buffers;
	} else {
		p->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
		p->parm.output.timeperframe = loop->timeperframe;
		p->parm.output.writebuffers = loop->config.min_buffers;
	}
	return 0;
}

static int s_parm(struct file *file, void *priv, struct v4l2_streamparm *p)
{
	struct v4l2dma_loop *loop = video_drvdata(file);
	struct v4l2_fract wish = p->parm.output.timeperframe;
	struct v4l2dma_handle *h = to_handle(file);

	/* The writer knows how often it writes; all others are told. */
	if (V4L2_TYPE_IS_OUTPUT(p->type) && has_type(h, p->type) &&
	    (!loop->writer || loop->writer == h) &&
	    wish.numerator && wish.denominator) {
		loop->timeperframe = wish;
		loop->pace_next = 0;
		v4l2dma_pace_kick(loop);
	}
	return g_parm(file, priv, p);
}

/* Inputs and outputs: one of each, the cable itself */

static bool has_signal(struct v4l2dma_loop *loop)
{
	u32 timeout = READ_ONCE(loop->config.timeout_ms);

	if (!READ_ONCE(loop->streaming))
		return false;
	return !timeout ||
	       ktime_to_ms(v4l2dma_own_silence(loop, ktime_get())) < timeout;
}

static int enum_input(struct file *file, void *priv, struct v4l2_input *in)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	if (!v4l2dma_handle_sees(to_handle(file), CAPTURE))
		return -ENOTTY;
	if (in->index)
		return -EINVAL;
	strscpy(in->name, "loop", sizeof(in->name));
	in->type = V4L2_INPUT_TYPE_CAMERA;
	if (!has_signal(loop))
		in->status = V4L2_IN_ST_NO_SIGNAL;
	return 0;
}

static int g_input(struct file *file, void *priv, unsigned int *i)
{
	if (!v4l2dma_handle_sees(to_handle(file), CAPTURE))
		return -ENOTTY;
	*i = 0;
	return 0;
}

static int s_input(struct file *file, void *priv, unsigned int i)
{
	if (!v4l2dma_handle_sees(to_handle(file), CAPTURE))
		return -ENOTTY;
	return i ? -EINVAL : 0;
}

static int enum_output(struct file *file, void *priv, struct v4l2_output *out)
{
	if (!v4l2dma_handle_sees(to_handle(file), OUTPUT))
		return -ENOTTY;
	if (out->index)
		return -EINVAL;
	strscpy(out->name, "loop", sizeof(out->name));
	out->type = V4L2_OUTPUT_TYPE_ANALOG;
	return 0;
}

static int g_output(struct file *file, void *priv, unsigned int *i)
{
	if (!v4l2dma_handle_sees(to_handle(file), OUTPUT))
		return -ENOTTY;
	*i = 0;
	return 0;
}

static int s_output(struct file *file, void *priv, unsigned int i)
{
	if (!v4l2dma_handle_sees(to_handle(file), OUTPUT))
		return -ENOTTY;
	return i ? -EINVAL : 0;
}

/* Buffers */

static struct vb2_queue *queue_of(struct v4l2dma_handle *h, u32 type)
{
	return V4L2_TYPE_IS_OUTPUT(type) ? output_queue(h) : capture_queue(h);
}

/*
 * The queue for a buffer ioctl. There is none for a side that the handle does
 * not see, and while read() or write() is in use.
 */
static struct vb2_queue *find_queue(struct v4l2dma_handle *h, u32 type)
{
	if (!has_type(h, type))
		return ERR_PTR(-EINVAL);
	if (h->role == V4L2DMA_ROLE_READ || h->role == V4L2DMA_ROLE_WRITE)
		return ERR_PTR(-EBUSY);
	return queue_of(h, type);
}

/* Before buffers are made: become what they make of the handle. */
static struct vb2_queue *claim_queue(struct v4l2dma_handle *h, u32 type)
{
	struct vb2_queue *q;
	int ret;

	/* A poll() for input that no read() followed commits to nothing. */
	if (h->role == V4L2DMA_ROLE_READ && h->reader.polled)
		v4l2dma_reader_end_read(h);
	q = find_queue(h, type);
	if (IS_ERR(q))
		return q;
	ret = v4l2dma_handle_take_role(h, q->is_output ? V4L2DMA_ROLE_WRITER :
							 V4L2DMA_ROLE_READER);
	return ret ? ERR_PTR(ret) : q;
}

/* After buffers were freed, or none were made. */
static void release_queue(struct v4l2dma_handle *h, struct vb2_queue *q)
{
	if (h->role != V4L2DMA_ROLE_NONE && !vb2_is_busy(q))
		v4l2dma_handle_drop_role(h);
}

static int reqbufs(struct file *file, void *priv, struct v4l2_requestbuffers *r)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q;
	int ret;

	if (!r->count) {
		/* Frees, or asks what the queue can do: claims nothing. */
		q = find_queue(h, r->type);
		if (IS_ERR(q))
			return PTR_ERR(q);
		if (v4l2dma_handle_shut_out(h, r->type))
			return -EBUSY;
		ret = vb2_reqbufs(q, r);
	} else {
		q = claim_queue(h, r->type);
		if (IS_ERR(q))
			return PTR_ERR(q);
		h->alloc_slots = true;
		ret = vb2_reqbufs(q, r);
		h->alloc_slots = false;
	}
	/* The buffers that a writer declared to be fixed are gone. */
	if (!ret && q->is_output && h->role == V4L2DMA_ROLE_WRITER)
		v4l2dma_bindings_end(h->loop);
	if (q == queue_of(h, h->role == V4L2DMA_ROLE_WRITER ? OUTPUT : CAPTURE))
		release_queue(h, q);
	return ret;
}

static int create_bufs(struct file *file, void *priv,
		       struct v4l2_create_buffers *c)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q;
	int ret;

	if (!c->count) {
		q = find_queue(h, c->format.type);
		return IS_ERR(q) ? PTR_ERR(q) : vb2_create_bufs(q, c);
	}
	q = claim_queue(h, c->format.type);
	if (IS_ERR(q))
		return PTR_ERR(q);
	ret = vb2_create_bufs(q, c);
	if (!ret && q->is_output)
		v4l2dma_flow_set_slots(h->loop, vb2_get_num_buffers(q));
	release_queue(h, q);
	return ret;
}

static int querybuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	struct vb2_queue *q = find_queue(to_handle(file), b->type);

	return IS_ERR(q) ? PTR_ERR(q) : vb2_querybuf(q, b);
}

/*
 * Whether the writer's dma-buf may be at its index. It is checked again when it
 * is attached; but vb2 forgets a buffer's size when that fails, and then refuses
 * the right dma-buf, too.
 */
static int check_fd(struct v4l2dma_loop *loop, unsigned int index,
		    unsigned int plane, int fd)
{
	struct dma_buf *dbuf;
	int ret;

	dbuf = dma_buf_get(fd);
	if (IS_ERR(dbuf))
		return 0;	/* for vb2 to say */
	ret = v4l2dma_binding_allows(loop, index, plane, dbuf);
	dma_buf_put(dbuf);
	return ret;
}

static int check_dmabuf(struct v4l2dma_handle *h, const struct v4l2_buffer *b)
{
	unsigned int i;
	int ret = 0;

	if (!READ_ONCE(h->loop->fixed) || !V4L2_TYPE_IS_OUTPUT(b->type) ||
	    b->memory != V4L2_MEMORY_DMABUF || b->index >= V4L2DMA_MAX_SLOTS)
		return 0;
	if (!V4L2_TYPE_IS_MULTIPLANAR(b->type))
		return check_fd(h->loop, b->index, 0, b->m.fd);
	for (i = 0; i < b->length && i < h->n_planes && !ret; i++)
		ret = check_fd(h->loop, b->index, i, b->m.planes[i].m.fd);
	return ret;
}

/*
 * vb2 keeps the pages behind a pointer as long as the pointer stays the same.
 * But another memory may be mapped there by now (GStreamer maps each frame
 * anew, often at the same address), and the frame would be that of before.
 */
static void forget_pages(struct vb2_queue *q, const struct v4l2_buffer *b)
{
	struct vb2_buffer *vb;
	unsigned int i;

	if (q->memory != VB2_MEMORY_USERPTR)
		return;
	vb = vb2_get_buffer(q, b->index);
	if (!vb || vb->state != VB2_BUF_STATE_DEQUEUED || vb->prepared)
		return;
	for (i = 0; i < vb->num_planes; i++)
		vb->planes[i].m.userptr = 0;
}

/* What has to be so before vb2 sees a buffer. */
static int check_memory(struct v4l2dma_handle *h, struct vb2_queue *q,
			const struct v4l2_buffer *b)
{
	int ret = check_dmabuf(h, b);

	if (!ret)
		forget_pages(q, b);
	return ret;
}

static int prepare_buf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q = find_queue(h, b->type);
	int ret;

	if (IS_ERR(q))
		return PTR_ERR(q);
	ret = check_memory(h, q, b);
	return ret ? ret : vb2_prepare_buf(q, NULL, b);
}

static int qbuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q = find_queue(h, b->type);
	int ret;

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!q->is_output && vb2_is_busy(q) && v4l2dma_reader_outdated(h))
		return -EIO;
	ret = check_memory(h, q, b);
	if (ret)
		return ret;
	ret = vb2_qbuf(q, NULL, b);
	/* With no reader the frame is done before vb2 fills in the flags. */
	if (!ret && b->flags & V4L2_BUF_FLAG_DONE)
		b->flags = (b->flags & ~V4L2_BUF_FLAG_DONE) |
			   V4L2_BUF_FLAG_QUEUED;
	return ret;
}

static int dqbuf(struct file *file, void *priv, struct v4l2_buffer *b)
{
	struct v4l2dma_handle *h = to_handle(file);
	bool nonblock = file->f_flags & O_NONBLOCK;
	struct vb2_queue *q = find_queue(h, b->type);
	int ret;

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (!q->is_output)
		return v4l2dma_reader_dqbuf(h, b, nonblock);
	if (!nonblock)
		v4l2dma_own_writer_waits(h->loop);
	ret = vb2_dqbuf(q, b, nonblock);
	/* Its queue was ended for that reason. */
	return READ_ONCE(h->loop->removed) && ret == -EIO ? -ENODEV : ret;
}

static int expbuf(struct file *file, void *priv, struct v4l2_exportbuffer *e)
{
	struct vb2_queue *q = find_queue(to_handle(file), e->type);

	return IS_ERR(q) ? PTR_ERR(q) : vb2_expbuf(q, e);
}

static int streamon_output(struct v4l2dma_handle *h, struct vb2_queue *q)
{
	struct v4l2dma_loop *loop = h->loop;
	int ret;

	if (!vb2_is_busy(q) || vb2_is_streaming(q))
		return vb2_streamon(q, q->type);
	v4l2dma_flow_writer_start(loop, vb2_get_num_buffers(q));
	ret = vb2_streamon(q, q->type);
	if (ret)
		v4l2dma_flow_writer_stop(loop);
	v4l2dma_loop_update_caps(loop);
	return ret;
}

static int streamon(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q = find_queue(h, type);

	if (IS_ERR(q))
		return PTR_ERR(q);
	if (q->is_output)
		return streamon_output(h, q);
	/* The format changed since the buffers were made: make new ones. */
	if (vb2_is_busy(q) && v4l2dma_reader_outdated(h))
		return -EIO;
	return vb2_streamon(q, type);
}

static int streamoff(struct file *file, void *priv, enum v4l2_buf_type type)
{
	struct v4l2dma_handle *h = to_handle(file);
	struct vb2_queue *q = find_queue(h, type);
	int ret;

	if (IS_ERR(q))
		return PTR_ERR(q);
	ret = vb2_streamoff(q, type);
	if (!ret && h->role == V4L2DMA_ROLE_WRITER)
		v4l2dma_loop_update_caps(h->loop);
	return ret;
}

static int log_status(struct file *file, void *priv)
{
	struct v4l2dma_loop *loop = video_drvdata(file);
	struct v4l2dma_loop_stats stats;

	spin_lock(&loop->flow_lock);
	stats = loop->stats;
	spin_unlock(&loop->flow_lock);
	v4l2_info(&loop->v4l2_dev, "%u readers, %s\n", loop->n_readers,
		  loop->streaming ? "writer streams" : "no signal");
	v4l2_info(&loop->v4l2_dev,
		  "%llu frames, %llu delivered, %llu dropped, %llu bytes copied\n",
		  stats.frames, stats.delivered, stats.dropped,
		  stats.copied_bytes);
	return 0;
}

const struct v4l2_ioctl_ops v4l2dma_ioctl_ops = {
	.vidioc_querycap = querycap,
	.vidioc_enum_fmt_vid_cap = enum_fmt_capture,
	.vidioc_enum_fmt_vid_out = enum_fmt_output,
	.vidioc_g_fmt_vid_cap = loop_fmt,
	.vidioc_s_fmt_vid_cap = loop_fmt,
	.vidioc_try_fmt_vid_cap = loop_fmt,
	.vidioc_g_fmt_vid_cap_mplane = loop_fmt,
	.vidioc_s_fmt_vid_cap_mplane = loop_fmt,
	.vidioc_try_fmt_vid_cap_mplane = loop_fmt,
	.vidioc_g_fmt_vid_out = loop_fmt,
	.vidioc_s_fmt_vid_out = s_fmt_output,
	.vidioc_try_fmt_vid_out = try_fmt_output,
	.vidioc_g_fmt_vid_out_mplane = loop_fmt,
	.vidioc_s_fmt_vid_out_mplane = s_fmt_output,
	.vidioc_try_fmt_vid_out_mplane = try_fmt_output,
	.vidioc_enum_framesizes = enum_framesizes,
	.vidioc_enum_frameintervals = enum_frameintervals,
	.vidioc_g_parm = g_parm,
	.vidioc_s_parm = s_parm,
	.vidioc_enum_input = enum_input,
	.vidioc_g_input = g_input,
	.vidioc_s_input = s_input,
	.vidioc_enum_output = enum_output,
	.vidioc_g_output = g_output,
	.vidioc_s_output = s_output,
	.vidioc_reqbufs = reqbufs,
	.vidioc_create_bufs = create_bufs,
	.vidioc_querybuf = querybuf,
	.vidioc_prepare_buf = prepare_buf,
	.vidioc_qbuf = qbuf,
	.vidioc_dqbuf = dqbuf,
	.vidioc_expbuf = expbuf,
	.vidioc_streamon = streamon,
	.vidioc_streamoff = streamoff,
	.vidioc_subscribe_event = v4l2dma_event_subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
	.vidioc_log_status = log_status,
};
