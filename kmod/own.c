// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of the loop's own: the writer's newest frame once more, and the picture
 * that readers see while there is no signal.
 *
 * The picture lies in slots that no writer has: readers have a buffer for each
 * like for any other slot, so that it is handed out and given back as any frame,
 * and without a copy. As it never changes, it is shown to one reader while another
 * has it still, and two slots are enough for all of them. A repeated frame lies
 * where it is, and the loop keeps it from its writer until the next one comes.
 *
 * Such frames are there for readers who would see nothing otherwise: nothing that
 * waits is dropped for them, no writer waits for them, and a frame of the writer's
 * takes their place.
 */
#include <linux/ktime.h>

#include "flow.h"
#include "trace.h"

/**
 * v4l2dma_own_wanted() - is anybody there who may need such frames
 * @loop: the loop
 *
 * Return: whether somebody reads.
 */
bool v4l2dma_own_wanted(struct v4l2dma_loop *loop)
{
	bool wanted;

	spin_lock(&loop->flow_lock);
	wanted = !list_empty(&loop->readers);
	spin_unlock(&loop->flow_lock);
	return wanted;
}

/**
 * v4l2dma_own_silence() - how long was there no frame
 * @loop: the loop
 * @now: CLOCK_MONOTONIC
 *
 * Return: the time since the last one, or since the loop was made.
 */
ktime_t v4l2dma_own_silence(struct v4l2dma_loop *loop, ktime_t now)
{
	ktime_t last;

	spin_lock(&loop->flow_lock);
	last = loop->last_frame;
	spin_unlock(&loop->flow_lock);
	return ktime_sub(now, last);
}

/**
 * v4l2dma_own_timestamp() - what a frame of the loop's own is stamped with
 * @loop: the loop
 * @now: CLOCK_MONOTONIC
 * @lag: how far it is behind what a frame of the writer's would have now; ns
 *
 * On the writer's clock, whichever that is. Without the lag the writer's next
 * frame would seem to go back in time: its timestamp is from when it was begun.
 *
 * Return: nanoseconds.
 */
u64 v4l2dma_own_timestamp(struct v4l2dma_loop *loop, ktime_t now, u64 lag)
{
	u64 timestamp;

	spin_lock(&loop->flow_lock);
	timestamp = loop->last_timestamp - lag +
		    ktime_to_ns(ktime_sub(now, loop->last_frame));
	spin_unlock(&loop->flow_lock);
	return timestamp;
}

/* Whoever is not offered a frame sees no gap either. */
static bool offer_to_idle(struct v4l2dma_loop *loop,
			  struct v4l2dma_reader *reader,
			  struct v4l2dma_frame *frame)
{
	if (!frame || reader->n_waiting ||
	    !v4l2dma_flow_would_take(loop, reader, frame - loop->frames)) {
		reader->base++;
		return false;
	}
	v4l2dma_flow_offer(loop, reader, frame);
	return true;
}

/* The first of the loop's own slots that the reader has given back, or -1. */
static int pick_slot(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader)
{
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		if (v4l2dma_flow_would_take(loop, reader, loop->own_slot + i))
			return i;
	return -1;
}

/**
 * v4l2dma_own_slots() - where is the loop's picture needed
 * @loop: the loop
 *
 * Return: a bit for each of the loop's own slots that some reader would take.
 */
unsigned int v4l2dma_own_slots(struct v4l2dma_loop *loop)
{
	struct v4l2dma_reader *reader;
	unsigned int slots = 0;
	int i;

	spin_lock(&loop->flow_lock);
	list_for_each_entry(reader, &loop->readers, entry) {
		i = pick_slot(loop, reader);
		if (i >= 0)
			slots |= BIT(i);
	}
	spin_unlock(&loop->flow_lock);
	return slots;
}

/* Other readers may have the frame: it is the same for them. */
static void put_into_slot(struct v4l2dma_loop *loop,
			  struct v4l2dma_frame *frame,
			  struct v4l2dma_planes *memory,
			  const struct v4l2dma_meta *meta)
{
	frame->id = loop->last_id;
	frame->own = true;
	frame->vb = NULL;
	frame->meta = *meta;
	/* The planes were made together. */
	if (frame->planes.n && frame->planes.at[0] == memory->at[0]) {
		memory->n = 0;
		return;
	}
	frame->pixels = frame->id;
	v4l2dma_planes_get(memory);
	swap(frame->planes, *memory);
}

/**
 * v4l2dma_own_publish() - show the loop's picture
 * @loop: the loop
 * @memory: of it in each of the loop's own slots, no planes where it is not
 *	needed; borrowed, and replaced by references that the caller has to put
 * @meta: what travels with it
 */
void v4l2dma_own_publish(struct v4l2dma_loop *loop,
			 struct v4l2dma_planes *memory,
			 const struct v4l2dma_meta *meta)
{
	struct v4l2dma_frame *own;
	struct v4l2dma_reader *reader;
	unsigned int offered = 0;
	int i;

	spin_lock(&loop->flow_lock);
	own = &loop->frames[loop->own_slot];
	loop->last_id++;
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		if (memory[i].n)
			put_into_slot(loop, &own[i], &memory[i], meta);
	list_for_each_entry(reader, &loop->readers, entry) {
		i = pick_slot(loop, reader);
		/* It may have given a slot back just now. */
		offered += offer_to_idle(loop, reader,
					 i < 0 || own[i].id != loop->last_id ?
						 NULL : &own[i]);
	}
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		own[i].live = own[i].claims;
	if (offered)
		loop->stats.placeholders++;
	trace_v4l2dma_own(loop->id, loop->last_id, true, offered);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_own_repeat() - the writer's next frame is late: show the last one again
 * @loop: the loop
 * @timestamp: for it; ns
 */
void v4l2dma_own_repeat(struct v4l2dma_loop *loop, u64 timestamp)
{
	struct v4l2dma_frame *frame;
	struct v4l2dma_reader *reader;
	unsigned int offered = 0;

	spin_lock(&loop->flow_lock);
	frame = loop->kept;
	if (!frame)
		goto unlock;
	frame->id = ++loop->last_id;
	loop->newest = frame->id;
	frame->meta.timestamp = timestamp;
	list_for_each_entry(reader, &loop->readers, entry)
		offered += offer_to_idle(loop, reader, frame);
	if (offered)
		loop->stats.repeated++;
	trace_v4l2dma_own(loop->id, frame->id, false, offered);
unlock:
	spin_unlock(&loop->flow_lock);
}

/* @memory: without planes; out: references that the caller has to put */
static void end(struct v4l2dma_loop *loop, struct v4l2dma_planes *memory)
{
	struct v4l2dma_frame *frame;
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++) {
		frame = &loop->frames[loop->own_slot + i];
		if (!frame->own)
			continue;
		if (frame->live)
			v4l2dma_flow_end_frame(loop, frame);
		swap(memory[i], frame->planes);
		frame->own = false;
	}
}

/**
 * v4l2dma_own_put() - drop references that were there for the loop's own slots
 * @memory: these
 */
void v4l2dma_own_put(const struct v4l2dma_planes *memory)
{
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		v4l2dma_planes_put(&memory[i]);
}

/**
 * v4l2dma_own_end() - take the loop's picture from all readers
 * @loop: the loop
 *
 * Context: may sleep, to free memory that nobody uses any more.
 */
void v4l2dma_own_end(struct v4l2dma_loop *loop)
{
	struct v4l2dma_planes memory[V4L2DMA_OWN_SLOTS] = {};

	spin_lock(&loop->flow_lock);
	end(loop, memory);
	spin_unlock(&loop->flow_lock);
	v4l2dma_own_put(memory);
}

/**
 * v4l2dma_own_move() - the loop's own slots are elsewhere from now on
 * @loop: the loop
 * @slot: the first of them
 *
 * Context: may sleep, to free memory that nobody uses any more.
 */
void v4l2dma_own_move(struct v4l2dma_loop *loop, unsigned int slot)
{
	struct v4l2dma_planes memory[V4L2DMA_OWN_SLOTS] = {};

	spin_lock(&loop->flow_lock);
	if (loop->own_slot != slot) {
		end(loop, memory);
		loop->own_slot = slot;
	}
	spin_unlock(&loop->flow_lock);
	v4l2dma_own_put(memory);
}

/**
 * v4l2dma_own_sustain() - shall frames be repeated
 * @loop: the loop
 * @sustain: whether they shall
 */
void v4l2dma_own_sustain(struct v4l2dma_loop *loop, bool sustain)
{
	spin_lock(&loop->flow_lock);
	loop->sustain = sustain;
	if (!sustain)
		v4l2dma_flow_let_go(loop, &loop->kept);
	spin_unlock(&loop->flow_lock);
	v4l2dma_pace_kick(loop);
}

/**
 * v4l2dma_own_grab_next() - the writer's next frame is wanted
 * @loop: the loop
 * @grab: whether it is
 */
void v4l2dma_own_grab_next(struct v4l2dma_loop *loop, bool grab)
{
	spin_lock(&loop->flow_lock);
	loop->grab = grab;
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_own_grabbed() - get that frame
 * @loop: the loop
 * @frame: filled in; the caller puts its planes
 *
 * The writer does not get it back before v4l2dma_own_ungrab(), or its STREAMOFF.
 *
 * Return: false if there is none.
 */
bool v4l2dma_own_grabbed(struct v4l2dma_loop *loop, struct v4l2dma_taken *frame)
{
	struct v4l2dma_frame *f;

	spin_lock(&loop->flow_lock);
	f = loop->grabbed;
	if (f) {
		frame->pixels = f->pixels;
		frame->planes = f->planes;
		v4l2dma_planes_get(&frame->planes);
		frame->meta = f->meta;
	}
	spin_unlock(&loop->flow_lock);
	return f;
}

/**
 * v4l2dma_own_ungrab() - it is not needed any more
 * @loop: the loop
 * @frame: as v4l2dma_own_grabbed() filled it in
 *
 * Return: false if the writer has it back already, and may have changed it.
 */
bool v4l2dma_own_ungrab(struct v4l2dma_loop *loop,
			const struct v4l2dma_taken *frame)
{
	bool ours;

	spin_lock(&loop->flow_lock);
	ours = loop->grabbed && loop->grabbed->pixels == frame->pixels;
	if (ours)
		v4l2dma_flow_let_go(loop, &loop->grabbed);
	spin_unlock(&loop->flow_lock);
	return ours;
}
