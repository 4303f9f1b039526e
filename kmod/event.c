// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and controls: what a loop tells those who have it open, and what they
 * may set.
 */
#include <media/v4l2-ctrls.h>
#include <media/v4l2-event.h>

#include "v4l2dma.h"

static_assert((V4L2_CID_USER_BASE | 0xdb00) == V4L2DMA_CID_BASE);
static_assert((V4L2_EVENT_PRIVATE_START | 0xdb00) == V4L2DMA_EVENT_READERS);

static void readers_event(struct v4l2_event *event, unsigned int readers)
{
	struct v4l2dma_event_readers *payload = (void *)event->u.data;

	memset(event, 0, sizeof(*event));
	event->type = V4L2DMA_EVENT_READERS;
	payload->readers = readers;
}

/* The node's lock is held, as for any ioctl that is about no queue. */
static int readers_subscribed(struct v4l2_subscribed_event *sev,
			      unsigned int elems)
{
	struct v4l2dma_handle *h = container_of(sev->fh, struct v4l2dma_handle,
						fh);
	struct v4l2_event event;

	if (!(sev->flags & V4L2_EVENT_SUB_FL_SEND_INITIAL))
		return 0;
	readers_event(&event, h->loop->n_readers);
	/* Otherwise the queue takes nothing until this returns. */
	sev->elems = elems;
	v4l2_event_queue_fh(sev->fh, &event);
	return 0;
}

/* Only the newest number is of interest. */
static void readers_merge(const struct v4l2_event *old, struct v4l2_event *new)
{
}

static const struct v4l2_subscribed_event_ops readers_ops = {
	.add = readers_subscribed,
	.merge = readers_merge,
};

/**
 * v4l2dma_event_subscribe() - VIDIOC_SUBSCRIBE_EVENT
 * @fh: of a handle
 * @sub: what it wants to hear of
 *
 * Return: 0 or a negative errno.
 */
int v4l2dma_event_subscribe(struct v4l2_fh *fh,
			    const struct v4l2_event_subscription *sub)
{
	struct v4l2dma_handle *h = container_of(fh, struct v4l2dma_handle, fh);

	switch (sub->type) {
	case V4L2_EVENT_CTRL:
		return v4l2_ctrl_subscribe_event(fh, sub);
	case V4L2DMA_EVENT_READERS:
		return v4l2_event_subscribe(fh, sub, 1, &readers_ops);
	case V4L2_EVENT_SOURCE_CHANGE:
		if (!v4l2dma_handle_sees(h, V4L2_BUF_TYPE_VIDEO_CAPTURE))
			return -EINVAL;
		return v4l2_src_change_event_subscribe(fh, sub);
	case V4L2_EVENT_EOS:
		if (!v4l2dma_handle_sees(h, V4L2_BUF_TYPE_VIDEO_CAPTURE))
			return -EINVAL;
		return v4l2_event_subscribe(fh, sub, 2, NULL);
	default:
		return -EINVAL;
	}
}

static void tell(struct v4l2dma_loop *loop, const struct v4l2_event *event)
{
	struct v4l2dma_handle *h;

	lockdep_assert_held(&loop->lock);
	list_for_each_entry(h, &loop->handles, entry)
		v4l2_event_queue_fh(&h->fh, event);
}

/**
 * v4l2dma_event_readers() - the number of readers has changed
 * @loop: the loop, its lock held
 */
void v4l2dma_event_readers(struct v4l2dma_loop *loop)
{
	struct v4l2_event event;

	readers_event(&event, loop->n_readers);
	tell(loop, &event);
}

static const struct v4l2_event end_of_stream = { .type = V4L2_EVENT_EOS };

/**
 * v4l2dma_event_end() - the writer stopped; no frame follows the last one
 * @loop: the loop, its lock not held
 */
void v4l2dma_event_end(struct v4l2dma_loop *loop)
{
	mutex_lock(&loop->lock);
	tell(loop, &end_of_stream);
	mutex_unlock(&loop->lock);
}

/**
 * v4l2dma_event_source_change() - the loop has another format
 * @h: the handle; its reader is woken
 */
void v4l2dma_event_source_change(struct v4l2dma_handle *h)
{
	static const struct v4l2_event change = {
		.type = V4L2_EVENT_SOURCE_CHANGE,
		.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION,
	};

	wake_up_all(h->reader.wq);
	v4l2_event_queue_fh(&h->fh, &change);
}

/**
 * v4l2dma_event_removed() - whoever waits for events finds out that none comes
 * @loop: the loop, its lock held
 */
void v4l2dma_event_removed(struct v4l2dma_loop *loop)
{
	struct v4l2dma_handle *h;

	tell(loop, &end_of_stream);
	list_for_each_entry(h, &loop->handles, entry)
		v4l2dma_event_source_change(h);
	v4l2dma_event_readers(loop);
}

static int set_control(struct v4l2_ctrl *ctrl)
{
	struct v4l2dma_loop *loop = container_of(ctrl->handler,
						 struct v4l2dma_loop, controls);

	switch (ctrl->id) {
	case V4L2DMA_CID_KEEP_FORMAT:
		WRITE_ONCE(loop->keep_format, ctrl->val);
		return 0;
	case V4L2DMA_CID_SUSTAIN_FRAMERATE:
		v4l2dma_own_sustain(loop, ctrl->val);
		return 0;
	case V4L2DMA_CID_STORE_PLACEHOLDER:
		v4l2dma_placeholder_store(loop, ctrl->val);
		return 0;
	case V4L2DMA_CID_FIXED_BINDINGS:
		v4l2dma_bindings_set(loop, ctrl->val);
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct v4l2_ctrl_ops control_ops = {
	.s_ctrl = set_control,
};

static const struct v4l2_ctrl_config keep_format = {
	.ops = &control_ops,
	.id = V4L2DMA_CID_KEEP_FORMAT,
	.name = "Keep Format",
	.type = V4L2_CTRL_TYPE_BOOLEAN,
	.max = 1,
	.step = 1,
};

static const struct v4l2_ctrl_config fixed_bindings = {
	.ops = &control_ops,
	.id = V4L2DMA_CID_FIXED_BINDINGS,
	.name = "Fixed Bindings",
	.type = V4L2_CTRL_TYPE_BOOLEAN,
	.max = 1,
	.step = 1,
};

static const struct v4l2_ctrl_config sustain_framerate = {
	.ops = &control_ops,
	.id = V4L2DMA_CID_SUSTAIN_FRAMERATE,
	.name = "Sustain Framerate",
	.type = V4L2_CTRL_TYPE_BOOLEAN,
	.max = 1,
	.step = 1,
};

static const struct v4l2_ctrl_config store_placeholder = {
	.ops = &control_ops,
	.id = V4L2DMA_CID_STORE_PLACEHOLDER,
	.name = "Store Placeholder",
	.type = V4L2_CTRL_TYPE_BOOLEAN,
	/* Set once more, it stores another frame. */
	.flags = V4L2_CTRL_FLAG_EXECUTE_ON_WRITE,
	.max = 1,
	.step = 1,
};

/**
 * v4l2dma_controls_init() - make the controls of a new loop
 * @loop: the loop
 *
 * Return: 0 or a negative errno; v4l2_ctrl_handler_free() in either case.
 */
int v4l2dma_controls_init(struct v4l2dma_loop *loop)
{
	struct v4l2_ctrl_handler *controls = &loop->controls;

	v4l2_ctrl_handler_init(controls, 4);
	v4l2_ctrl_new_custom(controls, &keep_format, NULL);
	v4l2_ctrl_new_custom(controls, &sustain_framerate, NULL);
	v4l2_ctrl_new_custom(controls, &store_placeholder, NULL);
	loop->fixed_bindings = v4l2_ctrl_new_custom(controls, &fixed_bindings,
						    NULL);
	return controls->error;
}
