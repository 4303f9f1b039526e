// SPDX-License-Identifier: GPL-2.0-only
/*
 * vb2_ops: one queue per handle and side.
 */
#include <linux/ktime.h>

#include "compat.h"
#include "v4l2dma.h"

/* What a writer may say of a frame and a reader should hear. */
#define META_FLAGS	(V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | \
			 V4L2_BUF_FLAG_BFRAME | V4L2_BUF_FLAG_TIMECODE | \
			 V4L2_BUF_FLAG_TSTAMP_SRC_MASK)

static bool sizes_fit(const struct v4l2_pix_format_mplane *format,
		      unsigned int n_planes, const unsigned int sizes[])
{
	unsigned int i;

	if (n_planes != format->num_planes)
		return false;
	for (i = 0; i < n_planes; i++)
		if (sizes[i] < format->plane_fmt[i].sizeimage ||
		    sizes[i] > v4l2dma_format_max_size(format, i))
			return false;
	return true;
}

static int queue_setup(struct vb2_queue *q, unsigned int *n_buffers,
		       unsigned int *n_planes, unsigned int sizes[],
		       struct device *alloc_devs[])
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(q);
	struct v4l2dma_loop *loop = h->loop;
	struct v4l2_pix_format_mplane format;
	unsigned int i;
	u32 gen;

	mutex_lock(&loop->lock);
	format = loop->format;
	gen = loop->format_gen;
	mutex_unlock(&loop->lock);

	if (*n_planes) {
		if (!sizes_fit(&format, *n_planes, sizes))
			return -EINVAL;
		/* The buffers that are there are for another format. */
		if (vb2_get_num_buffers(q) && gen != h->reader.format_gen)
			return -EIO;
	} else {
		*n_planes = format.num_planes;
		for (i = 0; i < *n_planes; i++)
			sizes[i] = format.plane_fmt[i].sizeimage;
		*n_buffers = v4l2dma_pool_join(h, *n_buffers, &format,
					       q->is_output);
	}
	if (!q->is_output)
		v4l2dma_placeholder_prepare(loop);
	h->n_planes = format.num_planes;
	for (i = 0; i < h->n_planes; i++)
		h->sizeimage[i] = format.plane_fmt[i].sizeimage;
	if (vb2_get_num_buffers(q))
		return 0;
	spin_lock(&loop->flow_lock);
	WRITE_ONCE(h->reader.format_gen, gen);
	h->reader.bound = false;
	spin_unlock(&loop->flow_lock);
	return 0;
}

/*
 * vb2 compared what the caller says of the sizes with what is needed; what it
 * says is compared here and not when dma-bufs are attached, because vb2 (seen in
 * 6.12) then loses references that it took, and takes the size of the first
 * plane for all that are the same dma-buf.
 */
static int check_imports(struct vb2_buffer *vb)
{
	struct v4l2dma_plane *plane;
	unsigned int i;

	if (vb->memory != VB2_MEMORY_DMABUF)
		return 0;
	for (i = 0; i < vb->num_planes; i++) {
		plane = vb->planes[i].mem_priv;
		if (plane->dbuf->size < vb2_plane_size(vb, i))
			return -EFAULT;
	}
	return 0;
}

/* A driver of a capture queue sets the payload, vb2 that of an output. */
static int check_payload(struct v4l2dma_handle *h, struct vb2_buffer *vb,
			 unsigned int i)
{
	unsigned long bytes = vb2_get_plane_payload(vb, i);
	u32 offset = vb->planes[i].data_offset;

	if (bytes > vb2_plane_size(vb, i) || offset > bytes)
		return -EINVAL;
	/* Who maps memory that is bound sees no more of it than a frame. */
	if (offset && bytes > h->sizeimage[i] && READ_ONCE(h->loop->fixed) &&
	    vb->memory == VB2_MEMORY_DMABUF)
		return -EINVAL;
	return 0;
}

static int output_buf_prepare(struct vb2_buffer *vb)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_planes planes;
	unsigned int i;
	int ret;

	ret = check_imports(vb);
	for (i = 0; i < vb->num_planes && !ret; i++)
		ret = check_payload(h, vb, i);
	if (ret || vb->memory != VB2_MEMORY_DMABUF)
		return ret;
	v4l2dma_planes_of(&planes, vb);
	return v4l2dma_binding_make(h->loop, vb->index, &planes);
}

/* Planes are copied to the start of the reader's memory: each needs its own. */
static int capture_buf_prepare(struct vb2_buffer *vb)
{
	struct v4l2dma_planes planes;
	unsigned int i;

	v4l2dma_planes_of(&planes, vb);
	for (i = 1; i < planes.n && vb->memory == VB2_MEMORY_DMABUF; i++)
		if (planes.at[i]->dbuf == planes.at[i - 1]->dbuf ||
		    planes.at[i]->dbuf == planes.at[0]->dbuf)
			return -EINVAL;
	return check_imports(vb);
}

static void stop_buffers(struct vb2_queue *q)
{
	struct vb2_buffer *vb;
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_SLOTS; i++) {
		vb = vb2_get_buffer(q, i);
		if (vb && vb->state == VB2_BUF_STATE_ACTIVE)
			vb2_buffer_done(vb, VB2_BUF_STATE_ERROR);
	}
}

/*
 * Only MMAP buffers are counted: of the others vb2 drops the memory without
 * buf_cleanup when a QBUF with another memory fails.
 */
static int capture_buf_init(struct vb2_buffer *vb)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_plane *plane = vb->planes[0].mem_priv;

	spin_lock(&h->loop->flow_lock);
	if (plane->shared)
		set_bit(plane->slot, h->reader.shared);
	else if (vb->memory == VB2_MEMORY_MMAP)
		h->reader.n_private++;
	spin_unlock(&h->loop->flow_lock);
	return 0;
}

static void capture_buf_cleanup(struct vb2_buffer *vb)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_plane *plane = vb->planes[0].mem_priv;

	spin_lock(&h->loop->flow_lock);
	if (plane->shared)
		clear_bit(plane->slot, h->reader.shared);
	else if (vb->memory == VB2_MEMORY_MMAP)
		h->reader.n_private--;
	spin_unlock(&h->loop->flow_lock);
}

/* The reader gives a buffer, and with it the frame that it held there. */
static void capture_buf_queue(struct vb2_buffer *vb)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_planes planes;

	v4l2dma_planes_of(&planes, vb);
	if (planes.at[0]->shared) {
		v4l2dma_planes_unlend(&planes);
		v4l2dma_flow_give_back(h->loop, &h->reader,
				       planes.at[0]->slot);
		return;
	}
	spin_lock(&h->loop->flow_lock);
	list_add_tail(&to_v4l2dma_buffer(vb)->entry, &h->reader.spare);
	spin_unlock(&h->loop->flow_lock);
	/* A frame may have waited for a buffer. */
	wake_up(h->reader.wq);
}

static int capture_start(struct vb2_queue *q, unsigned int count)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(q);

	v4l2dma_flow_reader_start(h->loop, &h->reader,
				  q->memory == VB2_MEMORY_MMAP);
	return 0;
}

static void capture_stop(struct vb2_queue *q)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(q);
	struct v4l2dma_planes planes;
	struct vb2_buffer *vb;
	unsigned int i;

	v4l2dma_flow_reader_stop(h->loop, &h->reader);
	for (i = 0; i < V4L2DMA_MAX_SLOTS; i++) {
		vb = vb2_get_buffer(q, i);
		if (!vb || !vb->planes[0].mem_priv)
			continue;
		v4l2dma_planes_of(&planes, vb);
		v4l2dma_planes_unlend(&planes);
	}
	stop_buffers(q);
}

static int output_buf_out_validate(struct vb2_buffer *vb)
{
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);

	if (vbuf->field == V4L2_FIELD_ANY)
		vbuf->field = V4L2_FIELD_NONE;
	return vbuf->field <= V4L2_FIELD_INTERLACED_BT ? 0 : -EINVAL;
}

/*
 * A dma-buf is larger than the frame, by its last page, and vb2 takes its size
 * (or 0, if the writer did not say that either) where bytesused is not given.
 */
static struct v4l2dma_payload payload(struct v4l2dma_handle *h,
				      struct vb2_buffer *vb, unsigned int i)
{
	u32 bytes = vb2_get_plane_payload(vb, i);
	u32 offset = vb->planes[i].data_offset;

	if (!bytes || bytes - offset > h->sizeimage[i])
		bytes = offset + h->sizeimage[i];
	return (struct v4l2dma_payload){ bytes, offset };
}

static void output_buf_queue(struct vb2_buffer *vb)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);
	struct v4l2dma_meta meta = {
		.timestamp = vb->timestamp ? : ktime_get_ns(),
		.field = vbuf->field,
		.flags = vbuf->flags & META_FLAGS,
		.timecode = vbuf->timecode,
	};
	struct v4l2dma_planes planes;
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++)
		meta.planes[i] = payload(h, vb, i);
	v4l2dma_planes_of(&planes, vb);
	v4l2dma_flow_publish(h->loop, vb->index, vb,
			     &planes, &meta);
}

/*
 * vb2 hands over what was queued before it calls this, and frames may be
 * completed by then: the preparations are in VIDIOC_STREAMON, and this must
 * not fail.
 */
static int output_start(struct vb2_queue *q, unsigned int count)
{
	return 0;
}

static void output_stop(struct vb2_queue *q)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(q);

	v4l2dma_flow_writer_stop(h->loop);
	v4l2dma_bindings_writer_stopped(h->loop);
	stop_buffers(q);
	v4l2dma_event_end(h->loop);
}

static const struct vb2_ops capture_ops = {
	.queue_setup = queue_setup,
	V4L2DMA_VB2_WAIT_OPS
	.buf_init = capture_buf_init,
	.buf_cleanup = capture_buf_cleanup,
	.buf_prepare = capture_buf_prepare,
	.buf_queue = capture_buf_queue,
	.start_streaming = capture_start,
	.stop_streaming = capture_stop,
};

static const struct vb2_ops output_ops = {
	.queue_setup = queue_setup,
	V4L2DMA_VB2_WAIT_OPS
	.buf_out_validate = output_buf_out_validate,
	.buf_prepare = output_buf_prepare,
	.buf_queue = output_buf_queue,
	.start_streaming = output_start,
	.stop_streaming = output_stop,
};

static int queue_init(struct v4l2dma_handle *h, struct vb2_queue *q, u32 type,
		      const struct vb2_ops *ops)
{
	q->type = type;
	/* read() and write() are our own, see reader.c and writer.c. */
	q->io_modes = VB2_MMAP | VB2_USERPTR;
	if (!h->loop->config.no_dmabuf)
		q->io_modes |= VB2_DMABUF;
	q->drv_priv = h;
	q->ops = ops;
	q->mem_ops = &v4l2dma_mem_ops;
	q->buf_struct_size = sizeof(struct v4l2dma_buffer);
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q->lock = &h->lock;
	q->dev = h->loop->v4l2_dev.dev;
	return vb2_queue_init(q);
}

/**
 * v4l2dma_queues_init() - prepare both queues of a handle
 * @h: the handle
 *
 * Return: 0 or a negative errno; nothing needs to be undone then.
 */
int v4l2dma_queues_init(struct v4l2dma_handle *h)
{
	bool several = h->loop->config.multiplanar;
	int ret;

	ret = queue_init(h, capture_queue(h),
			 several ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE :
				   V4L2_BUF_TYPE_VIDEO_CAPTURE, &capture_ops);
	if (ret)
		return ret;
	return queue_init(h, output_queue(h),
			  several ? V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE :
				    V4L2_BUF_TYPE_VIDEO_OUTPUT, &output_ops);
}
