// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/v4l2dma: what an administrator asks of the loops. Root only.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/uaccess.h>

#include "v4l2dma.h"

/* The loop with that id, or with @next the first one from there on. */
static struct v4l2dma_loop *find_loop(u32 id, bool next)
{
	struct v4l2dma_loop *loop;

	lockdep_assert_held(&v4l2dma_driver.lock);
	list_for_each_entry(loop, &v4l2dma_driver.loops, entry)
		if (loop->id == id || (next && loop->id > id))
			return loop;
	return NULL;
}

static u32 writer_memory(struct v4l2dma_loop *loop)
{
	if (!loop->writer)
		return V4L2DMA_WRITER_NONE;
	if (loop->writer->role == V4L2DMA_ROLE_WRITE)
		return V4L2DMA_WRITER_RW;
	return output_queue(loop->writer)->memory;
}

/* What it is set to, and the numbers that its nodes got. */
static void fill_config(struct v4l2dma_loop *loop,
			struct v4l2dma_loop_config *config)
{
	lockdep_assert_held(&loop->lock);
	v4l2dma_config_to_user(config, &loop->config);
	config->video_nr = loop->vdev.num;
	config->capture_nr = loop->config.split_nodes ?
				     loop->capture_vdev.num : -1;
}

static void fill_info(struct v4l2dma_loop *loop, struct v4l2dma_loop_info *info)
{
	const struct video_device *capture = loop->config.split_nodes ?
						     &loop->capture_vdev :
						     &loop->vdev;

	info->id = loop->id;
	info->video_nr = loop->vdev.num;
	info->capture_nr = capture->num;

	mutex_lock(&loop->lock);
	fill_config(loop, &info->config);
	info->readers = loop->n_readers;
	info->readers_streaming = v4l2dma_flow_readers(loop);
	info->openers = loop->n_handles;
	info->writer_memory = writer_memory(loop);
	info->writer_streaming = READ_ONCE(loop->streaming);
	info->pixelformat = loop->format.pixelformat;
	info->width = loop->format.width;
	info->height = loop->format.height;
	info->bytesperline = loop->format.plane_fmt[0].bytesperline;
	info->sizeimage = v4l2dma_format_size(&loop->format);
	mutex_lock(&loop->pool.lock);
	info->slots = loop->pool.slots;
	mutex_unlock(&loop->pool.lock);
	mutex_unlock(&loop->lock);
}

static long query(void *arg)
{
	struct v4l2dma_loop_query *q = arg;
	struct v4l2dma_loop *loop;

	if (q->flags & ~V4L2DMA_QUERY_NEXT)
		return -EINVAL;
	loop = find_loop(q->id, q->flags & V4L2DMA_QUERY_NEXT);
	if (!loop)
		return -ENOENT;
	memset(&q->info, 0, sizeof(q->info));
	fill_info(loop, &q->info);
	return 0;
}

static long loop_stats(void *arg)
{
	struct v4l2dma_loop_stats *s = arg;
	struct v4l2dma_loop *loop;
	u32 id = s->id;

	if (s->reserved)
		return -EINVAL;
	loop = find_loop(id, false);
	if (!loop)
		return -ENOENT;
	spin_lock(&loop->flow_lock);
	*s = loop->stats;
	spin_unlock(&loop->flow_lock);
	s->id = id;
	return 0;
}

static struct v4l2dma_handle *nth_reader(struct v4l2dma_loop *loop, u32 index)
{
	struct v4l2dma_handle *h;

	list_for_each_entry(h, &loop->handles, entry) {
		if (h->role != V4L2DMA_ROLE_READER &&
		    h->role != V4L2DMA_ROLE_READ)
			continue;
		if (!index--)
			return h;
	}
	return NULL;
}

static void fill_reader(struct v4l2dma_handle *h,
			struct v4l2dma_reader_stats *s)
{
	u32 loop_id = s->loop_id, index = s->index;

	spin_lock(&h->loop->flow_lock);
	*s = h->reader.stats;
	s->waiting = h->reader.n_waiting;
	s->held = h->reader.n_held;
	spin_unlock(&h->loop->flow_lock);

	s->loop_id = loop_id;
	s->index = index;
	s->pid = pid_vnr(h->pid);
	s->memory = h->role == V4L2DMA_ROLE_READ ? V4L2DMA_WRITER_RW :
						   capture_queue(h)->memory;
	strscpy(s->comm, h->comm, sizeof(s->comm));
}

static long reader_stats(void *arg)
{
	struct v4l2dma_reader_stats *s = arg;
	struct v4l2dma_handle *h;
	struct v4l2dma_loop *loop;
	long ret = -ENOENT;

	loop = find_loop(s->loop_id, false);
	if (!loop)
		return -ENOENT;
	mutex_lock(&loop->lock);
	h = nth_reader(loop, s->index);
	if (h) {
		fill_reader(h, s);
		ret = 0;
	}
	mutex_unlock(&loop->lock);
	return ret;
}

static long add(void *arg)
{
	struct v4l2dma_loop_add *a = arg;
	struct v4l2dma_config config;
	struct v4l2dma_loop *loop;
	int ret;

	if (a->reserved)
		return -EINVAL;
	ret = v4l2dma_config_from_user(&config, &a->config);
	if (ret)
		return ret;
	if (!v4l2dma_config_valid(&config))
		return -EINVAL;
	loop = v4l2dma_driver_add(&config);
	if (IS_ERR(loop))
		return PTR_ERR(loop);
	a->id = loop->id;
	mutex_lock(&loop->lock);
	fill_config(loop, &a->config);
	mutex_unlock(&loop->lock);
	return 0;
}

/* The caller never learns its number: it is as if it had never been there. */
static void undo_add(void *arg)
{
	const struct v4l2dma_loop_add *a = arg;
	struct v4l2dma_loop *loop = find_loop(a->id, false);

	if (loop)
		v4l2dma_driver_remove(loop, true);
}

static long remove(void *arg)
{
	struct v4l2dma_loop_remove *r = arg;
	struct v4l2dma_loop *loop;

	if (r->flags & ~V4L2DMA_REMOVE_FORCE)
		return -EINVAL;
	loop = find_loop(r->id, false);
	if (!loop)
		return -ENOENT;
	return v4l2dma_driver_remove(loop, r->flags & V4L2DMA_REMOVE_FORCE);
}

static long set(void *arg)
{
	struct v4l2dma_loop_set *s = arg;
	struct v4l2dma_config config;
	struct v4l2dma_loop *loop;
	int ret;

	loop = find_loop(s->id, false);
	if (!loop)
		return -ENOENT;
	ret = v4l2dma_config_from_user(&config, &s->config);
	if (!ret)
		ret = v4l2dma_loop_set(loop, &config, s->which);
	if (ret)
		return ret;
	mutex_lock(&loop->lock);
	fill_config(loop, &s->config);
	mutex_unlock(&loop->lock);
	return 0;
}

/**
 * struct v4l2dma_control - one ioctl of the control node
 * @size: of its structure, as this module knows it
 * @min_size: of its structure, as the first version had it
 * @run: gets the structure, with the list of loops locked
 * @undo: likewise, where the caller cannot be told what came of it; may be NULL
 */
struct v4l2dma_control {
	size_t size;
	size_t min_size;
	long (*run)(void *arg);
	void (*undo)(void *arg);
};

static const struct v4l2dma_control controls[] = {
	[V4L2DMA_IOC_QUERY_NR] = {
		.size = sizeof(struct v4l2dma_loop_query),
		.min_size = 152,
		.run = query,
	},
	[V4L2DMA_IOC_STATS_NR] = {
		.size = sizeof(struct v4l2dma_loop_stats),
		.min_size = 64,
		.run = loop_stats,
	},
	[V4L2DMA_IOC_READER_STATS_NR] = {
		.size = sizeof(struct v4l2dma_reader_stats),
		.min_size = 80,
		.run = reader_stats,
	},
	[V4L2DMA_IOC_ADD_NR] = {
		.size = sizeof(struct v4l2dma_loop_add),
		.min_size = 96,
		.run = add,
		.undo = undo_add,
	},
	[V4L2DMA_IOC_REMOVE_NR] = {
		.size = sizeof(struct v4l2dma_loop_remove),
		.min_size = 8,
		.run = remove,
	},
	[V4L2DMA_IOC_SET_NR] = {
		.size = sizeof(struct v4l2dma_loop_set),
		.min_size = 96,
		.run = set,
	},
};

static_assert(sizeof(struct v4l2dma_loop_query) == 152);
static_assert(sizeof(struct v4l2dma_loop_stats) == 80);
static_assert(sizeof(struct v4l2dma_reader_stats) == 80);
static_assert(sizeof(struct v4l2dma_loop_add) == 96);
static_assert(sizeof(struct v4l2dma_loop_remove) == 8);
static_assert(sizeof(struct v4l2dma_loop_set) == 96);

/*
 * The caller's structure may be older (shorter) or newer (longer) than ours:
 * what it does not have is 0, what we do not know must be 0.
 */
static long control_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	void __user *user = (void __user *)arg;
	const struct v4l2dma_control *c;
	size_t size = _IOC_SIZE(cmd);
	union {
		struct v4l2dma_loop_query query;
		struct v4l2dma_loop_stats stats;
		struct v4l2dma_reader_stats reader_stats;
		struct v4l2dma_loop_add add;
		struct v4l2dma_loop_remove remove;
		struct v4l2dma_loop_set set;
	} k;
	long ret;

	if (_IOC_TYPE(cmd) != V4L2DMA_IOC_TYPE ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) ||
	    _IOC_NR(cmd) >= ARRAY_SIZE(controls))
		return -ENOTTY;
	c = &controls[_IOC_NR(cmd)];
	if (size < c->min_size)
		return -ENOTTY;

	memset(&k, 0, sizeof(k));
	ret = copy_struct_from_user(&k, c->size, user, size);
	if (ret)
		return ret;
	mutex_lock(&v4l2dma_driver.lock);
	ret = c->run(&k);
	mutex_unlock(&v4l2dma_driver.lock);
	if (ret)
		return ret;
	if (!copy_to_user(user, &k, min(size, c->size)))
		return 0;
	if (c->undo) {
		mutex_lock(&v4l2dma_driver.lock);
		c->undo(&k);
		mutex_unlock(&v4l2dma_driver.lock);
	}
	return -EFAULT;
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice control_node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = V4L2DMA_DRIVER_NAME,
	.fops = &control_fops,
	.mode = 0600,
};

static bool registered;

/**
 * v4l2dma_control_register() - make /dev/v4l2dma
 *
 * Return: 0 or a negative errno.
 */
int v4l2dma_control_register(void)
{
	int ret = misc_register(&control_node);

	registered = !ret;
	return ret;
}

/**
 * v4l2dma_control_unregister() - remove it, if it is there
 */
void v4l2dma_control_unregister(void)
{
	if (registered)
		misc_deregister(&control_node);
}
