// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a frame of the loop's own is due: a repeated one, because the writer's next
 * one is late, or the picture, because there is no signal.
 *
 * A high-resolution timer keeps the frame rate; what it starts runs as work, as
 * it takes locks that are not made for an interrupt. Neither runs while nobody
 * reads, or nothing is asked of the loop but to hand frames on.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "v4l2dma.h"

/* Whatever a writer says of its frame rate. */
#define MIN_INTERVAL	(1 * NSEC_PER_MSEC)
#define MAX_INTERVAL	(10 * NSEC_PER_SEC)

#define MAX_LAG_MS	1000U

static u64 interval(struct v4l2dma_loop *loop)
{
	const struct v4l2_fract *t = &loop->timeperframe;

	return clamp_t(u64, mul_u64_u32_div(NSEC_PER_SEC, t->numerator,
					    t->denominator),
		       MIN_INTERVAL, MAX_INTERVAL);
}

/* When what is due, KTIME_MAX if nothing is; @silent: it is the picture. */
static ktime_t next_due(struct v4l2dma_loop *loop, bool *silent)
{
	ktime_t picture = KTIME_MAX, repeat = KTIME_MAX, last;

	spin_lock(&loop->flow_lock);
	last = loop->last_frame;
	if (loop->config.timeout_ms)
		picture = ktime_add_ms(last, loop->config.timeout_ms);
	/* A frame that comes a little late is not missed. */
	if (loop->sustain && loop->streaming)
		repeat = ktime_add_ns(last, interval(loop) * 3 / 2);
	spin_unlock(&loop->flow_lock);

	picture = max(picture, loop->pace_next);
	repeat = max(repeat, loop->pace_next);
	*silent = picture <= repeat;
	return min(picture, repeat);
}

/*
 * Less than it takes until such a frame is due, and as much as may be: a camera's
 * first frame was begun some time before it comes.
 */
static u64 lag(struct v4l2dma_loop *loop)
{
	u32 timeout = READ_ONCE(loop->config.timeout_ms);
	u64 silence = min(timeout, MAX_LAG_MS) * (u64)NSEC_PER_MSEC;

	if (!timeout)
		return interval(loop) / 2;
	if (READ_ONCE(loop->sustain))
		silence = min(silence, interval(loop));
	return silence / 2;
}

static void look(struct v4l2dma_loop *loop)
{
	ktime_t now = ktime_get(), due;
	u64 timestamp;
	bool silent;

	due = next_due(loop, &silent);
	if (due <= now) {
		timestamp = v4l2dma_own_timestamp(loop, now, lag(loop));
		if (silent)
			v4l2dma_placeholder_show(loop, now, timestamp);
		else
			v4l2dma_own_repeat(loop, timestamp);
		/* In step, unless a step or more was missed. */
		loop->pace_next = ktime_add_ns(due, interval(loop));
		if (loop->pace_next <= now)
			loop->pace_next = ktime_add_ns(now, interval(loop));
		due = next_due(loop, &silent);
	}
	if (due != KTIME_MAX)
		hrtimer_start(&loop->pace_timer, due, HRTIMER_MODE_ABS);
}

static void pace(struct work_struct *work)
{
	struct v4l2dma_loop *loop = container_of(work, struct v4l2dma_loop,
						 pace_work);

	mutex_lock(&loop->lock);
	if (!loop->removed && v4l2dma_own_wanted(loop))
		look(loop);
	mutex_unlock(&loop->lock);
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct v4l2dma_loop *loop = container_of(timer, struct v4l2dma_loop,
						 pace_timer);

	v4l2dma_pace_kick(loop);
	return HRTIMER_NORESTART;
}

/**
 * v4l2dma_pace_init() - prepare a new loop
 * @loop: the loop
 */
void v4l2dma_pace_init(struct v4l2dma_loop *loop)
{
	INIT_WORK(&loop->pace_work, pace);
	v4l2dma_timer_init(&loop->pace_timer, timer_fired);
}

/**
 * v4l2dma_pace_kick() - what is due may have changed
 * @loop: the loop
 *
 * Context: any.
 */
void v4l2dma_pace_kick(struct v4l2dma_loop *loop)
{
	queue_work(system_highpri_wq, &loop->pace_work);
}

/**
 * v4l2dma_pace_stop() - end that
 * @loop: the loop, which is removed; a later kick finds nothing to do
 */
void v4l2dma_pace_stop(struct v4l2dma_loop *loop)
{
	hrtimer_cancel(&loop->pace_timer);
	cancel_work_sync(&loop->pace_work);
	/* The work may have started it just before the removal. */
	hrtimer_cancel(&loop->pace_timer);
}
