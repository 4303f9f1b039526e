// SPDX-License-Identifier: GPL-2.0-only
/*
 * v4l2_file_operations.
 */
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <media/v4l2-ioctl.h>

#include "compat.h"
#include "v4l2dma.h"

static int v4l2dma_open(struct file *file)
{
	struct v4l2dma_loop *loop = video_drvdata(file);

	return PTR_ERR_OR_ZERO(v4l2dma_handle_create(loop, file));
}

static int v4l2dma_release(struct file *file)
{
	v4l2dma_handle_destroy(to_handle(file), file);
	return 0;
}

static ssize_t v4l2dma_read(struct file *file, char __user *buf, size_t count,
			    loff_t *ppos)
{
	struct v4l2dma_handle *h = to_handle(file);
	ssize_t ret;

	if (mutex_lock_interruptible(&h->lock))
		return -ERESTARTSYS;
	ret = v4l2dma_reader_read(h, buf, count, file->f_flags & O_NONBLOCK);
	mutex_unlock(&h->lock);
	return ret;
}

static ssize_t v4l2dma_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	struct v4l2dma_handle *h = to_handle(file);
	ssize_t ret;

	if (mutex_lock_interruptible(&h->lock))
		return -ERESTARTSYS;
	ret = v4l2dma_writer_write(h, buf, count, file->f_flags & O_NONBLOCK);
	mutex_unlock(&h->lock);
	return ret;
}

static __poll_t poll_reader(struct v4l2dma_handle *h)
{
	struct vb2_queue *q = capture_queue(h);

	if (h->role == V4L2DMA_ROLE_READ)
		v4l2dma_placeholder_prepare(h->loop);
	if (h->role == V4L2DMA_ROLE_READER &&
	    (!q->streaming || q->error || v4l2dma_reader_outdated(h)))
		return EPOLLERR;
	if (h->rest.data || !list_empty(&q->done_list) ||
	    v4l2dma_flow_readable(h->loop, &h->reader))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static __poll_t poll_undecided(struct v4l2dma_handle *h, __poll_t wanted)
{
	/* Somebody who waits for input without buffers is going to read(). */
	if (wanted & (EPOLLIN | EPOLLRDNORM)) {
		if (v4l2dma_reader_begin_read(h))
			return EPOLLERR;
		return poll_reader(h);
	}
	if (!v4l2dma_handle_sees(h, V4L2_BUF_TYPE_VIDEO_OUTPUT))
		return EPOLLERR;
	return v4l2dma_writer_can_write(h) ? EPOLLOUT | EPOLLWRNORM : 0;
}

static __poll_t poll_frames(struct v4l2dma_handle *h, struct file *file,
			    __poll_t wanted, poll_table *wait)
{
	switch (h->role) {
	case V4L2DMA_ROLE_NONE:
		return poll_undecided(h, wanted);
	case V4L2DMA_ROLE_READER:
	case V4L2DMA_ROLE_READ:
		return poll_reader(h);
	case V4L2DMA_ROLE_WRITE:
		return v4l2dma_writer_can_write(h) ? EPOLLOUT | EPOLLWRNORM : 0;
	case V4L2DMA_ROLE_WRITER:
		return vb2_core_poll(output_queue(h), file, wait);
	}
	return EPOLLERR;
}

static __poll_t v4l2dma_poll(struct file *file, poll_table *wait)
{
	struct v4l2dma_handle *h = to_handle(file);
	__poll_t wanted = poll_requested_events(wait);
	__poll_t ret = 0;

	poll_wait(file, h->reader.wq, wait);
	poll_wait(file, &output_queue(h)->done_wq, wait);
	poll_wait(file, &h->loop->writer_wq, wait);
	poll_wait(file, &h->fh.wait, wait);

	if (v4l2_event_pending(&h->fh))
		ret |= EPOLLPRI;
	if (!(wanted & (EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM)))
		return ret;
	/* Another thread may hold it across a page fault or a fence. */
	if (mutex_lock_interruptible(&h->lock))
		return ret | EPOLLERR;
	ret |= poll_frames(h, file, wanted, NULL);
	mutex_unlock(&h->lock);
	return ret;
}

static long s_priority(struct v4l2dma_handle *h, u32 __user *arg)
{
	struct v4l2dma_loop *loop = h->loop;
	u32 wish;
	int ret;

	if (get_user(wish, arg))
		return -EFAULT;
	mutex_lock(&loop->lock);
	ret = v4l2_prio_check(&loop->prio, h->prio);
	if (!ret)
		ret = v4l2_prio_change(&loop->prio, &h->prio, wish);
	mutex_unlock(&loop->lock);
	return ret;
}

/*
 * The core would keep the writer from its queue while any reader has a higher
 * priority, and no reader may stop a writer. So the priorities are no more than
 * what the users of a loop tell each other: the core never hears of them.
 */
static long v4l2dma_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct v4l2dma_handle *h = to_handle(file);
	u32 __user *user = (u32 __user *)arg;

	switch (cmd) {
	case VIDIOC_G_PRIORITY:
		return put_user(v4l2_prio_max(&h->loop->prio), user);
	case VIDIOC_S_PRIORITY:
		return s_priority(h, user);
	default:
		return video_ioctl2(file, cmd, arg);
	}
}

static int v4l2dma_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct v4l2dma_handle *h = to_handle(file);

	switch (READ_ONCE(h->role)) {
	case V4L2DMA_ROLE_READER:
		return vb2_mmap(capture_queue(h), vma);
	case V4L2DMA_ROLE_WRITER:
		return vb2_mmap(output_queue(h), vma);
	default:
		return -EINVAL;
	}
}

const struct v4l2_file_operations v4l2dma_fops = {
	.owner = THIS_MODULE,
	.open = v4l2dma_open,
	.release = v4l2dma_release,
	.read = v4l2dma_read,
	.write = v4l2dma_write,
	.poll = v4l2dma_poll,
	.unlocked_ioctl = v4l2dma_ioctl,
	.mmap = v4l2dma_mmap,
};
