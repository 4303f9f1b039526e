// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who owns which frame.
 *
 * A frame is offered to every reader and waits in the reader's list until that
 * reader asks for it: a waiting frame can still be dropped at no cost. The
 * writer gets its buffer back when the last reader is done with it.
 *
 * All state is under loop->flow_lock, and nothing here sleeps.
 */
#include <linux/dma-buf.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "flow.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * v4l2dma_flow_complete() - the writer's buffer is its own again
 * @loop: the loop
 * @frame: what lies in it; nobody has a claim on it
 * @state: for vb2
 */
void v4l2dma_flow_complete(struct v4l2dma_loop *loop,
			   struct v4l2dma_frame *frame,
			   enum vb2_buffer_state state)
{
	frame->live = false;
	if (frame->own)
		return;
	list_del(&frame->entry);
	loop->n_live--;
	if (frame->vb)
		vb2_buffer_done(frame->vb, state);
	else
		wake_up(&loop->writer_wq);
}

/**
 * v4l2dma_flow_let_go() - the loop does not need a frame any more
 * @loop: the loop
 * @frame: &v4l2dma_loop.kept or &v4l2dma_loop.grabbed, NULL from then on
 */
void v4l2dma_flow_let_go(struct v4l2dma_loop *loop,
			 struct v4l2dma_frame **frame)
{
	struct v4l2dma_frame *f = *frame;

	*frame = NULL;
	if (f && !--f->claims)
		v4l2dma_flow_complete(loop, f, VB2_BUF_STATE_DONE);
}

static void put_claim(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		      unsigned int slot)
{
	struct v4l2dma_frame *frame = &loop->frames[slot];
	struct v4l2dma_claim *claim = &reader->claims[slot];

	if (claim->state == V4L2DMA_CLAIM_WAITING) {
		list_del(&claim->entry);
		reader->n_waiting--;
	} else {
		reader->n_held--;
		frame->taken--;
	}
	claim->state = V4L2DMA_CLAIM_NONE;
	if (!--frame->claims)
		v4l2dma_flow_complete(loop, frame, VB2_BUF_STATE_DONE);
}

static void count_drop(struct v4l2dma_loop *loop,
		       struct v4l2dma_reader *reader, unsigned int slot,
		       u64 id)
{
	trace_v4l2dma_drop(loop->id, reader->nr, slot, id);
	reader->stats.dropped++;
	loop->stats.dropped++;
}

/* The loop's own picture, or a frame once more: nothing of the writer's is lost. */
static bool is_extra(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		     unsigned int slot)
{
	return loop->frames[slot].own ||
	       reader->claims[slot].id != loop->frames[slot].pixels;
}

/* As if the claim had never been there. */
static void close_gap(struct v4l2dma_reader *reader,
		      const struct v4l2dma_claim *claim)
{
	struct v4l2dma_claim *later;

	reader->base++;
	list_for_each_entry(later, &reader->waiting, entry)
		if ((s32)(later->sequence - claim->sequence) > 0)
			later->sequence--;
}

static void count_loss(struct v4l2dma_loop *loop,
		       struct v4l2dma_reader *reader, unsigned int slot)
{
	struct v4l2dma_claim *claim = &reader->claims[slot];

	if (is_extra(loop, reader, slot))
		close_gap(reader, claim);
	else
		count_drop(loop, reader, slot, claim->id);
}

static void drop(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		 unsigned int slot)
{
	count_loss(loop, reader, slot);
	put_claim(loop, reader, slot);
}

static unsigned int oldest_waiting(struct v4l2dma_reader *reader)
{
	return list_first_entry(&reader->waiting, struct v4l2dma_claim, entry) -
	       reader->claims;
}

/*
 * A buffer with the slot's memory takes frames of its index, and only while
 * the reader has queued it. One with memory of its own takes any frame, and
 * the frame may wait until the reader queues one.
 */
static bool has_buffer_for(struct v4l2dma_reader *reader, unsigned int slot)
{
	if (reader->by_read)
		return true;
	if (test_bit(slot, reader->shared))
		return test_bit(slot, reader->queued);
	return reader->foreign || reader->n_private;
}

/* A frame that nobody may lose waits until the reader queues the buffer. */
static bool will_have_buffer_for(struct v4l2dma_reader *reader,
				 unsigned int slot)
{
	return has_buffer_for(reader, slot) || test_bit(slot, reader->shared);
}

/**
 * v4l2dma_flow_would_take() - is a frame there for a reader
 * @loop: the loop
 * @reader: who
 * @slot: where the frame would be
 *
 * Return: whether v4l2dma_flow_offer() would put it into the reader's list.
 */
bool v4l2dma_flow_would_take(struct v4l2dma_loop *loop,
			     struct v4l2dma_reader *reader, unsigned int slot)
{
	return reader->format_gen == loop->format_gen &&
	       reader->claims[slot].state == V4L2DMA_CLAIM_NONE &&
	       has_buffer_for(reader, slot);
}

/* Nobody wants to see the loop's picture when there is a frame. */
static void replace_own(struct v4l2dma_loop *loop,
			struct v4l2dma_reader *reader)
{
	/* Where it waits nothing else does. */
	if (!list_empty(&reader->waiting) &&
	    loop->frames[oldest_waiting(reader)].own)
		drop(loop, reader, oldest_waiting(reader));
}

/**
 * v4l2dma_flow_offer() - a frame came
 * @loop: the loop
 * @reader: who may take it
 * @frame: the frame
 */
void v4l2dma_flow_offer(struct v4l2dma_loop *loop,
			struct v4l2dma_reader *reader,
			struct v4l2dma_frame *frame)
{
	unsigned int slot = frame - loop->frames;
	struct v4l2dma_claim *claim = &reader->claims[slot];
	/* Who only polled may never read. */
	bool lossless = loop->config.lossless && !READ_ONCE(reader->polled);

	if (reader->format_gen != loop->format_gen)
		return;
	if (!frame->own)
		replace_own(loop, reader);
	if (lossless ? !will_have_buffer_for(reader, slot) :
		       !has_buffer_for(reader, slot)) {
		count_drop(loop, reader, slot, frame->id);
		return;
	}
	claim->state = V4L2DMA_CLAIM_WAITING;
	claim->id = frame->id;
	claim->sequence = frame->id - reader->base;
	claim->timestamp = frame->meta.timestamp;
	claim->since = ktime_get();
	claim->copied = false;
	list_add_tail(&claim->entry, &reader->waiting);
	reader->n_waiting++;
	frame->claims++;
	if (!lossless && reader->n_waiting > loop->config.max_pending)
		drop(loop, reader, oldest_waiting(reader));
	wake_up(reader->wq);
}

static bool has_no_slot(struct v4l2dma_loop *loop)
{
	return loop->streaming && loop->n_live >= loop->writer_slots;
}

/*
 * While the writer has no slot left, frames that only wait are dropped; the
 * newest one is kept, it is what a reader wants to see.
 */
static void relieve(struct v4l2dma_loop *loop)
{
	struct v4l2dma_frame *frame, *next;
	struct v4l2dma_reader *reader;
	unsigned int slot;

	list_for_each_entry_safe(frame, next, &loop->live, entry) {
		if (!has_no_slot(loop))
			return;
		if (frame->taken || frame->id == loop->newest)
			continue;
		slot = frame - loop->frames;
		list_for_each_entry(reader, &loop->readers, entry)
			if (reader->claims[slot].state == V4L2DMA_CLAIM_WAITING)
				drop(loop, reader, slot);
	}
}

/* A camera needs a slot to fill while the next one is prepared. */
static bool starved(struct v4l2dma_loop *loop)
{
	unsigned int wanted = clamp((int)loop->writer_slots - 1, 1, 2);

	return loop->streaming &&
	       loop->writer_slots < loop->n_live + wanted;
}

/*
 * The oldest claim that keeps a slot from the writer: one in a reader's hands,
 * and where nothing else is left, the newest frame that only waits.
 */
static struct v4l2dma_claim *oldest_claim(struct v4l2dma_loop *loop,
					  struct v4l2dma_reader **owner)
{
	struct v4l2dma_claim *oldest = NULL, *claim;
	bool desperate = has_no_slot(loop);
	struct v4l2dma_reader *reader;
	unsigned int slot;

	list_for_each_entry(reader, &loop->readers, entry) {
		if (!reader->n_held && !desperate)
			continue;
		for (slot = 0; slot < V4L2DMA_ALL_SLOTS; slot++) {
			claim = &reader->claims[slot];
			if (claim->state == V4L2DMA_CLAIM_NONE ||
			    loop->frames[slot].own ||
			    (claim->state == V4L2DMA_CLAIM_WAITING &&
			     !desperate) ||
			    (oldest && !ktime_before(claim->since,
						     oldest->since)))
				continue;
			oldest = claim;
			*owner = reader;
		}
	}
	return oldest;
}

static void arm_reclaim(struct v4l2dma_loop *loop)
{
	struct v4l2dma_reader *reader;
	struct v4l2dma_claim *claim;
	s64 left;

	if (loop->config.lossless || !starved(loop))
		return;
	claim = oldest_claim(loop, &reader);
	if (!claim)
		return;
	left = loop->config.reclaim_ms -
	       ktime_ms_delta(ktime_get(), claim->since);
	mod_delayed_work(system_highpri_wq, &loop->reclaim_work,
			 left > 0 ? msecs_to_jiffies(left) : 0);
}

/*
 * After a frame came, and after claims ended: another frame may be one now that
 * only waits, at a reader that never asks for it.
 */
static void keep_writer_going(struct v4l2dma_loop *loop)
{
	if (loop->config.lossless)
		return;
	if (loop->kept && starved(loop))
		v4l2dma_flow_give_up(loop);
	relieve(loop);
	arm_reclaim(loop);
}

static void reclaim_claim(struct v4l2dma_loop *loop,
			  struct v4l2dma_reader *reader,
			  struct v4l2dma_claim *claim)
{
	unsigned int slot = claim - reader->claims;

	if (claim->state == V4L2DMA_CLAIM_WAITING) {
		drop(loop, reader, slot);
		return;
	}
	v4l2dma_dbg(loop, 1, "slot %u taken back from a reader\n", slot);
	trace_v4l2dma_reclaim(loop->id, reader->nr, slot, claim->id);
	reader->stats.reclaimed++;
	loop->stats.reclaimed++;
	loop->pool_stale = true;
	put_claim(loop, reader, slot);
}

/* Readers that kept a frame for too long lose it while the writer starves. */
static void reclaim(struct work_struct *work)
{
	struct v4l2dma_loop *loop = container_of(to_delayed_work(work),
						 struct v4l2dma_loop,
						 reclaim_work);
	struct v4l2dma_reader *reader;
	struct v4l2dma_claim *claim;

	spin_lock(&loop->flow_lock);
	while (starved(loop)) {
		claim = oldest_claim(loop, &reader);
		if (!claim || ktime_ms_delta(ktime_get(), claim->since) <
			      loop->config.reclaim_ms)
			break;
		reclaim_claim(loop, reader, claim);
	}
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_flow_init() - prepare a new loop
 * @loop: the loop
 */
void v4l2dma_flow_init(struct v4l2dma_loop *loop)
{
	spin_lock_init(&loop->flow_lock);
	INIT_LIST_HEAD(&loop->live);
	INIT_LIST_HEAD(&loop->readers);
	loop->last_frame = ktime_get();
	loop->last_timestamp = ktime_to_ns(loop->last_frame);
	init_waitqueue_head(&loop->writer_wq);
	INIT_DELAYED_WORK(&loop->reclaim_work, reclaim);
}

/**
 * v4l2dma_flow_writer_start() - the writer's frames count from 0
 * @loop: the loop
 * @slots: how many slots it works with
 */
void v4l2dma_flow_writer_start(struct v4l2dma_loop *loop, unsigned int slots)
{
	spin_lock(&loop->flow_lock);
	loop->streaming = true;
	loop->writer_slots = slots;
	loop->writer_sequence = 0;
	spin_unlock(&loop->flow_lock);
	v4l2dma_pace_kick(loop);
}

/**
 * v4l2dma_flow_set_slots() - the writer has got more buffers
 * @loop: the loop
 * @slots: how many it works with now
 */
void v4l2dma_flow_set_slots(struct v4l2dma_loop *loop, unsigned int slots)
{
	spin_lock(&loop->flow_lock);
	loop->writer_slots = slots;
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_flow_end_frame() - take a frame from everybody
 * @loop: the loop
 * @frame: a live one
 */
void v4l2dma_flow_end_frame(struct v4l2dma_loop *loop,
			    struct v4l2dma_frame *frame)
{
	struct v4l2dma_reader *reader;
	struct v4l2dma_claim *claim;

	list_for_each_entry(reader, &loop->readers, entry) {
		claim = &reader->claims[frame - loop->frames];
		switch (claim->state) {
		case V4L2DMA_CLAIM_NONE:
			continue;
		case V4L2DMA_CLAIM_WAITING:
			list_del(&claim->entry);
			reader->n_waiting--;
			count_loss(loop, reader, frame - loop->frames);
			break;
		case V4L2DMA_CLAIM_TAKEN:
			reader->n_held--;
			if (frame->own)
				break;
			loop->stats.orphaned++;
			loop->pool_stale = true;
			break;
		}
		claim->state = V4L2DMA_CLAIM_NONE;
	}
	frame->claims = 0;
	frame->taken = 0;
	if (loop->kept == frame)
		loop->kept = NULL;
	if (loop->grabbed == frame)
		loop->grabbed = NULL;
	v4l2dma_flow_complete(loop, frame, VB2_BUF_STATE_ERROR);
}

/* Nothing keeps an imported dma-buf or pinned pages for the slot's next frame. */
static void forget_frames(struct v4l2dma_loop *loop)
{
	struct v4l2dma_planes planes;
	unsigned int slot;

	for (slot = 0; slot < V4L2DMA_ALL_SLOTS; slot++) {
		spin_lock(&loop->flow_lock);
		planes.n = 0;
		if (!loop->frames[slot].own)
			swap(planes, loop->frames[slot].planes);
		loop->frames[slot].vb = NULL;
		spin_unlock(&loop->flow_lock);
		v4l2dma_planes_put(&planes);
	}
}

/* Of a frame that the loop does not keep any more. */
static void withdraw_repeats(struct v4l2dma_loop *loop,
			     struct v4l2dma_frame *frame)
{
	unsigned int slot = frame - loop->frames;
	struct v4l2dma_reader *reader;

	list_for_each_entry(reader, &loop->readers, entry)
		if (reader->claims[slot].state == V4L2DMA_CLAIM_WAITING &&
		    is_extra(loop, reader, slot))
			drop(loop, reader, slot);
}

/**
 * v4l2dma_flow_give_up() - do not keep the newest frame from its writer
 * @loop: the loop; there may be none that is kept
 */
void v4l2dma_flow_give_up(struct v4l2dma_loop *loop)
{
	if (!loop->kept)
		return;
	withdraw_repeats(loop, loop->kept);
	v4l2dma_flow_let_go(loop, &loop->kept);
}

/**
 * v4l2dma_flow_writer_stop() - take every frame in flight from the readers
 * @loop: the loop
 *
 * Context: may sleep, to free memory that nobody uses any more.
 */
void v4l2dma_flow_writer_stop(struct v4l2dma_loop *loop)
{
	struct v4l2dma_frame *frame, *next;

	spin_lock(&loop->flow_lock);
	loop->streaming = false;
	list_for_each_entry_safe(frame, next, &loop->live, entry)
		v4l2dma_flow_end_frame(loop, frame);
	spin_unlock(&loop->flow_lock);
	forget_frames(loop);
}

/* The loop itself may need the frame longer than any reader. */
static void keep_newest(struct v4l2dma_loop *loop, struct v4l2dma_frame *frame)
{
	v4l2dma_flow_give_up(loop);
	/* Of one slot the writer needs it back before there is another frame. */
	if (loop->sustain && loop->writer_slots > 1) {
		frame->claims++;
		loop->kept = frame;
	}
	if (loop->grab && !loop->grabbed) {
		loop->grab = false;
		frame->claims++;
		loop->grabbed = frame;
		v4l2dma_placeholder_kick(loop);
	}
}

/**
 * v4l2dma_flow_publish() - a new frame
 * @loop: the loop
 * @slot: where it lies; no frame is live there
 * @vb: the writer's buffer, given to vb2_buffer_done() when all readers are
 *	done, which may be before this returns; NULL for write()
 * @planes: its memory
 * @meta: what travels with it
 *
 * Return: the frame's sequence number for the writer.
 */
u64 v4l2dma_flow_publish(struct v4l2dma_loop *loop, unsigned int slot,
			 struct vb2_buffer *vb,
			 const struct v4l2dma_planes *planes,
			 const struct v4l2dma_meta *meta)
{
	struct v4l2dma_frame *frame = &loop->frames[slot];
	struct v4l2dma_reader *reader;
	struct v4l2dma_planes old;
	u64 sequence;

	spin_lock(&loop->flow_lock);
	old = frame->planes;
	v4l2dma_planes_get(planes);
	frame->planes = *planes;
	frame->vb = vb;
	frame->meta = *meta;
	frame->id = ++loop->last_id;
	frame->pixels = frame->id;
	frame->live = true;
	frame->own = false;
	loop->newest = frame->id;
	loop->last_frame = ktime_get();
	loop->last_timestamp = meta->timestamp;
	loop->own_timestamp = 0;
	list_add_tail(&frame->entry, &loop->live);
	loop->n_live++;
	loop->stats.frames++;
	sequence = loop->writer_sequence++;
	if (vb)
		to_vb2_v4l2_buffer(vb)->sequence = sequence;

	list_for_each_entry(reader, &loop->readers, entry)
		v4l2dma_flow_offer(loop, reader, frame);
	trace_v4l2dma_queue(loop->id, slot, frame->id, v4l2dma_meta_bytes(meta),
			    frame->claims);
	keep_newest(loop, frame);
	if (!frame->claims)
		v4l2dma_flow_complete(loop, frame, VB2_BUF_STATE_DONE);
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);

	v4l2dma_planes_put(&old);
	return sequence;
}

/**
 * v4l2dma_flow_free_slot() - find a slot for write()
 * @loop: the loop
 * @slots: how many there are
 *
 * Return: the slot that rested longest, or -EAGAIN.
 */
int v4l2dma_flow_free_slot(struct v4l2dma_loop *loop, unsigned int slots)
{
	int slot, best = -EAGAIN;

	spin_lock(&loop->flow_lock);
	for (slot = 0; slot < slots; slot++) {
		if (loop->frames[slot].live)
			continue;
		if (best < 0 || loop->frames[slot].id < loop->frames[best].id)
			best = slot;
	}
	spin_unlock(&loop->flow_lock);
	return best;
}

/**
 * v4l2dma_flow_reader_start() - a reader begins to get frames
 * @loop: the loop
 * @reader: who
 * @mmap: its buffers are MMAP; read() has none
 */
void v4l2dma_flow_reader_start(struct v4l2dma_loop *loop,
			       struct v4l2dma_reader *reader, bool mmap)
{
	spin_lock(&loop->flow_lock);
	reader->foreign = !mmap;
	memset(&reader->stats, 0, sizeof(reader->stats));
	reader->base = loop->last_id + 1;
	reader->nr = ++loop->last_reader;
	trace_v4l2dma_reader(loop->id, reader->nr, true);
	list_add_tail(&reader->entry, &loop->readers);
	spin_unlock(&loop->flow_lock);
	v4l2dma_pace_kick(loop);
}

/**
 * v4l2dma_flow_readers() - how many readers stream, or read()
 * @loop: the loop
 */
unsigned int v4l2dma_flow_readers(struct v4l2dma_loop *loop)
{
	struct v4l2dma_reader *reader;
	unsigned int n = 0;

	spin_lock(&loop->flow_lock);
	list_for_each_entry(reader, &loop->readers, entry)
		n++;
	spin_unlock(&loop->flow_lock);
	return n;
}

/**
 * v4l2dma_flow_reader_stop() - a reader ends; all that it has is given back
 * @loop: the loop
 * @reader: who; may be stopped already
 */
void v4l2dma_flow_reader_stop(struct v4l2dma_loop *loop,
			      struct v4l2dma_reader *reader)
{
	unsigned int slot;

	spin_lock(&loop->flow_lock);
	for (slot = 0; slot < V4L2DMA_ALL_SLOTS; slot++)
		if (reader->claims[slot].state != V4L2DMA_CLAIM_NONE)
			put_claim(loop, reader, slot);
	if (!list_empty(&reader->entry))
		trace_v4l2dma_reader(loop->id, reader->nr, false);
	list_del_init(&reader->entry);
	/* Its buffers go back to vb2, and may be freed next. */
	bitmap_zero(reader->queued, V4L2DMA_ALL_SLOTS);
	INIT_LIST_HEAD(&reader->spare);
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);
}

/*
 * The first waiting frame that the reader has a buffer for. Where none may be
 * lost, none overtakes another either.
 */
static struct v4l2dma_claim *next_claim(struct v4l2dma_loop *loop,
					struct v4l2dma_reader *reader)
{
	struct v4l2dma_claim *claim;

	list_for_each_entry(claim, &reader->waiting, entry) {
		unsigned int slot = claim - reader->claims;

		if (reader->by_read ||
		    (test_bit(slot, reader->shared) ?
		     test_bit(slot, reader->queued) :
		     !list_empty(&reader->spare)))
			return claim;
		if (loop->config.lossless)
			return NULL;
	}
	return NULL;
}

/**
 * v4l2dma_flow_readable() - is there a frame to take
 * @loop: the loop
 * @reader: who asks
 *
 * Return: whether v4l2dma_flow_take() would succeed now.
 */
bool v4l2dma_flow_readable(struct v4l2dma_loop *loop,
			   struct v4l2dma_reader *reader)
{
	bool readable;

	spin_lock(&loop->flow_lock);
	readable = next_claim(loop, reader);
	spin_unlock(&loop->flow_lock);
	return readable;
}

/**
 * v4l2dma_flow_take() - a reader asks for a frame
 * @loop: the loop
 * @reader: who
 * @taken: filled in; the caller puts its planes
 *
 * v4l2dma_flow_finish() must follow.
 *
 * Return: false if none waits.
 */
bool v4l2dma_flow_take(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		       struct v4l2dma_taken *taken)
{
	struct v4l2dma_claim *claim;
	struct v4l2dma_frame *frame;

	spin_lock(&loop->flow_lock);
	claim = next_claim(loop, reader);
	if (!claim) {
		spin_unlock(&loop->flow_lock);
		return false;
	}
	taken->slot = claim - reader->claims;
	frame = &loop->frames[taken->slot];
	list_del(&claim->entry);
	reader->n_waiting--;
	reader->n_held++;
	frame->taken++;
	claim->state = V4L2DMA_CLAIM_TAKEN;
	claim->since = ktime_get();
	taken->id = claim->id;
	taken->pixels = frame->pixels;
	taken->sequence = claim->sequence;
	taken->planes = frame->planes;
	v4l2dma_planes_get(&taken->planes);
	taken->meta = frame->meta;
	taken->meta.timestamp = claim->timestamp;
	taken->extra = is_extra(loop, reader, taken->slot);
	memset(taken->skip, 0, sizeof(taken->skip));
	arm_reclaim(loop);
	spin_unlock(&loop->flow_lock);
	return true;
}

/**
 * v4l2dma_flow_finish() - the reader has, or has copied, what it took
 * @loop: the loop
 * @reader: who
 * @taken: as v4l2dma_flow_take() filled it in
 * @keep: it keeps the frame until v4l2dma_flow_give_back()
 *
 * Return: false if the frame was taken away meanwhile, by a reclaim or the
 * writer's STREAMOFF: what was copied may be torn, and must not be shown.
 */
bool v4l2dma_flow_finish(struct v4l2dma_loop *loop,
			 struct v4l2dma_reader *reader,
			 const struct v4l2dma_taken *taken, bool keep)
{
	struct v4l2dma_claim *claim = &reader->claims[taken->slot];
	bool ours;

	spin_lock(&loop->flow_lock);
	ours = claim->state == V4L2DMA_CLAIM_TAKEN && claim->id == taken->id;
	if (ours) {
		trace_v4l2dma_deliver(loop->id, reader->nr, taken->slot,
				      taken->id);
		reader->stats.delivered++;
		loop->stats.delivered++;
		if (keep)
			clear_bit(taken->slot, reader->queued);
		else
			put_claim(loop, reader, taken->slot);
	} else if (!taken->extra) {
		count_drop(loop, reader, taken->slot, taken->id);
	}
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);
	return ours;
}

/* It waits again, as the oldest. */
static void untake(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		   unsigned int slot)
{
	struct v4l2dma_claim *claim = &reader->claims[slot];

	reader->n_held--;
	loop->frames[slot].taken--;
	claim->state = V4L2DMA_CLAIM_WAITING;
	list_add(&claim->entry, &reader->waiting);
	reader->n_waiting++;
	wake_up(reader->wq);
}

/**
 * v4l2dma_flow_abandon() - a signal came while the frame was copied
 * @loop: the loop
 * @reader: who
 * @taken: as v4l2dma_flow_take() filled it in; it counts as dropped, or where
 *	nothing may be lost it waits again
 */
void v4l2dma_flow_abandon(struct v4l2dma_loop *loop,
			  struct v4l2dma_reader *reader,
			  const struct v4l2dma_taken *taken)
{
	struct v4l2dma_claim *claim = &reader->claims[taken->slot];

	spin_lock(&loop->flow_lock);
	if (claim->state != V4L2DMA_CLAIM_TAKEN || claim->id != taken->id)
		goto unlock;
	if (loop->config.lossless && !taken->extra)
		untake(loop, reader, taken->slot);
	else
		drop(loop, reader, taken->slot);
unlock:
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_flow_give_back() - the reader is done with a frame that it kept
 * @loop: the loop
 * @reader: who
 * @slot: where the frame is; the reader may have lost it already
 */
void v4l2dma_flow_give_back(struct v4l2dma_loop *loop,
			    struct v4l2dma_reader *reader, unsigned int slot)
{
	spin_lock(&loop->flow_lock);
	if (reader->claims[slot].state == V4L2DMA_CLAIM_TAKEN) {
		trace_v4l2dma_release(loop->id, reader->nr, slot,
				      reader->claims[slot].id);
		put_claim(loop, reader, slot);
	}
	set_bit(slot, reader->queued);
	if (!list_empty(&reader->waiting))
		wake_up(reader->wq);
	keep_writer_going(loop);
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_flow_count_copy() - the CPU moved pixels
 * @loop: the loop
 * @reader: for whom, or NULL
 * @slot: of the frame. What is copied of a frame while a reader holds it is one
 *	copy, however many planes it has and whenever each is looked at
 * @bytes: how many; 0 is no copy
 */
void v4l2dma_flow_count_copy(struct v4l2dma_loop *loop,
			     struct v4l2dma_reader *reader, unsigned int slot,
			     size_t bytes)
{
	bool more;

	if (!bytes)
		return;
	spin_lock(&loop->flow_lock);
	more = reader && reader->claims[slot].state == V4L2DMA_CLAIM_TAKEN &&
	       reader->claims[slot].copied;
	trace_v4l2dma_copy(loop->id, reader ? reader->nr : 0, bytes);
	loop->stats.copies += !more;
	loop->stats.copied_bytes += bytes;
	if (reader) {
		reader->stats.copies += !more;
		reader->stats.copied_bytes += bytes;
		reader->claims[slot].copied = true;
	}
	spin_unlock(&loop->flow_lock);
}

/**
 * v4l2dma_flow_count_reclaim() - a reader's device was not waited for any more
 * @loop: the loop
 */
void v4l2dma_flow_count_reclaim(struct v4l2dma_loop *loop)
{
	spin_lock(&loop->flow_lock);
	loop->stats.reclaimed++;
	spin_unlock(&loop->flow_lock);
}
