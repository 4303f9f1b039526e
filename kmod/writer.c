// SPDX-License-Identifier: GPL-2.0-only
/*
 * write(): each call is one frame, copied once, straight into a slot.
 */
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "v4l2dma.h"

static void put_slots(struct v4l2dma_handle *h)
{
	while (h->n_slots)
		v4l2dma_plane_put(h->slots[--h->n_slots]);
}

static int get_slots(struct v4l2dma_handle *h, unsigned long size)
{
	struct v4l2dma_plane *plane;
	struct dma_buf *dbuf;
	unsigned int n;

	n = v4l2dma_pool_join(h, h->loop->config.min_buffers, size, true);
	while (h->n_slots < n) {
		dbuf = v4l2dma_pool_slot(h->loop, h->n_slots, PAGE_ALIGN(size));
		/* Another handle settled on another size just now. */
		if (!dbuf)
			dbuf = ERR_PTR(-EBUSY);
		if (IS_ERR(dbuf))
			return PTR_ERR(dbuf);
		plane = v4l2dma_plane_create(NULL, dbuf, size);
		if (IS_ERR(plane))
			return PTR_ERR(plane);
		h->slots[h->n_slots++] = plane;
	}
	return 0;
}

static int begin_write(struct v4l2dma_handle *h)
{
	struct v4l2dma_loop *loop = h->loop;
	unsigned long size;
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
	size = loop->format.sizeimage;
	mutex_unlock(&loop->lock);
	ret = get_slots(h, size);
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

static ssize_t write_frame(struct v4l2dma_handle *h, unsigned int slot,
			   const char __user *buf, size_t bytes)
{
	struct v4l2dma_plane *plane = h->slots[slot];
	struct v4l2dma_meta meta = {
		.bytesused = bytes,
		.field = V4L2_FIELD_NONE,
	};
	struct v4l2dma_cpu_map cpu;
	int ret;

	ret = v4l2dma_cpu_begin_slot(h->loop, plane, &cpu);
	if (ret)
		return ret;
	if (copy_from_user(cpu.map.vaddr, buf, bytes))
		ret = -EFAULT;
	v4l2dma_cpu_end(&cpu);
	if (ret)
		return ret;
	v4l2dma_flow_count_copy(h->loop, NULL, bytes);
	meta.timestamp = ktime_get_ns();
	v4l2dma_flow_publish(h->loop, slot, NULL, plane, &meta);
	return bytes;
}

/**
 * v4l2dma_writer_write() - write()
 * @h: the handle, its lock held; given up while it sleeps
 * @buf: one frame
 * @count: its bytes; what is beyond sizeimage is left for the next call
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
			return write_frame(h, slot, buf,
					   min_t(size_t, count,
						 h->slots[slot]->size));
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
