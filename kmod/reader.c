// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading side of a handle: DQBUF and read().
 *
 * vb2's done list stays empty: a frame becomes the reader's only inside its
 * DQBUF, which takes it from the flow, puts the buffer on the done list and
 * has vb2 dequeue it at once.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "v4l2dma.h"

/**
 * v4l2dma_reader_init() - prepare the reading side of a new handle
 * @h: the handle, with its queues initialised
 */
void v4l2dma_reader_init(struct v4l2dma_handle *h)
{
	struct v4l2dma_reader *reader = &h->reader;

	INIT_LIST_HEAD(&reader->entry);
	INIT_LIST_HEAD(&reader->waiting);
	INIT_LIST_HEAD(&reader->spare);
	reader->wq = &capture_queue(h)->done_wq;
}

/* The slot's buffer, or the first with memory of its own. */
static struct vb2_buffer *buffer_for(struct v4l2dma_handle *h,
				     unsigned int slot)
{
	struct v4l2dma_reader *reader = &h->reader;
	struct v4l2dma_buffer *buf;

	if (test_bit(slot, reader->shared))
		return vb2_get_buffer(capture_queue(h), slot);

	spin_lock(&h->loop->flow_lock);
	buf = list_first_entry(&reader->spare, struct v4l2dma_buffer, entry);
	list_del(&buf->entry);
	spin_unlock(&h->loop->flow_lock);
	return &buf->vb.vb2_buf;
}

/* Let the buffer show the frame; the best way that it allows. */
static int show(struct v4l2dma_handle *h, struct v4l2dma_plane *plane,
		const struct v4l2dma_taken *taken)
{
	struct v4l2dma_plane *src = taken->plane;
	ssize_t copied = 0;

	if (!plane->shared) {
		copied = v4l2dma_copy(plane, src, taken->meta.bytesused);
		if (!copied)
			v4l2dma_flow_count_copy(h->loop, &h->reader,
						taken->meta.bytesused);
		return copied;
	}

	mutex_lock(&plane->lock);
	if (plane->dbuf != src->dbuf) {
		if (plane->bound)
			copied = -EIO;	/* not ours to write into */
		else if (src->dbuf && !plane->shown)
			v4l2dma_plane_lend(plane, taken);
		else
			copied = v4l2dma_copy_shared(plane, src, taken->pixels,
						     taken->meta.bytesused);
	}
	mutex_unlock(&plane->lock);
	if (copied < 0)
		return copied;
	v4l2dma_flow_count_copy(h->loop, &h->reader, copied);
	return 0;
}

static void fill_in(struct vb2_buffer *vb, const struct v4l2dma_taken *taken)
{
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);

	vb->timestamp = taken->meta.timestamp;
	vb2_set_plane_payload(vb, 0, taken->meta.bytesused);
	vbuf->sequence = taken->sequence;
	vbuf->field = taken->meta.field;
	vbuf->flags = taken->meta.flags;
	vbuf->timecode = taken->meta.timecode;
}

/* The buffer that was picked stays with us, for the next frame. */
static void keep_buffer(struct v4l2dma_handle *h, struct vb2_buffer *vb,
			struct v4l2dma_plane *plane)
{
	if (plane->shared) {
		v4l2dma_plane_unlend(plane);
		return;
	}
	spin_lock(&h->loop->flow_lock);
	list_add(&to_v4l2dma_buffer(vb)->entry, &h->reader.spare);
	spin_unlock(&h->loop->flow_lock);
}

/* Which of the two it is depends on the exporter. */
static bool interrupted(int ret)
{
	return ret == -ERESTARTSYS || ret == -EINTR;
}

/*
 * Move one frame to vb2's done list.
 *
 * Return: 1 if there is one now, 0 if none waits, a negative errno if a signal
 * ended it.
 */
static int deliver(struct v4l2dma_handle *h)
{
	struct v4l2dma_taken taken;
	struct v4l2dma_plane *plane;
	struct vb2_buffer *vb;
	bool shared, ours;
	int ret;

	if (!v4l2dma_flow_take(h->loop, &h->reader, &taken))
		return 0;
	vb = buffer_for(h, taken.slot);
	plane = vb->planes[0].mem_priv;
	shared = plane->shared;

	ret = show(h, plane, &taken);
	if (interrupted(ret)) {
		v4l2dma_flow_abandon(h->loop, &h->reader, &taken);
		keep_buffer(h, vb, plane);
		goto out;
	}
	ours = v4l2dma_flow_finish(h->loop, &h->reader, &taken, shared);
	if (!ours) {
		keep_buffer(h, vb, plane);
		ret = 1;
		goto out;
	}
	fill_in(vb, &taken);
	if (ret)
		vb2_set_plane_payload(vb, 0, 0);
	vb2_buffer_done(vb, ret ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
	ret = 1;
out:
	v4l2dma_plane_put(taken.plane);
	return ret;
}

/**
 * v4l2dma_reader_outdated() - did the format change since the buffers were made
 * @h: a handle with role READER
 *
 * Such a queue gets no frames any more: DQBUF and QBUF fail with -EIO until the
 * reader has made new buffers.
 *
 * Return: whether it did.
 */
bool v4l2dma_reader_outdated(struct v4l2dma_handle *h)
{
	return READ_ONCE(h->reader.format_gen) !=
	       READ_ONCE(h->loop->format_gen);
}

/* Sleep until a frame waits or the queue ends; h->lock is given up for it. */
static int wait_for_frame(struct v4l2dma_handle *h)
{
	struct vb2_queue *q = capture_queue(h);
	int ret;

	q->waiting_in_dqbuf = 1;
	mutex_unlock(&h->lock);
	ret = wait_event_interruptible(q->done_wq,
				       v4l2dma_flow_readable(h->loop,
							     &h->reader) ||
				       !list_empty(&q->done_list) ||
				       !q->streaming || q->error ||
				       v4l2dma_reader_outdated(h));
	mutex_lock(&h->lock);
	q->waiting_in_dqbuf = 0;
	return ret;
}

/**
 * v4l2dma_reader_dqbuf() - VIDIOC_DQBUF of a reader
 * @h: the handle, its lock held; given up while it sleeps
 * @b: as from user space
 * @nonblock: do not sleep
 *
 * Return: 0 or a negative errno, as the V4L2 specification has them.
 */
int v4l2dma_reader_dqbuf(struct v4l2dma_handle *h, struct v4l2_buffer *b,
			 bool nonblock)
{
	struct vb2_queue *q = capture_queue(h);
	int ret;

	if (b->type != q->type)
		return -EINVAL;
	for (;;) {
		if (READ_ONCE(h->loop->removed))
			return -ENODEV;
		/* vb2 knows what to answer then, and never has to wait. */
		if (!q->streaming || q->error || q->waiting_in_dqbuf ||
		    !list_empty(&q->done_list))
			return vb2_dqbuf(q, b, true);
		if (v4l2dma_reader_outdated(h))
			return -EIO;
		ret = deliver(h);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		if (nonblock)
			return -EAGAIN;
		ret = wait_for_frame(h);
		if (ret)
			return ret;
	}
}

/**
 * v4l2dma_reader_begin_read() - the handle uses read()
 * @h: the handle, its lock held; nothing happens if it does so already
 *
 * Return: 0, or -EBUSY if it has another role or there are too many readers.
 */
int v4l2dma_reader_begin_read(struct v4l2dma_handle *h)
{
	int ret;

	if (h->role == V4L2DMA_ROLE_READ)
		return 0;
	if (!v4l2dma_handle_sees(h, V4L2_BUF_TYPE_VIDEO_CAPTURE))
		return -EINVAL;
	ret = v4l2dma_handle_take_role(h, V4L2DMA_ROLE_READ);
	if (ret)
		return ret;
	WRITE_ONCE(h->reader.polled, true);
	h->reader.by_read = true;
	v4l2dma_flow_reader_start(h->loop, &h->reader, true);
	return 0;
}

/**
 * v4l2dma_reader_end_read() - end that
 * @h: the handle, its lock held, with role READ
 */
void v4l2dma_reader_end_read(struct v4l2dma_handle *h)
{
	v4l2dma_flow_reader_stop(h->loop, &h->reader);
	h->reader.by_read = false;
	WRITE_ONCE(h->reader.polled, false);
	kvfree(h->rest.data);
	h->rest.data = NULL;
	v4l2dma_handle_drop_role(h);
}

static ssize_t read_rest(struct v4l2dma_handle *h, char __user *buf,
			 size_t count)
{
	struct v4l2dma_rest *rest = &h->rest;
	size_t n = min(count, rest->size - rest->pos);

	if (copy_to_user(buf, rest->data + rest->pos, n))
		return -EFAULT;
	rest->pos += n;
	if (rest->pos == rest->size) {
		kvfree(rest->data);
		rest->data = NULL;
	}
	return n;
}

/* The frame does not fit into the user's buffer: keep a copy of our own. */
static int set_rest_aside(struct v4l2dma_rest *rest, struct iosys_map *map,
			  size_t bytes)
{
	rest->data = kvmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rest->data)
		return -ENOMEM;
	iosys_map_memcpy_from(rest->data, map, 0, bytes);
	rest->size = bytes;
	rest->pos = 0;
	return 0;
}

/* Copy what was taken to the user, or aside if it does not fit there. */
static int read_frame(struct v4l2dma_handle *h,
		      const struct v4l2dma_taken *taken, char __user *buf,
		      size_t count)
{
	size_t bytes = taken->meta.bytesused;
	struct v4l2dma_cpu_map cpu;
	int ret;

	if (bytes > taken->plane->size)
		return -EIO;
	ret = v4l2dma_cpu_begin(taken->plane, DMA_FROM_DEVICE, &cpu);
	if (ret)
		return ret;
	if (count < bytes || cpu.map.is_iomem)
		ret = set_rest_aside(&h->rest, &cpu.map, bytes);
	else if (copy_to_user(buf, cpu.map.vaddr, bytes))
		ret = -EFAULT;
	v4l2dma_cpu_end(&cpu);
	if (!ret)
		v4l2dma_flow_count_copy(h->loop, &h->reader, bytes);
	return ret;
}

/*
 * Return: bytes read, 0 if no frame waits or the one taken was lost, a negative
 * errno.
 */
static ssize_t read_next(struct v4l2dma_handle *h, char __user *buf,
			 size_t count)
{
	struct v4l2dma_taken taken;
	ssize_t ret;
	bool ours;

	if (!v4l2dma_flow_take(h->loop, &h->reader, &taken))
		return -EAGAIN;
	ret = read_frame(h, &taken, buf, count);
	if (ret) {
		v4l2dma_flow_abandon(h->loop, &h->reader, &taken);
		v4l2dma_plane_put(taken.plane);
		return ret;
	}
	ours = v4l2dma_flow_finish(h->loop, &h->reader, &taken, false);
	v4l2dma_plane_put(taken.plane);
	if (!ours) {
		kvfree(h->rest.data);
		h->rest.data = NULL;
		return 0;
	}
	return h->rest.data ? read_rest(h, buf, count) : taken.meta.bytesused;
}

static int wait_to_read(struct v4l2dma_handle *h)
{
	int ret;

	mutex_unlock(&h->lock);
	ret = wait_event_interruptible(*h->reader.wq,
				       v4l2dma_flow_readable(h->loop,
							     &h->reader) ||
				       READ_ONCE(h->loop->removed));
	mutex_lock(&h->lock);
	if (READ_ONCE(h->loop->removed))
		return -ENODEV;
	return ret;
}

/**
 * v4l2dma_reader_read() - read()
 * @h: the handle, its lock held; given up while it sleeps
 * @buf: where to
 * @count: bytes there; a frame that is longer is continued by the next call
 * @nonblock: do not sleep
 *
 * Return: bytes read, or a negative errno.
 */
ssize_t v4l2dma_reader_read(struct v4l2dma_handle *h, char __user *buf,
			    size_t count, bool nonblock)
{
	ssize_t ret;

	ret = v4l2dma_reader_begin_read(h);
	if (ret)
		return ret;
	WRITE_ONCE(h->reader.polled, false);
	if (!count)
		return 0;
	while (h->role == V4L2DMA_ROLE_READ) {
		if (h->rest.data)
			return read_rest(h, buf, count);
		ret = read_next(h, buf, count);
		if (!ret)
			continue;
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = wait_to_read(h);
		if (ret)
			return ret;
	}
	return -EBUSY;
}
