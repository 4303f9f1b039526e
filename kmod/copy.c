// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copies that cannot be avoided. Whoever calls these counts them.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/io.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "compat.h"
#include "v4l2dma.h"

/* Bounds how long a copy runs without looking at the scheduler. */
#define COPY_STEP	SZ_1M

#define PATIENCE_MS	20	/* until the next look at whether it is in vain */

/*
 * Wait for the devices that still use the memory; a signal ends that, where
 * begin_cpu_access would wait for the same fences uninterruptibly.
 */
static int wait_for_fences(struct dma_buf *dbuf, bool write, long timeout)
{
	long left = dma_resv_wait_timeout(dbuf->resv, dma_resv_usage_rw(write),
					  true, timeout);

	return left < 0 ? left : left ? 0 : -ETIMEDOUT;
}

/* After begin_cpu_access, which is ended if this fails. */
static int map_for_cpu(struct v4l2dma_cpu_map *cpu)
{
	struct dma_buf *dbuf = cpu->plane->dbuf;
	int ret;

	ret = dma_buf_vmap_unlocked(dbuf, &cpu->map);
	if (ret)
		dma_buf_end_cpu_access(dbuf, cpu->dir);
	return ret;
}

/* Return: whether that is all, as there is no dma-buf. */
static bool set_up(struct v4l2dma_cpu_map *cpu, struct v4l2dma_plane *plane,
		   enum dma_data_direction dir)
{
	cpu->plane = plane;
	cpu->dir = dir;
	if (plane->dbuf)
		return false;
	iosys_map_set_vaddr(&cpu->map, plane->vaddr);
	return true;
}

/* After the fences: dma_buf_begin_cpu_access() would wait for new ones, too. */
static int begin_without_fences(struct v4l2dma_cpu_map *cpu)
{
	struct dma_buf *dbuf = cpu->plane->dbuf;
	int ret = 0;

	if (dbuf->ops->begin_cpu_access)
		ret = dbuf->ops->begin_cpu_access(dbuf, cpu->dir);
	return ret ? ret : map_for_cpu(cpu);
}

/**
 * v4l2dma_cpu_begin() - let the CPU at a frame's memory
 * @plane: the memory; the caller keeps a reference until v4l2dma_cpu_end()
 * @dir: DMA_FROM_DEVICE to read it, DMA_TO_DEVICE to write it
 * @cpu: filled in
 *
 * Waits for the devices that still use the memory.
 *
 * Return: 0, -ERESTARTSYS or what the exporter says.
 */
int v4l2dma_cpu_begin(struct v4l2dma_plane *plane, enum dma_data_direction dir,
		      struct v4l2dma_cpu_map *cpu)
{
	int ret;

	if (set_up(cpu, plane, dir))
		return 0;
	ret = wait_for_fences(plane->dbuf, dir == DMA_TO_DEVICE,
			      MAX_SCHEDULE_TIMEOUT);
	if (!ret)
		ret = dma_buf_begin_cpu_access(plane->dbuf, dir);
	return ret ? ret : map_for_cpu(cpu);
}

/**
 * v4l2dma_cpu_begin_soon() - likewise, or give up, also if the loop goes
 * @loop: the loop
 * @plane: the memory; the caller keeps a reference until v4l2dma_cpu_end()
 * @dir: DMA_FROM_DEVICE to read it, DMA_TO_DEVICE to write it
 * @ms: how long devices that still use the memory are waited for
 * @cpu: filled in
 *
 * Return: 0, -ETIMEDOUT or what the exporter says.
 */
int v4l2dma_cpu_begin_soon(struct v4l2dma_loop *loop,
			   struct v4l2dma_plane *plane,
			   enum dma_data_direction dir, unsigned int ms,
			   struct v4l2dma_cpu_map *cpu)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	int ret;

	if (set_up(cpu, plane, dir))
		return 0;
	do {
		ret = wait_for_fences(plane->dbuf, dir == DMA_TO_DEVICE,
				      msecs_to_jiffies(PATIENCE_MS));
	} while (ret == -ETIMEDOUT && time_before(jiffies, end) &&
		 !READ_ONCE(loop->removed));
	return ret ? ret : begin_without_fences(cpu);
}

/**
 * v4l2dma_cpu_begin_slot() - let the CPU write into a slot
 * @loop: the loop
 * @plane: memory that v4l2dma_pages_create() made
 * @cpu: filled in
 *
 * A reader's device may still look at the frame that was there: that reader
 * gave it back too early, and is waited for as long as for one that keeps it.
 *
 * Return: 0, -ERESTARTSYS or -ENOMEM.
 */
int v4l2dma_cpu_begin_slot(struct v4l2dma_loop *loop,
			   struct v4l2dma_plane *plane,
			   struct v4l2dma_cpu_map *cpu)
{
	int ret;

	set_up(cpu, plane, DMA_TO_DEVICE);
	ret = wait_for_fences(plane->dbuf, true,
			      msecs_to_jiffies(loop->config.reclaim_ms));
	if (ret == -ETIMEDOUT)
		v4l2dma_flow_count_reclaim(loop);
	else if (ret)
		return ret;
	return begin_without_fences(cpu);
}

/**
 * v4l2dma_cpu_end() - end what v4l2dma_cpu_begin() began
 * @cpu: as filled in by it
 */
void v4l2dma_cpu_end(struct v4l2dma_cpu_map *cpu)
{
	struct dma_buf *dbuf = cpu->plane->dbuf;

	if (!dbuf)
		return;
	dma_buf_vunmap_unlocked(dbuf, &cpu->map);
	dma_buf_end_cpu_access(dbuf, cpu->dir);
}

/**
 * v4l2dma_copy_map() - copy memory without keeping a processor to itself
 * @dst: where to
 * @src: where from
 * @bytes: how many
 *
 * Return: 0, or -EOPNOTSUPP from one device's memory to another's.
 */
int v4l2dma_copy_map(struct iosys_map *dst, const struct iosys_map *src,
		     size_t bytes)
{
	size_t pos, n;

	if (src->is_iomem && dst->is_iomem)
		return -EOPNOTSUPP;
	for (pos = 0; pos < bytes; pos += n) {
		n = min_t(size_t, bytes - pos, COPY_STEP);
		if (src->is_iomem)
			memcpy_fromio(dst->vaddr + pos, src->vaddr_iomem + pos,
				      n);
		else
			iosys_map_memcpy_to(dst, pos, src->vaddr + pos, n);
		cond_resched();
	}
	return 0;
}

/* @slot_of: the loop that @dst is a slot of, or NULL. */
static int copy_plane(struct v4l2dma_loop *slot_of, struct v4l2dma_plane *dst,
		      const struct v4l2dma_taken *taken, unsigned int nr)
{
	struct v4l2dma_plane *src = taken->planes.at[nr];
	size_t bytes = taken->meta.planes[nr].bytesused;
	size_t skip = taken->skip[nr];
	struct v4l2dma_cpu_map from, to;
	struct iosys_map pixels;
	int ret;

	if (bytes > dst->size || skip + bytes > v4l2dma_plane_room(src))
		return -EOVERFLOW;
	ret = v4l2dma_cpu_begin(src, DMA_FROM_DEVICE, &from);
	if (ret)
		return ret;
	ret = slot_of ? v4l2dma_cpu_begin_slot(slot_of, dst, &to) :
			v4l2dma_cpu_begin(dst, DMA_TO_DEVICE, &to);
	if (!ret) {
		pixels = from.map;
		iosys_map_incr(&pixels, skip);
		ret = v4l2dma_copy_map(&to.map, &pixels, bytes);
		v4l2dma_cpu_end(&to);
	}
	v4l2dma_cpu_end(&from);
	return ret;
}

/**
 * v4l2dma_copy() - copy a frame into a reader's own memory
 * @dst: where to
 * @taken: the frame
 *
 * Return: the bytes copied, or a negative errno.
 */
ssize_t v4l2dma_copy(const struct v4l2dma_planes *dst,
		     const struct v4l2dma_taken *taken)
{
	unsigned int i;
	int ret;

	for (i = 0; i < dst->n; i++) {
		ret = copy_plane(NULL, dst->at[i], taken, i);
		if (ret)
			return ret;
	}
	return v4l2dma_meta_bytes(&taken->meta);
}

/**
 * v4l2dma_copy_shared() - copy planes into their slot, once for all readers
 * @dst: a reader's planes with the slot's memory
 * @taken: the frame
 * @which: bits of the planes that are copied
 *
 * Nobody else looks at the slot's memory then: the frame that was there before
 * has been given back by every reader. Who comes second waits at the first
 * plane until all are there, so that one reader makes the whole copy.
 *
 * Return: the bytes copied now, 0 if another reader has done it or the frame
 * was lost meanwhile, or a negative errno.
 */
ssize_t v4l2dma_copy_shared(const struct v4l2dma_planes *dst,
			    const struct v4l2dma_taken *taken,
			    unsigned long which)
{
	unsigned long locked = 0, done = 0;
	size_t bytes = 0;
	unsigned int i;
	int ret = 0;

	for_each_set_bit(i, &which, V4L2DMA_MAX_PLANES) {
		ret = v4l2dma_pages_lock_copy(dst->at[i]->dbuf, taken->pixels,
					      i);
		if (ret < 0)
			break;
		if (!ret)
			continue;
		locked |= BIT(i);
		ret = copy_plane(dst->at[i]->h->loop, dst->at[i], taken, i);
		if (ret)
			break;
		done |= BIT(i);
		bytes += taken->meta.planes[i].bytesused;
	}
	for_each_set_bit(i, &locked, V4L2DMA_MAX_PLANES)
		v4l2dma_pages_unlock_copy(dst->at[i]->dbuf, taken->pixels,
					  done & BIT(i));
	return ret < 0 ? ret : bytes;
}
