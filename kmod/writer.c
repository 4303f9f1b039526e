// SPDX-License-Identifier: GPL-2.0-only
/*
 * write(): each call is one frame, copied once, straight into a slot. Memory
 * planes come one after the other, as read() gives them.
 */
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "v4l2dma.h"

static void put_slots(struct v4l2dma_handle *h)
{
	while (h->n_slots)
		v4l2dma_planes_put(&h->slots[--h->n_slots]);
}

static struct v4l2dma_plane *get_plane(struct v4l2dma_loop *loop,
				       unsigned int slot, unsigned int i,
				       unsigned long size)
{
	struct dma_buf *dbuf;

	dbuf = v4l2dma_pool_slot(loop, slot, i, PAGE_ALIGN(size));
	/* Another handle settled on another size just now. */
	if (!dbuf)
		return ERR_PTR(-EBUSY);
	if (IS_ERR(dbuf))
		return ERR_CAST(dbuf);
	return v4l2dma_plane_create(NULL, dbuf, size);
}

/* What was got of a slot counts as one, so that it is put. */
static int get_slot(struct v4l2dma_handle *h,
		    const struct v4l2_pix_format_mplane *format)
{
	unsigned int slot = h->n_slots++;
	struct v4l2dma_planes *planes = &h->slots[slot];
	struct v4l2dma_plane *plane;

	for (planes->n = 0; planes->n < format->num_planes; planes->n++) {
		plane = get_plane(h->loop, slot, planes->n,
				  format->plane_fmt[planes->n].sizeimage);
		if (IS_ERR(plane))
			return PTR_ERR(plane);
		planes->at[planes->n] = plane;
	}
	return 0;
}

static int get_slots(struct v4l2dma_handle *h,
		     const struct v4l2_pix_format_mplane *format)
{
	unsigned int n;
	int ret = 0;

	n = v4l2dma_pool_join(h, h->loop->config.min_buffers, format, true);
	while (h->n_slots < n && !ret)
		ret = get_slot(h, format);
	return ret;
}

static int begin_write(struct v4l2dma_handle *h)
{
	struct v4l2dma_loop *loop = h->loop;
	struct v4l2_pix_format_mplane format;
	int ret;

	if (h->role == V4L2DMA_ROLE_WRITE)
		return 0;
	if (!v4l2dma_handle_sees(h, V4L2_BUF_TYPE_VIDEO_OUTPUT))
		return -EINVAL;
	ret = v4l2dma_handle_take_role(h, V4L2DMA_ROLE_WRITE);
	if (ret)
		return ret;

	/* The role keeps the format as it is. */
	mutex_lock(&loop->lock);
	format = loop->format;
	mutex_unlock(&loop->lock);
	ret = get_slots(h, &format);
	if (ret) {
		put_slots(h);
		v4l2dma_handle_drop_role(h);
		return ret;
	}
	v4l2dma_flow_writer_start(loop, h->n_slots);
	v4l2dma_loop_update_caps(loop);
	return 0;
}

/**
 * v4l2dma_writer_end_write() - the handle writes no more
 * @h: the handle, its lock held, with role WRITE
 */
void v4l2dma_writer_end_write(struct v4l2dma_handle *h)
{
	v4l2dma_flow_writer_stop(h->loop);
	v4l2dma_event_end(h->loop);
	put_slots(h);
	v4l2dma_handle_drop_role(h);
}

static int wait_for_slot(struct v4l2dma_handle *h)
{
	struct v4l2dma_loop *loop = h->loop;
	int ret;

	mutex_unlock(&h->lock);
	ret = wait_event_interruptible(loop->writer_wq,
				       v4l2dma_flow_free_slot(loop,
							      h->n_slots) >= 0 ||
				       READ_ONCE(loop->removed));
	mutex_lock(&h->lock);
	if (READ_ONCE(loop->removed))
		return -ENODEV;
	return ret;
}

static int write_plane(struct v4l2dma_loop *loop, struct v4l2dma_plane *plane,
		       const char __user *buf, size_t bytes)
{
	struct v4l2dma_cpu_map cpu;
	int ret;

	ret = v4l2dma_cpu_begin_slot(loop, plane, &cpu);
	if (ret)
		return ret;
	if (copy_from_user(cpu.map.vaddr, buf, bytes))
		ret = -EFAULT;
	v4l2dma_cpu_end(&cpu);
	return ret;
}

static ssize_t write_frame(struct v4l2dma_handle *h, unsigned int slot,
			   const char __user *buf, size_t count)
{
	const struct v4l2dma_planes *planes = &h->slots[slot];
	struct v4l2dma_meta meta = {
		.field = V4L2_FIELD_NONE,
	};
	size_t done = 0, bytes;
	unsigned int i;
	int ret;

	for (i = 0; i < planes->n && done < count; i++) {
		bytes = min_t(size_t, count - done, planes->at[i]->size);
		ret = write_plane(h->loop, planes->at[i], buf + done, bytes);
		if (ret)
			return ret;
		meta.planes[i].bytesused = bytes;
		done += bytes;
	}
	v4l2dma_flow_count_copy(h->loop, NULL, slot, done);
	meta.timestamp = ktime_get_ns();
	v4l2dma_flow_publish(h->loop, slot, NULL, planes, &meta);
	return done;
}

/**
 * v4l2dma_writer_write() - write()
 * @h: the handle, its lock held; given up while it sleeps
 * @buf: one frame
 * @count: its bytes; what is beyond the frame is left for the next call
 * @nonblock: do not sleep
 *
 * Return: bytes written, or a negative errno.
 */
ssize_t v4l2dma_writer_write(struct v4l2dma_handle *h, const char __user *buf,
			     size_t count, bool nonblock)
{
	int slot;
	int ret;

	ret = begin_write(h);
	if (ret)
		return ret;
	if (!count)
		return 0;
	while (h->role == V4L2DMA_ROLE_WRITE) {
		slot = v4l2dma_flow_free_slot(h->loop, h->n_slots);
		if (slot >= 0)
			return write_frame(h, slot, buf, count);
		if (nonblock)
			return -EAGAIN;
		ret = wait_for_slot(h);
		if (ret)
			return ret;
	}
	return -EBUSY;
}

/**
 * v4l2dma_writer_can_write() - for poll()
 * @h: the handle, its lock held
 *
 * Return: whether write() would not sleep.
 */
bool v4l2dma_writer_can_write(struct v4l2dma_handle *h)
{
	if (h->role == V4L2DMA_ROLE_NONE)
		return !READ_ONCE(h->loop->writer);
	return v4l2dma_flow_free_slot(h->loop, h->n_slots) >= 0;
}
