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

/* Slots of the loop's own are the last ones, and the writer has no buffers there. */
static void settle(struct v4l2dma_loop *loop, unsigned int want)
{
	struct v4l2dma_pool *pool = &loop->pool;
	unsigned int most;

	pool->own = loop->config.timeout_ms ? V4L2DMA_OWN_SLOTS : 0;
	most = min(loop->config.max_buffers, V4L2DMA_MAX_SLOTS - pool->own);
	pool->slots = clamp(want, min(loop->config.min_buffers, most), most);
	v4l2dma_own_move(loop, pool->own ? pool->slots : V4L2DMA_MAX_SLOTS);
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
	slots = pool->slots + (writer ? 0 : pool->own);
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
		pool->own = 0;
		memset(pool->size, 0, sizeof(pool->size));
		v4l2dma_own_move(h->loop, V4L2DMA_MAX_SLOTS);
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
	if (slot < pool->slots + pool->own && size == pool->size[plane])
		dbuf = get_memory(loop, slot, plane);
	mutex_unlock(&pool->lock);
	return dbuf;
}

/**
 * v4l2dma_pool_own_slot() - the memory of a slot of the loop's own
 * @loop: the loop
 * @i: which of them
 * @plane: which plane of it
 * @size: bytes, whole pages
 *
 * Return: as v4l2dma_pool_slot().
 */
struct dma_buf *v4l2dma_pool_own_slot(struct v4l2dma_loop *loop,
				      unsigned int i, unsigned int plane,
				      unsigned long size)
{
	struct v4l2dma_pool *pool = &loop->pool;
	struct dma_buf *dbuf = NULL;

	mutex_lock(&pool->lock);
	if (i < pool->own && size == pool->size[plane])
		dbuf = get_memory(loop, pool->slots + i, plane);
	mutex_unlock(&pool->lock);
	return dbuf;
}

/**
 * v4l2dma_pool_renew_own() - somebody may look at what is in the loop's own slots
 * @loop: the loop; what is drawn there next goes into other memory
 */
void v4l2dma_pool_renew_own(struct v4l2dma_loop *loop)
{
	struct v4l2dma_pool *pool = &loop->pool;
	unsigned int i;

	mutex_lock(&pool->lock);
	for (i = pool->slots; i < pool->slots + pool->own; i++)
		drop_slot(pool, i);
	mutex_unlock(&pool->lock);
}

/**
 * v4l2dma_pool_writer_slot() - where a writer's buffer belongs
 * @loop: the loop
 * @index: of the buffer
 *
 * Buffers that it made beyond the slots leave out those of the loop's own.
 *
 * Return: its slot, less than V4L2DMA_ALL_SLOTS.
 */
unsigned int v4l2dma_pool_writer_slot(struct v4l2dma_loop *loop,
				      unsigned int index)
{
	struct v4l2dma_pool *pool = &loop->pool;
	unsigned int slot;

	mutex_lock(&pool->lock);
	slot = index < pool->slots ? index : index + pool->own;
	mutex_unlock(&pool->lock);
	return slot;
}
