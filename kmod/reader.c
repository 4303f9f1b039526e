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

	if (test_bit(slot, reader->shared)) {
		if (slot >= V4L2DMA_MAX_SLOTS)
			slot += h->own_first - V4L2DMA_MAX_SLOTS;
		return vb2_get_buffer(capture_queue(h), slot);
	}

	spin_lock(&h->loop->flow_lock);
	buf = list_first_entry(&reader->spare, struct v4l2dma_buffer, entry);
	list_del(&buf->entry);
	spin_unlock(&h->loop->flow_lock);
	return &buf->vb.vb2_buf;
}

/*
 * A writer's dma-buf may hold more than the frame, and the frame not at its
 * start. Where a reader's buffer has no room for what is before it, that is
 * left out; the frame alone always fits.
 */
static void fit(struct vb2_buffer *vb, struct v4l2dma_taken *taken)
{
	struct v4l2dma_payload *payload;
	unsigned int i;

	for (i = 0; i < vb->num_planes; i++) {
		payload = &taken->meta.planes[i];
		if (payload->bytesused <= vb2_plane_size(vb, i))
			continue;
		taken->skip[i] = payload->data_offset;
		payload->bytesused -= payload->data_offset;
		payload->data_offset = 0;
	}
}

/*
 * Let a plane of a slot's buffer show the frame; the best way that it allows.
 *
 * Return: 1 if it has to be copied, 0 if it does not, -EIO if it cannot be.
 */
static int show_plane(struct v4l2dma_plane *plane, unsigned int i,
		      const struct v4l2dma_taken *taken)
{
	struct v4l2dma_plane *src = taken->planes.at[i];

	if (plane->dbuf == src->dbuf && !taken->skip[i])
		return 0;
	if (plane->bound)
		return -EIO;	/* not ours to write into */
	if (!src->dbuf || plane->shown || taken->skip[i])
		return 1;
	v4l2dma_plane_lend(plane, taken);
	return 0;
}

/* Return: the bytes copied, or a negative errno. */
static ssize_t show_in_slot(const struct v4l2dma_planes *planes,
			    const struct v4l2dma_taken *taken)
{
	unsigned long copy = 0;
	ssize_t ret = 0;
	unsigned int i;

	for (i = 0; i < planes->n; i++)
		mutex_lock_nested(&planes->at[i]->lock, i);
	for (i = 0; i < planes->n && ret >= 0; i++) {
		ret = show_plane(planes->at[i], i, taken);
		if (ret > 0)
			copy |= BIT(i);
	}
	if (ret >= 0)
		ret = v4l2dma_copy_shared(planes, taken, copy);
	for (i = planes->n; i--;)
		mutex_unlock(&planes->at[i]->lock);
	return ret;
}

/* Let the buffer show the frame. */
static int show(struct v4l2dma_handle *h, const struct v4l2dma_planes *planes,
		const struct v4l2dma_taken *taken)
{
	ssize_t copied;

	if (planes->at[0]->shared)
		copied = show_in_slot(planes, taken);
	else
		copied = v4l2dma_copy(planes, taken);
	if (copied < 0)
		return copied;
	v4l2dma_flow_count_copy(h->loop, &h->reader, taken->slot, copied);
	return 0;
}

/* @lost: it could not be shown. */
static void fill_in(struct vb2_buffer *vb, const struct v4l2dma_taken *taken,
		    bool lost)
{
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);
	const struct v4l2dma_payload *payload = taken->meta.planes;
	unsigned int i;

	vb->timestamp = taken->meta.timestamp;
	for (i = 0; i < vb->num_planes; i++) {
		vb2_set_plane_payload(vb, i, lost ? 0 : payload[i].bytesused);
		vb->planes[i].data_offset = lost ? 0 : payload[i].data_offset;
	}
	vbuf->sequence = taken->sequence;
	vbuf->field = taken->meta.field;
	vbuf->flags = taken->meta.flags;
	vbuf->timecode = taken->meta.timecode;
}

/* The buffer that was picked stays with us, for the next frame. */
static void keep_buffer(struct v4l2dma_handle *h, struct vb2_buffer *vb,
			const struct v4l2dma_planes *planes)
{
	if (planes->at[0]->shared) {
		v4l2dma_planes_unlend(planes);
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
	struct v4l2dma_planes planes;
	struct v4l2dma_taken taken;
	struct vb2_buffer *vb;
	bool ours;
	int ret;

	if (!v4l2dma_flow_take(h->loop, &h->reader, &taken))
		return 0;
	vb = buffer_for(h, taken.slot);
	v4l2dma_planes_of(&planes, vb);
	fit(vb, &taken);

	ret = show(h, &planes, &taken);
	if (interrupted(ret)) {
		v4l2dma_flow_abandon(h->loop, &h->reader, &taken);
		keep_buffer(h, vb, &planes);
		goto out;
	}
	ours = v4l2dma_flow_finish(h->loop, &h->reader, &taken,
				   planes.at[0]->shared);
	if (!ours) {
		keep_buffer(h, vb, &planes);
		ret = 1;
		goto out;
	}
	fill_in(vb, &taken, ret);
	vb2_buffer_done(vb, ret ? VB2_BUF_STATE_ERROR : VB2_BUF_STATE_DONE);
	ret = 1;
out:
	v4l2dma_planes_put(&taken.planes);
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

	/* Said before a frame is taken, as vb2 would say it afterwards. */
	if (b->type != q->type ||
	    (q->is_multiplanar && vb2_is_busy(q) && b->length < h->n_planes))
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

/* read() gives the pixels of all planes, one after the other. */
static size_t plane_bytes(const struct v4l2dma_taken *taken, unsigned int i)
{
	const struct v4l2dma_payload *payload = &taken->meta.planes[i];

	return payload->bytesused - payload->data_offset;
}

static size_t frame_bytes(const struct v4l2dma_taken *taken)
{
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < taken->planes.n; i++)
		bytes += plane_bytes(taken, i);
	return bytes;
}

/* The frame does not fit into the user's buffer: keep a copy of our own. */
static int set_rest_aside(struct v4l2dma_rest *rest,
			  const struct v4l2dma_taken *taken,
			  const struct v4l2dma_cpu_map *cpu)
{
	unsigned int i;

	rest->size = frame_bytes(taken);
	rest->data = kvmalloc(rest->size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!rest->data)
		return -ENOMEM;
	for (i = 0, rest->pos = 0; i < taken->planes.n; i++) {
		iosys_map_memcpy_from(rest->data + rest->pos, &cpu[i].map,
				      taken->meta.planes[i].data_offset,
				      plane_bytes(taken, i));
		rest->pos += plane_bytes(taken, i);
	}
	rest->pos = 0;
	return 0;
}

static int copy_out(char __user *buf, const struct v4l2dma_taken *taken,
		    const struct v4l2dma_cpu_map *cpu)
{
	unsigned int i;

	for (i = 0; i < taken->planes.n; i++) {
		if (copy_to_user(buf, cpu[i].map.vaddr +
				      taken->meta.planes[i].data_offset,
				 plane_bytes(taken, i)))
			return -EFAULT;
		buf += plane_bytes(taken, i);
	}
	return 0;
}

/* Copy what was taken to the user, or aside if it does not fit there. */
static int read_frame(struct v4l2dma_handle *h,
		      const struct v4l2dma_taken *taken, char __user *buf,
		      size_t count)
{
	struct v4l2dma_cpu_map cpu[V4L2DMA_MAX_PLANES];
	bool aside = count < frame_bytes(taken);
	unsigned int i;
	int ret = 0;

	for (i = 0; i < taken->planes.n; i++) {
		if (taken->meta.planes[i].bytesused >
		    v4l2dma_plane_room(taken->planes.at[i]))
			ret = -EIO;
		else
			ret = v4l2dma_cpu_begin(taken->planes.at[i],
						DMA_FROM_DEVICE, &cpu[i]);
		if (ret)
			break;
		aside |= cpu[i].map.is_iomem;
	}
	if (!ret)
		ret = aside ? set_rest_aside(&h->rest, taken, cpu) :
			      copy_out(buf, taken, cpu);
	while (i--)
		v4l2dma_cpu_end(&cpu[i]);
	if (!ret)
		v4l2dma_flow_count_copy(h->loop, &h->reader, taken->slot,
					frame_bytes(taken));
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
		v4l2dma_planes_put(&taken.planes);
		return ret;
	}
	ours = v4l2dma_flow_finish(h->loop, &h->reader, &taken, false);
	v4l2dma_planes_put(&taken.planes);
	if (!ours) {
		kvfree(h->rest.data);
		h->rest.data = NULL;
		return 0;
	}
	return h->rest.data ? read_rest(h, buf, count) : frame_bytes(&taken);
}

static int wait_to_read(struct v4l2dma_handle *h)
{
	int ret;

	mutex_unlock(&h->lock);
	ret = wait_event_interruptible(*h->reader.wq,
				       v4l2dma_flow_readable(h->loop,
							     &h->reader) ||
				       v4l2dma_placeholder_missing(h->loop) ||
				       READ_ONCE(h->loop->removed));
	mutex_lock(&h->lock);
	if (READ_ONCE(h->loop->removed))
		return -ENODEV;
	v4l2dma_placeholder_prepare(h->loop);
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
	v4l2dma_placeholder_prepare(h->loop);
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
