// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loop: its node, its format, its life.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>

#include "compat.h"
#include "v4l2dma.h"

static void loop_free(struct v4l2_device *v4l2_dev)
{
	struct v4l2dma_loop *loop = container_of(v4l2_dev, struct v4l2dma_loop,
						 v4l2_dev);

	/* Handles that outlived the removal may have armed it again. */
	cancel_delayed_work_sync(&loop->reclaim_work);
	v4l2dma_pace_stop(loop);
	v4l2dma_placeholder_stop(loop);
	v4l2dma_placeholder_free(loop);
	v4l2_device_unregister(v4l2_dev);
	v4l2_ctrl_handler_free(&loop->controls);
	mutex_destroy(&loop->pool.lock);
	mutex_destroy(&loop->lock);
	kfree(loop);
}

/* @sides: of the single-planar API. */
static u32 caps_of(struct v4l2dma_loop *loop, u32 sides)
{
	u32 caps = V4L2_CAP_STREAMING | V4L2_CAP_READWRITE;

	if (!loop->config.multiplanar)
		return caps | sides;
	if (sides & V4L2_CAP_VIDEO_CAPTURE)
		caps |= V4L2_CAP_VIDEO_CAPTURE_MPLANE;
	if (sides & V4L2_CAP_VIDEO_OUTPUT)
		caps |= V4L2_CAP_VIDEO_OUTPUT_MPLANE;
	return caps;
}

static int register_node(struct v4l2dma_loop *loop, struct video_device *vdev,
			 int nr, u32 sides)
{
	int ret;

	strscpy(vdev->name, loop->config.label, sizeof(vdev->name));
	vdev->v4l2_dev = &loop->v4l2_dev;
	vdev->lock = &loop->lock;
	vdev->fops = &v4l2dma_fops;
	vdev->ioctl_ops = &v4l2dma_ioctl_ops;
	vdev->release = video_device_release_empty;
	/* They are the writer's to set. */
	if (sides != V4L2_CAP_VIDEO_CAPTURE)
		vdev->ctrl_handler = &loop->controls;
	/* Both sides; what each handle may use of them is decided per call. */
	vdev->vfl_dir = VFL_DIR_M2M;
	if (sides == V4L2_CAP_VIDEO_CAPTURE)
		vdev->vfl_dir = VFL_DIR_RX;
	else if (sides == V4L2_CAP_VIDEO_OUTPUT)
		vdev->vfl_dir = VFL_DIR_TX;
	if (loop->config.exclusive_caps)
		sides = V4L2_CAP_VIDEO_OUTPUT;
	vdev->device_caps = caps_of(loop, sides);
	if (loop->config.no_dmabuf)
		v4l2_disable_ioctl(vdev, VIDIOC_EXPBUF);
	video_set_drvdata(vdev, loop);
	ret = video_register_device(vdev, VFL_TYPE_VIDEO, nr);
	if (!ret)
		v4l2dma_driver.had_node = true;
	return ret;
}

static int register_nodes(struct v4l2dma_loop *loop)
{
	const struct v4l2dma_config *c = &loop->config;
	int ret;

	if (!c->split_nodes)
		return register_node(loop, &loop->vdev, c->video_nr,
				     V4L2_CAP_VIDEO_CAPTURE |
				     V4L2_CAP_VIDEO_OUTPUT);
	ret = register_node(loop, &loop->vdev, c->video_nr,
			    V4L2_CAP_VIDEO_OUTPUT);
	if (ret)
		return ret;
	ret = register_node(loop, &loop->capture_vdev, c->capture_nr,
			    V4L2_CAP_VIDEO_CAPTURE);
	if (!ret)
		return 0;
	v4l2dma_loop_may_go(loop, true);
	video_unregister_device(&loop->vdev);
	return ret;
}

/**
 * v4l2dma_loop_create() - make a loop and its node
 * @parent: parent device
 * @id: its number
 * @config: what it is set to, valid
 *
 * Return: the loop, or an ERR_PTR.
 */
struct v4l2dma_loop *v4l2dma_loop_create(struct device *parent, u32 id,
					 const struct v4l2dma_config *config)
{
	struct v4l2dma_loop *loop;
	int ret;

	loop = kzalloc(sizeof(*loop), GFP_KERNEL);
	if (!loop)
		return ERR_PTR(-ENOMEM);
	loop->id = id;
	loop->config = *config;
	mutex_init(&loop->lock);
	mutex_init(&loop->pool.lock);
	INIT_LIST_HEAD(&loop->handles);
	v4l2dma_flow_init(loop);
	v4l2dma_pace_init(loop);
	v4l2dma_placeholder_init(loop);
	v4l2dma_format_default(&loop->format, config);
	loop->timeperframe.numerator = 1;
	loop->timeperframe.denominator = 30;
	v4l2_prio_init(&loop->prio);

	snprintf(loop->v4l2_dev.name, sizeof(loop->v4l2_dev.name),
		 V4L2DMA_DRIVER_NAME "-%03u", id);
	ret = v4l2_device_register(parent, &loop->v4l2_dev);
	if (ret) {
		kfree(loop);
		return ERR_PTR(ret);
	}
	loop->v4l2_dev.release = loop_free;

	ret = v4l2dma_controls_init(loop);
	if (!ret)
		ret = register_nodes(loop);
	if (ret) {
		v4l2_device_put(&loop->v4l2_dev);
		return ERR_PTR(ret);
	}
	return loop;
}

/**
 * v4l2dma_loop_may_go() - close the door before a removal
 * @loop: the loop
 * @force: even if somebody has it open
 *
 * Return: whether nobody has it open or @force is set; nobody can open it then.
 */
bool v4l2dma_loop_may_go(struct v4l2dma_loop *loop, bool force)
{
	bool may;

	mutex_lock(&loop->lock);
	may = force || !loop->n_handles;
	WRITE_ONCE(loop->removed, may);
	mutex_unlock(&loop->lock);
	return may;
}

/*
 * Whoever sleeps in a call finds out that the loop is gone. The queues' own
 * locks are not needed: no call can make a queue wait again.
 */
static void wake_everybody(struct v4l2dma_loop *loop)
{
	struct v4l2dma_handle *h;

	mutex_lock(&loop->lock);
	list_for_each_entry(h, &loop->handles, entry) {
		vb2_queue_error(capture_queue(h));
		vb2_queue_error(output_queue(h));
	}
	/* VIDIOC_DQEVENT wakes for nothing but an event. */
	v4l2dma_event_removed(loop);
	wake_up_all(&loop->writer_wq);
	mutex_unlock(&loop->lock);
}

/**
 * v4l2dma_loop_remove() - unplug a loop
 * @loop: the loop, v4l2dma_loop_may_go() said that it may; it is freed when its
 *	last handle is closed
 */
void v4l2dma_loop_remove(struct v4l2dma_loop *loop)
{
	video_unregister_device(&loop->vdev);
	if (loop->config.split_nodes)
		video_unregister_device(&loop->capture_vdev);
	wake_everybody(loop);
	cancel_delayed_work_sync(&loop->reclaim_work);
	v4l2dma_pace_stop(loop);
	v4l2dma_placeholder_stop(loop);
	v4l2_device_disconnect(&loop->v4l2_dev);
	v4l2_device_put(&loop->v4l2_dev);
}

/**
 * v4l2dma_loop_set() - change what may change while a loop exists
 * @loop: the loop
 * @wish: values
 * @which: V4L2DMA_SET_*: which of them
 *
 * Return: 0 or -EINVAL.
 */
int v4l2dma_loop_set(struct v4l2dma_loop *loop,
		     const struct v4l2dma_config *wish, u32 which)
{
	int ret;

	mutex_lock(&loop->lock);
	spin_lock(&loop->flow_lock);
	ret = v4l2dma_config_change(&loop->config, wish, which);
	spin_unlock(&loop->flow_lock);
	v4l2dma_placeholder_pay(loop);
	mutex_unlock(&loop->lock);
	v4l2dma_placeholder_kick(loop);
	v4l2dma_pace_kick(loop);
	return ret;
}

/**
 * v4l2dma_loop_update_caps() - follow the writer with the announced side
 * @loop: the loop
 *
 * udev reads the capabilities once, at a uevent: without one at each flip its
 * properties, and with them every program that asks udev, would be stale.
 */
void v4l2dma_loop_update_caps(struct v4l2dma_loop *loop)
{
	u32 caps, side;

	if (!loop->config.exclusive_caps)
		return;

	mutex_lock(&loop->lock);
	if (loop->removed)
		goto unlock;
	side = READ_ONCE(loop->streaming) ? V4L2_CAP_VIDEO_CAPTURE :
					    V4L2_CAP_VIDEO_OUTPUT;
	caps = caps_of(loop, side);
	if (loop->vdev.device_caps != caps) {
		WRITE_ONCE(loop->vdev.device_caps, caps);
		kobject_uevent(&loop->vdev.dev.kobj, KOBJ_CHANGE);
	}
unlock:
	mutex_unlock(&loop->lock);
}

/* What was made for the old layout is of no use any more. */
static void end_layout(struct v4l2dma_loop *loop)
{
	struct v4l2dma_handle *h;

	v4l2dma_placeholder_forget(loop);
	spin_lock(&loop->flow_lock);
	loop->format_gen++;
	spin_unlock(&loop->flow_lock);

	list_for_each_entry(h, &loop->handles, entry) {
		/* read() has no buffers that could be too small. */
		if (h->role == V4L2DMA_ROLE_READ)
			h->reader.format_gen = loop->format_gen;
	}
}

/**
 * v4l2dma_loop_set_format() - the writer has chosen a format
 * @loop: the loop, its lock held; it has no writer
 * @format: valid
 *
 * Readers are told. Where the pixels lie elsewhere now, their buffers do not fit
 * any more, and their queue ends: see v4l2dma_reader_outdated().
 */
void v4l2dma_loop_set_format(struct v4l2dma_loop *loop,
			     const struct v4l2_pix_format_mplane *format)
{
	bool same_layout = v4l2dma_format_same_layout(&loop->format, format);
	struct v4l2dma_handle *h;

	lockdep_assert_held(&loop->lock);
	if (!memcmp(&loop->format, format, sizeof(*format)))
		return;
	loop->format = *format;
	if (same_layout)
		v4l2dma_placeholder_recolour(loop);
	else
		end_layout(loop);
	list_for_each_entry(h, &loop->handles, entry)
		v4l2dma_event_source_change(h);
}
