// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fixed bindings: a writer that declares that each index keeps its dma-buf lets
 * readers map that very memory, once and for all, instead of a copy.
 *
 * A slot is bound by the first dma-buf that is queued there, and free again
 * when the writer has no buffers any more. A reader that has the memory by then
 * must make new buffers: its queue ends as it does for a new format.
 */
#include <linux/dma-buf.h>

#include "v4l2dma.h"

static bool fits(struct v4l2dma_loop *loop, unsigned int slot,
		 unsigned int plane, struct dma_buf *dbuf)
{
	struct dma_buf *bound = loop->bound[slot][plane];

	return !loop->fixed || !bound || bound == dbuf;
}

/**
 * v4l2dma_binding_allows() - may the writer queue a dma-buf
 * @loop: the loop
 * @slot: at which index
 * @plane: for which plane
 * @dbuf: the memory
 *
 * Return: 0, or -EINVAL if the plane is bound to other memory.
 */
int v4l2dma_binding_allows(struct v4l2dma_loop *loop, unsigned int slot,
			   unsigned int plane, struct dma_buf *dbuf)
{
	bool allowed;

	spin_lock(&loop->flow_lock);
	allowed = fits(loop, slot, plane, dbuf);
	spin_unlock(&loop->flow_lock);
	return allowed ? 0 : -EINVAL;
}

static void bind_plane(struct v4l2dma_loop *loop, unsigned int slot,
		       unsigned int plane, struct dma_buf *dbuf)
{
	if (!loop->fixed || loop->bound[slot][plane])
		return;
	get_dma_buf(dbuf);
	loop->bound[slot][plane] = dbuf;
}

/**
 * v4l2dma_binding_make() - the writer queues dma-bufs: bind the slot to them
 * @loop: the loop
 * @slot: at which index
 * @planes: the memory
 *
 * Return: 0, or -EINVAL if the slot is bound to other memory.
 */
int v4l2dma_binding_make(struct v4l2dma_loop *loop, unsigned int slot,
			 const struct v4l2dma_planes *planes)
{
	unsigned int i;
	int ret = 0;

	spin_lock(&loop->flow_lock);
	for (i = 0; i < planes->n; i++)
		if (!fits(loop, slot, i, planes->at[i]->dbuf))
			ret = -EINVAL;
	for (i = 0; i < planes->n && !ret; i++)
		bind_plane(loop, slot, i, planes->at[i]->dbuf);
	spin_unlock(&loop->flow_lock);
	return ret;
}

/**
 * v4l2dma_binding_get() - a reader wants to see a slot's memory
 * @h: the reader
 * @slot: its index
 * @plane: which plane of it
 *
 * Return: a reference to what the plane is bound to, or NULL.
 */
struct dma_buf *v4l2dma_binding_get(struct v4l2dma_handle *h, unsigned int slot,
				    unsigned int plane)
{
	struct v4l2dma_loop *loop = h->loop;
	struct dma_buf *dbuf;

	spin_lock(&loop->flow_lock);
	dbuf = loop->bound[slot][plane];
	if (dbuf) {
		get_dma_buf(dbuf);
		h->reader.bound = true;
	}
	spin_unlock(&loop->flow_lock);
	return dbuf;
}

static void end_reader(struct v4l2dma_handle *h)
{
	struct v4l2dma_loop *loop = h->loop;
	bool bound;

	spin_lock(&loop->flow_lock);
	bound = h->reader.bound;
	h->reader.bound = false;
	if (bound)
		WRITE_ONCE(h->reader.format_gen, loop->format_gen - 1);
	spin_unlock(&loop->flow_lock);
	if (bound)
		v4l2dma_event_source_change(h);
}

static void forget(struct v4l2dma_loop *loop)
{
	struct dma_buf *bound[V4L2DMA_ALL_SLOTS][V4L2DMA_MAX_PLANES];
	struct v4l2dma_handle *h;
	unsigned int slot, plane;

	lockdep_assert_held(&loop->lock);
	spin_lock(&loop->flow_lock);
	memcpy(bound, loop->bound, sizeof(bound));
	memset(loop->bound, 0, sizeof(loop->bound));
	spin_unlock(&loop->flow_lock);

	list_for_each_entry(h, &loop->handles, entry)
		end_reader(h);
	for (slot = 0; slot < V4L2DMA_ALL_SLOTS; slot++)
		for (plane = 0; plane < V4L2DMA_MAX_PLANES; plane++)
			if (bound[slot][plane])
				dma_buf_put(bound[slot][plane]);
}

/**
 * v4l2dma_bindings_end() - the writer's buffers were replaced
 * @loop: the loop, its lock not held; the declaration stays
 */
void v4l2dma_bindings_end(struct v4l2dma_loop *loop)
{
	mutex_lock(&loop->lock);
	forget(loop);
	mutex_unlock(&loop->lock);
}

static void settle(struct v4l2dma_loop *loop)
{
	bool fixed;

	lockdep_assert_held(&loop->lock);
	spin_lock(&loop->flow_lock);
	if (!loop->streaming)
		loop->fixed = loop->will_be_fixed;
	fixed = loop->fixed;
	spin_unlock(&loop->flow_lock);
	if (!fixed)
		forget(loop);
}

/**
 * v4l2dma_bindings_set() - the control was set
 * @loop: the loop, its lock held
 * @fixed: to what; while the writer streams that waits until it stops
 */
void v4l2dma_bindings_set(struct v4l2dma_loop *loop, bool fixed)
{
	spin_lock(&loop->flow_lock);
	loop->will_be_fixed = fixed;
	spin_unlock(&loop->flow_lock);
	settle(loop);
}

/**
 * v4l2dma_bindings_writer_stopped() - what was said meanwhile holds now
 * @loop: the loop, its lock not held
 */
void v4l2dma_bindings_writer_stopped(struct v4l2dma_loop *loop)
{
	mutex_lock(&loop->lock);
	settle(loop);
	mutex_unlock(&loop->lock);
}
