// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of the loop's own: the writer's newest frame once more, and the picture
 * that readers see while there is no signal.
 *
 * The picture lies in slots that no writer has: readers have a buffer for each
 * like for any other slot, so that it is handed out and given back as any frame,
 * and without a copy. As nobody writes there any more, it is shown to one reader
 * while another has it still, and two slots are enough for all: one that a reader
 * has, and one that it gets next. A repeated frame lies where it is, and the loop
 * keeps it from its writer until the next one comes.
 *
 * Such frames are there for readers who would see nothing otherwise: nothing that
 * waits is dropped for them, no writer waits for them, and a frame of the writer's
 * takes their place.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>

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
	timestamp = loop->last_timestamp +
		    ktime_to_ns(ktime_sub(now, loop->last_frame));
	timestamp -= min(lag, timestamp);
	/* It moves, whatever was set meanwhile. */
	timestamp = max3(timestamp, loop->last_timestamp + NSEC_PER_USEC,
			 loop->own_timestamp + NSEC_PER_USEC);
	loop->own_timestamp = timestamp;
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

static struct v4l2dma_frame *own_frames(struct v4l2dma_loop *loop)
{
	return &loop->frames[V4L2DMA_MAX_SLOTS];
}

/* In the first of these slots that the reader has given back. */
static struct v4l2dma_frame *frame_for(struct v4l2dma_loop *loop,
				       struct v4l2dma_reader *reader)
{
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		if (v4l2dma_flow_would_take(loop, reader,
					    V4L2DMA_MAX_SLOTS + i))
			return &own_frames(loop)[i];
	return NULL;
}

static bool is_held(struct v4l2dma_loop *loop)
{
	unsigned int i, taken = 0;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		taken += own_frames(loop)[i].taken;
	return taken;
}

static void set_picture(struct v4l2dma_loop *loop, struct v4l2dma_frame *frame,
			const struct v4l2dma_planes *memory,
			const struct v4l2dma_meta *meta)
{
	/* Where the old one waits, it is not what is wanted. */
	if (frame->live)
		v4l2dma_flow_end_frame(loop, frame);
	v4l2dma_planes_get(memory);
	frame->planes = *memory;
	memcpy(frame->meta.planes, meta->planes, sizeof(meta->planes));
	frame->pixels = frame->id;
}

/*
 * Another picture waits until nobody has the old one: a reader that mapped its
 * buffers would get a copy of it there, and others look at that memory, too.
 *
 * Return: what put_picture() has to put.
 */
static struct v4l2dma_planes update_pictures(struct v4l2dma_loop *loop,
					     const struct v4l2dma_planes *memory,
					     const struct v4l2dma_meta *meta)
{
	struct v4l2dma_planes old = own_frames(loop)->planes;
	struct v4l2dma_frame *frame;
	/* Its planes were made together. */
	bool other = !old.n || (old.at[0] != memory->at[0] &&
				!is_held(loop));
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++) {
		frame = &own_frames(loop)[i];
		frame->id = loop->last_id;
		frame->own = true;
		frame->vb = NULL;
		frame->meta.timestamp = meta->timestamp;
		frame->meta.field = meta->field;
		frame->meta.flags = meta->flags;
		frame->meta.timecode = meta->timecode;
		if (other)
			set_picture(loop, frame, memory, meta);
	}
	if (!other)
		old.n = 0;
	return old;
}

/* Each of the loop's own slots had a reference. */
static void put_picture(const struct v4l2dma_planes *memory)
{
	unsigned int i;

	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		v4l2dma_planes_put(memory);
}

/**
 * v4l2dma_own_publish() - show the loop's picture
 * @loop: the loop
 * @memory: where it is
 * @meta: what travels with it
 *
 * Context: may sleep, to free memory that nobody uses any more.
 */
void v4l2dma_own_publish(struct v4l2dma_loop *loop,
			 const struct v4l2dma_planes *memory,
			 const struct v4l2dma_meta *meta)
{
	struct v4l2dma_reader *reader;
	struct v4l2dma_planes old;
	unsigned int i, offered = 0;

	spin_lock(&loop->flow_lock);
	loop->last_id++;
	old = update_pictures(loop, memory, meta);
	list_for_each_entry(reader, &loop->readers, entry)
		offered += offer_to_idle(loop, reader,
					 frame_for(loop, reader));
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++)
		own_frames(loop)[i].live = own_frames(loop)[i].claims;
	if (offered) {
		loop->stats.placeholders++;
		trace_v4l2dma_own(loop->id, loop->last_id, true, offered);
	}
	spin_unlock(&loop->flow_lock);
	put_picture(&old);
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
	if (offered) {
		loop->stats.repeated++;
		trace_v4l2dma_own(loop->id, frame->id, false, offered);
	}
unlock:
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_own_end() - take the loop's picture from all readers
 * @loop: the loop
 *
 * Context: may sleep, to free memory that nobody uses any more.
 */
void v4l2dma_own_end(struct v4l2dma_loop *loop)
{
	struct v4l2dma_planes old = {};
	struct v4l2dma_frame *frame;
	unsigned int i;

	spin_lock(&loop->flow_lock);
	for (i = 0; i < V4L2DMA_OWN_SLOTS; i++) {
		frame = &own_frames(loop)[i];
		if (frame->live)
			v4l2dma_flow_end_frame(loop, frame);
		old = frame->planes;
		frame->planes.n = 0;
	}
	spin_unlock(&loop->flow_lock);
	put_picture(&old);
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
		v4l2dma_flow_give_up(loop);
	spin_unlock(&loop->flow_lock);
	v4l2dma_pace_kick(loop);
}

/**
 * v4l2dma_own_writer_waits() - a writer waits for any of its buffers
 * @loop: the loop
 *
 * One that has given only the frame that is kept would wait for ever.
 */
void v4l2dma_own_writer_waits(struct v4l2dma_loop *loop)
{
	spin_lock(&loop->flow_lock);
	if (loop->kept && loop->n_live == 1)
		v4l2dma_flow_give_up(loop);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_own_grab_next() - the writer's next frame is wanted
 * @loop: the loop
 * @grab: whether it is; what was grabbed before is not any more
 */
void v4l2dma_own_grab_next(struct v4l2dma_loop *loop, bool grab)
{
	spin_lock(&loop->flow_lock);
	loop->grab = grab;
	loop->grab_nr++;
	v4l2dma_flow_let_go(loop, &loop->grabbed);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_own_grabbed() - get that frame
 * @loop: the loop
 * @frame: filled in; the caller puts its planes
 * @nr: filled in: the number of the wish
 *
 * The writer does not get it back before v4l2dma_own_ungrab(), or its STREAMOFF.
 *
 * Return: false if there is none.
 */
bool v4l2dma_own_grabbed(struct v4l2dma_loop *loop, struct v4l2dma_taken *frame,
			 u32 *nr)
{
	struct v4l2dma_frame *f;

	spin_lock(&loop->flow_lock);
	f = loop->grabbed;
	if (f) {
		frame->pixels = f->pixels;
		frame->planes = f->planes;
		v4l2dma_planes_get(&frame->planes);
		frame->meta = f->meta;
		*nr = loop->grab_nr;
	}
	spin_unlock(&loop->flow_lock);
	return f;
}

/**
 * v4l2dma_own_ungrab() - it is not needed any more
 * @loop: the loop
 * @frame: as v4l2dma_own_grabbed() filled it in
 * @nr: likewise
 * @done: it was stored; if not, or if it was lost, the next one is wanted, unless
 *	somebody said something else meanwhile
 *
 * Return: whether it was still the loop's, and wanted: if not, the writer may
 * have changed it.
 */
bool v4l2dma_own_ungrab(struct v4l2dma_loop *loop,
			const struct v4l2dma_taken *frame, u32 nr, bool done)
{
	bool ours;

	spin_lock(&loop->flow_lock);
	ours = loop->grabbed && loop->grabbed->pixels == frame->pixels &&
	       loop->grab_nr == nr;
	if (ours)
		v4l2dma_flow_let_go(loop, &loop->grabbed);
	if (loop->grab_nr == nr && !(ours && done))
		loop->grab = true;
	spin_unlock(&loop->flow_lock);
	return ours && done;
}
