// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots of a loop: how many there are, and the memory of each plane of each.
 */
#include <linux/dma-buf.h>

#include "v4l2dma.h"

/* Buffers, exported fds and mappings keep references of their own. */
static void drop_slot(struct v4l2dma_pool *pool, unsigned int slot)
{
	struct dma_buf **mem = pool->mem[slot];
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_PLANES; i++) {
		if (mem[i])
			dma_buf_put(mem[i]);
		mem[i] = NULL;
	}
}

static void drop_memory(struct v4l2dma_pool *pool)
{
	unsigned int slot;

	for (slot = 0; slot < V4L2DMA_MAX_SLOTS; slot++)
		drop_slot(pool, slot);
}

/* A reader may still look at what the writer got back: give it other pages. */
static bool take_stale(struct v4l2dma_loop *loop)
{
	bool stale;

	spin_lock(&loop->flow_lock);
	stale = loop->pool_stale;
	loop->pool_stale = false;
	spin_unlock(&loop->flow_lock);
	return stale;
}

static void settle(struct v4l2dma_loop *loop, unsigned int want)
{
	unsigned int most = loop->config.max_buffers;

	/* Readers need some more for the loop's own slots. */
	if (loop->config.timeout_ms)
		most = min(most, V4L2DMA_MAX_SLOTS - V4L2DMA_OWN_SLOTS);
	loop->pool.slots = clamp(want, min(loop->config.min_buffers, most),
				 most);
}

/* A reader's buffers beyond the slots are for the loop's own. */
static unsigned int own_buffers(struct v4l2dma_handle *h, unsigned int slots,
				bool writer)
{
	h->own_first = V4L2DMA_MAX_SLOTS;
	if (writer || !h->loop->config.timeout_ms ||
	    slots + V4L2DMA_OWN_SLOTS > V4L2DMA_MAX_SLOTS)
		return 0;
	h->own_first = slots;
	return V4L2DMA_OWN_SLOTS;
}

/**
 * v4l2dma_pool_join() - settle on a number of slots, before buffers are made
 * @h: who asks, with its lock held
 * @want: buffers it would like
 * @format: of the frames
 * @writer: it is the writer, whose allocation defines the slots' memory
 *
 * The first to ask settles the number for all; that one alone may change it.
 * May be called again by the same handle.
 *
 * Return: the number of buffers that it shall have.
 */
unsigned int v4l2dma_pool_join(struct v4l2dma_handle *h, unsigned int want,
			       const struct v4l2_pix_format_mplane *format,
			       bool writer)
{
	unsigned long size[V4L2DMA_MAX_PLANES] = {};
	struct v4l2dma_loop *loop = h->loop;
	struct v4l2dma_pool *pool = &loop->pool;
	unsigned int slots, i;
	bool other;

	for (i = 0; i < format->num_planes; i++)
		size[i] = PAGE_ALIGN(format->plane_fmt[i].sizeimage);
	mutex_lock(&pool->lock);
	if (!h->in_pool) {
		h->in_pool = true;
		pool->users++;
	}
	if (pool->users == 1)
		settle(loop, want);
	/* Memory of another size is other memory, whoever asks for it first. */
	other = memcmp(pool->size, size, sizeof(size));
	if ((writer || other) && take_stale(loop))
		drop_memory(pool);
	if (other) {
		drop_memory(pool);
		memcpy(pool->size, size, sizeof(size));
	}
	slots = pool->slots;
	mutex_unlock(&pool->lock);
	return slots + own_buffers(h, slots, writer);
}

/**
 * v4l2dma_pool_leave() - the handle has no buffers any more
 * @h: who leaves, with its lock held; nothing happens if it never joined
 */
void v4l2dma_pool_leave(struct v4l2dma_handle *h)
{
	struct v4l2dma_pool *pool = &h->loop->pool;

	if (!h->in_pool)
		return;
	h->in_pool = false;
	mutex_lock(&pool->lock);
	if (!--pool->users) {
		drop_memory(pool);
		pool->slots = 0;
		memset(pool->size, 0, sizeof(pool->size));
	}
	mutex_unlock(&pool->lock);
}

/* Also for whoever is the first to need it. */
static struct dma_buf *get_memory(struct v4l2dma_loop *loop, unsigned int slot,
				  unsigned int plane)
{
	struct v4l2dma_pool *pool = &loop->pool;
	struct dma_buf *dbuf = pool->mem[slot][plane];

	lockdep_assert_held(&pool->lock);
	if (!dbuf) {
		dbuf = v4l2dma_pages_create(pool->size[plane],
					    loop->config.contiguous);
		if (IS_ERR(dbuf))
			return dbuf;
		pool->mem[slot][plane] = dbuf;
	}
	get_dma_buf(dbuf);
	return dbuf;
}

/**
 * v4l2dma_pool_slot() - the memory of a slot
 * @loop: the loop
 * @slot: its index
 * @plane: which plane of it
 * @size: bytes, whole pages
 *
 * Return: a reference to the slot's dma-buf; NULL if there is no such slot or
 * its memory has another size; an ERR_PTR.
 */
struct dma_buf *v4l2dma_pool_slot(struct v4l2dma_loop *loop, unsigned int slot,
				  unsigned int plane, unsigned long size)
{
	struct v4l2dma_pool *pool = &loop->pool;
	struct dma_buf *dbuf = NULL;

	mutex_lock(&pool->lock);
	if (slot < pool->slots && size == pool->size[plane])
		dbuf = get_memory(loop, slot, plane);
	mutex_unlock(&pool->lock);
	return dbuf;
}
