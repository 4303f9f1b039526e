// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slots of a loop: how many there are, and the memory of each.
 */
#include <linux/dma-buf.h>

#include "v4l2dma.h"

/* Buffers, exported fds and mappings keep references of their own. */
static void drop_memory(struct v4l2dma_pool *pool)
{
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_SLOTS; i++) {
		if (!pool->mem[i])
			continue;
		dma_buf_put(pool->mem[i]);
		pool->mem[i] = NULL;
	}
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

/**
 * v4l2dma_pool_join() - settle on a number of slots, before buffers are made
 * @h: who asks, with its lock held
 * @want: buffers it would like
 * @size: bytes it needs in each
 * @writer: it is the writer, whose allocation defines the slots' memory
 *
 * The first to ask settles the number for all; that one alone may change it.
 * May be called again by the same handle.
 *
 * Return: the number of slots.
 */
unsigned int v4l2dma_pool_join(struct v4l2dma_handle *h, unsigned int want,
			       unsigned long size, bool writer)
{
	struct v4l2dma_loop *loop = h->loop;
	struct v4l2dma_pool *pool = &loop->pool;
	unsigned int slots;

	size = PAGE_ALIGN(size);
	mutex_lock(&pool->lock);
	if (!h->in_pool) {
		h->in_pool = true;
		pool->users++;
	}
	if (pool->users == 1)
		pool->slots = clamp(want, loop->config.min_buffers,
				    loop->config.max_buffers);
	/* Memory of another size is other memory, whoever asks for it first. */
	if ((writer || pool->size != size) && take_stale(loop))
		drop_memory(pool);
	if (pool->size != size) {
		drop_memory(pool);
		pool->size = size;
	}
	slots = pool->slots;
	mutex_unlock(&pool->lock);
	return slots;
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
		pool->size = 0;
	}
	mutex_unlock(&pool->lock);
}

/**
 * v4l2dma_pool_slot() - the memory of a slot
 * @loop: the loop
 * @slot: its index
 * @size: bytes, whole pages
 *
 * Return: a reference to the slot's dma-buf; NULL if there is no such slot or
 * its memory has another size; an ERR_PTR.
 */
struct dma_buf *v4l2dma_pool_slot(struct v4l2dma_loop *loop, unsigned int slot,
				  unsigned long size)
{
	struct v4l2dma_pool *pool = &loop->pool;
	struct dma_buf *dbuf = NULL;

	mutex_lock(&pool->lock);
	if (slot >= pool->slots || size != pool->size)
		goto unlock;
	dbuf = pool->mem[slot];
	if (!dbuf) {
		dbuf = v4l2dma_pages_create(size, loop->config.contiguous);
		if (IS_ERR(dbuf))
			goto unlock;
		pool->mem[slot] = dbuf;
	}
	get_dma_buf(dbuf);
unlock:
	mutex_unlock(&pool->lock);
	return dbuf;
}
