// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open file: its queues, and what it is to the loop.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/slab.h>

#include "compat.h"
#include "v4l2dma.h"

static bool is_writer(enum v4l2dma_role role)
{
	return role == V4L2DMA_ROLE_WRITER || role == V4L2DMA_ROLE_WRITE;
}

/* May the caller open the loop; if so it counts from now on. */
static int enter(struct v4l2dma_loop *loop)
{
	const struct v4l2dma_config *c = &loop->config;
	int ret = 0;

	mutex_lock(&loop->lock);
	if (loop->removed)
		ret = -ENODEV;
	else if (c->has_gid && !in_egroup_p(c->allowed_gid) &&
		 !capable(CAP_SYS_ADMIN))
		ret = -EACCES;
	else if (loop->n_handles >= c->max_openers)
		ret = -EBUSY;
	else
		loop->n_handles++;
	mutex_unlock(&loop->lock);
	return ret;
}

/**
 * v4l2dma_handle_create() - open
 * @loop: what is opened
 * @file: by which file
 *
 * Return: the handle, or an ERR_PTR: -EACCES not in the group that may, -EBUSY
 * too many have it open.
 */
struct v4l2dma_handle *v4l2dma_handle_create(struct v4l2dma_loop *loop,
					     struct file *file)
{
	struct v4l2dma_handle *h;
	int ret;

	h = kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h)
		return ERR_PTR(-ENOMEM);
	h->loop = loop;
	mutex_init(&h->lock);
	h->own_first = V4L2DMA_MAX_SLOTS;
	ret = v4l2dma_queues_init(h);
	if (!ret)
		ret = enter(loop);
	if (ret) {
		mutex_destroy(&h->lock);
		kfree(h);
		return ERR_PTR(ret);
	}
	v4l2dma_reader_init(h);
	h->pid = get_pid(task_tgid(current));
	get_task_comm(h->comm, current);

	v4l2_fh_init(&h->fh, video_devdata(file));
	h->m2m.q_lock = &h->lock;
	h->fh.m2m_ctx = &h->m2m;
	v4l2dma_fh_add(&h->fh, file);

	mutex_lock(&loop->lock);
	v4l2_prio_open(&loop->prio, &h->prio);
	list_add_tail(&h->entry, &loop->handles);
	mutex_unlock(&loop->lock);
	return h;
}

/**
 * v4l2dma_handle_destroy() - close; everything that the handle has is released
 * @h: the handle
 * @file: its file
 */
void v4l2dma_handle_destroy(struct v4l2dma_handle *h, struct file *file)
{
	struct v4l2dma_loop *loop = h->loop;

	mutex_lock(&h->lock);
	if (h->role == V4L2DMA_ROLE_READ)
		v4l2dma_reader_end_read(h);
	if (h->role == V4L2DMA_ROLE_WRITE)
		v4l2dma_writer_end_write(h);
	vb2_queue_release(capture_queue(h));
	vb2_queue_release(output_queue(h));
	if (h->role != V4L2DMA_ROLE_NONE)
		v4l2dma_handle_drop_role(h);
	mutex_unlock(&h->lock);

	mutex_lock(&loop->lock);
	list_del(&h->entry);
	v4l2_prio_close(&loop->prio, h->prio);
	loop->n_handles--;
	/* Nobody declares anything for the next writer. */
	if (!loop->writer)
		v4l2_ctrl_s_ctrl(loop->fixed_bindings, 0);
	mutex_unlock(&loop->lock);

	v4l2dma_fh_del(&h->fh, file);
	v4l2_fh_exit(&h->fh);
	put_pid(h->pid);
	mutex_destroy(&h->lock);
	kfree(h);
}

/**
 * v4l2dma_handle_sees() - is that side of the loop there for this handle
 * @h: the handle
 * @type: V4L2_BUF_TYPE_VIDEO_*, of which only the side is of interest
 *
 * With exclusive_caps a loop shows one side at a time; a handle that has a role
 * goes on to see its own side.
 *
 * Return: whether it is.
 */
bool v4l2dma_handle_sees(struct v4l2dma_handle *h, u32 type)
{
	u32 caps = READ_ONCE(h->fh.vdev->device_caps);
	bool output = V4L2_TYPE_IS_OUTPUT(type);

	if (h->role != V4L2DMA_ROLE_NONE && is_writer(h->role) == output)
		return true;
	return caps & (output ? V4L2DMA_CAP_OUTPUT : V4L2DMA_CAP_CAPTURE);
}

static bool side_is_full(struct v4l2dma_loop *loop, bool output)
{
	lockdep_assert_held(&loop->lock);
	if (output)
		return loop->writer;
	return loop->n_readers >= loop->config.max_readers;
}

/**
 * v4l2dma_handle_shut_out() - is that side of the loop taken by others
 * @h: the handle, its lock held
 * @type: V4L2_BUF_TYPE_VIDEO_*, of which only the side is of interest
 *
 * Return: whether the handle has no role and could not get one there.
 */
bool v4l2dma_handle_shut_out(struct v4l2dma_handle *h, u32 type)
{
	bool full;

	if (h->role != V4L2DMA_ROLE_NONE)
		return false;
	mutex_lock(&h->loop->lock);
	full = side_is_full(h->loop, V4L2_TYPE_IS_OUTPUT(type));
	mutex_unlock(&h->loop->lock);
	return full;
}

static void add_readers(struct v4l2dma_loop *loop, int n)
{
	loop->n_readers += n;
	v4l2dma_event_readers(loop);
}

/**
 * v4l2dma_handle_take_role() - become the writer or a reader
 * @h: the handle, its lock held
 * @role: what it wants to be; it may be that already
 *
 * Return: 0, or -EBUSY if it is something else, if there is a writer, or if
 * there are max_readers readers.
 */
int v4l2dma_handle_take_role(struct v4l2dma_handle *h, enum v4l2dma_role role)
{
	struct v4l2dma_loop *loop = h->loop;
	int ret = -EBUSY;

	if (h->role == role)
		return 0;
	if (h->role != V4L2DMA_ROLE_NONE)
		return -EBUSY;

	mutex_lock(&loop->lock);
	if (side_is_full(loop, is_writer(role)))
		goto unlock;
	if (is_writer(role))
		loop->writer = h;
	else
		add_readers(loop, 1);
	if (role == V4L2DMA_ROLE_READ)
		h->reader.format_gen = loop->format_gen;
	h->role = role;
	ret = 0;
unlock:
	mutex_unlock(&loop->lock);
	return ret;
}

/**
 * v4l2dma_handle_drop_role() - be nothing any more
 * @h: the handle, its lock held; its buffers are freed
 */
void v4l2dma_handle_drop_role(struct v4l2dma_handle *h)
{
	struct v4l2dma_loop *loop = h->loop;
	bool writer = is_writer(h->role);

	v4l2dma_pool_leave(h);

	mutex_lock(&loop->lock);
	/* What a writer declared of its buffers goes with them. */
	if (writer) {
		v4l2_ctrl_s_ctrl(loop->fixed_bindings, 0);
		loop->writer = NULL;
	} else {
		spin_lock(&loop->flow_lock);
		h->reader.bound = false;
		spin_unlock(&loop->flow_lock);
		add_readers(loop, -1);
		/* Memory of ours keeps the module from being unloaded. */
		if (!loop->n_readers)
			v4l2dma_placeholder_forget(loop);
	}
	h->role = V4L2DMA_ROLE_NONE;
	mutex_unlock(&loop->lock);
	if (!writer)
		return;
	v4l2dma_loop_update_caps(loop);
	/* Somebody else may write now. */
	wake_up(&loop->writer_wq);
}
