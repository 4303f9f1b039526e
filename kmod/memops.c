// SPDX-License-Identifier: GPL-2.0-only
/*
 * vb2_mem_ops: the memory behind the buffers of both sides.
 *
 * A buffer's memory is a dma-buf: the slot's (or, after CREATE_BUFS, one of
 * its own) for MMAP, the user's for DMABUF. USERPTR is pinned pages, and the
 * only memory without a dma-buf.
 */
#include <linux/dma-buf.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "v4l2dma.h"

static struct v4l2dma_plane *init_plane(struct v4l2dma_plane *plane,
					struct v4l2dma_handle *h,
					struct dma_buf *dbuf,
					unsigned long size)
{
	refcount_set(&plane->ref, 1);
	mutex_init(&plane->lock);
	plane->h = h;
	plane->dbuf = dbuf;
	plane->size = size;
	return plane;
}

/**
 * v4l2dma_plane_create() - wrap memory
 * @h: whose buffer it will be, or NULL
 * @dbuf: the memory, whose reference moves to the plane (also on failure), or
 *	NULL
 * @size: usable bytes
 *
 * Return: a plane with one reference, or an ERR_PTR.
 */
struct v4l2dma_plane *v4l2dma_plane_create(struct v4l2dma_handle *h,
					   struct dma_buf *dbuf,
					   unsigned long size)
{
	struct v4l2dma_plane *plane;

	plane = kzalloc(sizeof(*plane), GFP_KERNEL);
	if (plane)
		return init_plane(plane, h, dbuf, size);
	if (dbuf)
		dma_buf_put(dbuf);
	return ERR_PTR(-ENOMEM);
}

/**
 * v4l2dma_plane_get() - take a reference
 * @plane: to which
 *
 * Return: @plane.
 */
struct v4l2dma_plane *v4l2dma_plane_get(struct v4l2dma_plane *plane)
{
	refcount_inc(&plane->ref);
	return plane;
}

static void unpin_user(struct v4l2dma_plane *plane)
{
	struct frame_vector *vec = plane->vec;
	unsigned int i, n = frame_vector_count(vec);
	struct page **pages = frame_vector_pages(vec);

	vm_unmap_ram((void *)((unsigned long)plane->vaddr & PAGE_MASK), n);
	if (plane->write && !IS_ERR(pages))
		for (i = 0; i < n; i++)
			set_page_dirty_lock(pages[i]);
	vb2_destroy_framevec(vec);
}

/**
 * v4l2dma_plane_put() - drop a reference; the last one frees the memory
 * @plane: whose; may be NULL
 *
 * Context: may sleep.
 */
void v4l2dma_plane_put(struct v4l2dma_plane *plane)
{
	if (!plane || !refcount_dec_and_test(&plane->ref))
		return;
	if (plane->vec)
		unpin_user(plane);
	if (plane->lent)
		dma_buf_put(plane->lent);
	if (plane->dbuf)
		dma_buf_put(plane->dbuf);
	mutex_destroy(&plane->lock);
	kfree(plane);
}

/**
 * v4l2dma_plane_lend() - let a reader's buffer show the writer's own dma-buf
 * @plane: of the reader's buffer; its lock is held and it is not @shown
 * @taken: the frame
 */
void v4l2dma_plane_lend(struct v4l2dma_plane *plane,
			const struct v4l2dma_taken *taken)
{
	struct dma_buf *lent = taken->planes.at[plane->nr]->dbuf;

	lockdep_assert_held(&plane->lock);
	get_dma_buf(lent);
	plane->lent = lent;
	plane->held = taken->pixels;
	plane->held_bytes = taken->meta.planes[plane->nr].bytesused;
}

static void unlend(struct v4l2dma_plane *plane)
{
	struct dma_buf *lent;

	mutex_lock(&plane->lock);
	lent = plane->lent;
	plane->lent = NULL;
	mutex_unlock(&plane->lock);
	if (lent)
		dma_buf_put(lent);
}

/**
 * v4l2dma_planes_of() - the memory of a buffer
 * @planes: filled in; no references are taken
 * @vb: the buffer
 */
void v4l2dma_planes_of(struct v4l2dma_planes *planes, struct vb2_buffer *vb)
{
	unsigned int i;

	planes->n = vb->num_planes;
	for (i = 0; i < planes->n; i++)
		planes->at[i] = vb->planes[i].mem_priv;
}

/**
 * v4l2dma_planes_get() - take a reference to each
 * @planes: to which
 */
void v4l2dma_planes_get(const struct v4l2dma_planes *planes)
{
	unsigned int i;

	for (i = 0; i < planes->n; i++)
		v4l2dma_plane_get(planes->at[i]);
}

/**
 * v4l2dma_planes_put() - drop a reference to each
 * @planes: whose; there may be none
 *
 * Context: may sleep.
 */
void v4l2dma_planes_put(const struct v4l2dma_planes *planes)
{
	unsigned int i;

	for (i = 0; i < planes->n; i++)
		v4l2dma_plane_put(planes->at[i]);
}

/**
 * v4l2dma_planes_unlend() - end what v4l2dma_plane_lend() began, when the reader
 *	gives the frame back
 * @planes: of the reader's buffer
 */
void v4l2dma_planes_unlend(const struct v4l2dma_planes *planes)
{
	unsigned int i;

	for (i = 0; i < planes->n; i++)
		unlend(planes->at[i]);
}

/* The frame lies elsewhere, but the user wants to see it in this memory. */
static int bring_home(struct v4l2dma_plane *plane)
{
	struct v4l2dma_planes home = {};
	struct v4l2dma_taken frame = { .pixels = plane->held };
	struct v4l2dma_handle *h = plane->h;
	struct v4l2dma_plane *from;
	ssize_t copied;

	get_dma_buf(plane->lent);
	from = v4l2dma_plane_create(NULL, plane->lent, plane->lent->size);
	if (IS_ERR(from))
		return PTR_ERR(from);
	home.at[plane->nr] = plane;
	frame.planes.at[plane->nr] = from;
	frame.meta.planes[plane->nr].bytesused = plane->held_bytes;
	copied = v4l2dma_copy_shared(&home, &frame, BIT(plane->nr));
	v4l2dma_plane_put(from);
	if (copied < 0)
		return copied;
	v4l2dma_flow_count_copy(h->loop, &h->reader, plane->slot, copied);
	dma_buf_put(plane->lent);
	plane->lent = NULL;
	return 0;
}

/* vb2 allocates the planes in their order, and does not say which it is at. */
static unsigned int next_plane(struct vb2_buffer *vb)
{
	unsigned int nr = 0;

	while (vb->planes[nr].mem_priv)
		nr++;
	return nr;
}

/* NULL if the buffer has to have memory of its own. */
static struct dma_buf *slot_memory(struct vb2_buffer *vb, unsigned int nr,
				   unsigned long size)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_plane *first = vb->planes[0].mem_priv;
	struct dma_buf *dbuf;

	if (!h->alloc_slots || (nr && !first->shared))
		return NULL;
	if (vb->index >= h->own_first)
		dbuf = v4l2dma_placeholder_memory(h->loop, nr, size);
	else
		dbuf = v4l2dma_pool_slot(h->loop, vb->index, nr, size);
	/* Another handle settled on another size just now. */
	return nr && !dbuf ? ERR_PTR(-EBUSY) : dbuf;
}

static void *memops_alloc(struct vb2_buffer *vb, struct device *dev,
			  unsigned long size)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	unsigned int nr = next_plane(vb);
	struct v4l2dma_plane *plane;
	struct dma_buf *dbuf;
	bool shared;

	dbuf = slot_memory(vb, nr, size);
	shared = dbuf;
	if (!dbuf)
		dbuf = v4l2dma_pages_create(size,
					    h->loop->config.contiguous);
	if (IS_ERR(dbuf))
		return dbuf;
	plane = v4l2dma_plane_create(h, dbuf, size);
	if (IS_ERR(plane))
		return plane;
	plane->shared = shared;
	plane->slot = vb->index;
	if (shared && vb->index >= h->own_first)
		plane->slot += V4L2DMA_MAX_SLOTS - h->own_first;
	plane->nr = nr;
	return plane;
}

static void memops_put(void *buf_priv)
{
	v4l2dma_plane_put(buf_priv);
}

/*
 * A reader's buffer that nobody has looked at yet becomes the memory that the
 * writer's index is bound to, if it is.
 */
static void bind(struct v4l2dma_plane *plane)
{
	struct dma_buf *bound;

	if (!plane->shared || plane->shown || !plane->h ||
	    plane->h->role != V4L2DMA_ROLE_READER)
		return;
	bound = v4l2dma_binding_get(plane->h, plane->slot, plane->nr);
	if (!bound)
		return;
	/* Our own memory, and a copy, is better than none to look at. */
	if (!bound->ops->mmap || bound->size < PAGE_ALIGN(plane->size)) {
		dma_buf_put(bound);
		return;
	}
	dma_buf_put(plane->dbuf);
	plane->dbuf = bound;
	plane->bound = true;
	/* A frame that the reader holds lies there. */
	if (plane->lent)
		dma_buf_put(plane->lent);
	plane->lent = NULL;
}

static struct dma_buf *memops_get_dmabuf(struct vb2_buffer *vb, void *buf_priv,
					 unsigned long flags)
{
	struct v4l2dma_plane *plane = buf_priv;
	struct dma_buf *dbuf;

	mutex_lock(&plane->lock);
	if (!plane->lent)
		bind(plane);
	dbuf = plane->lent;
	if (!dbuf) {
		dbuf = plane->dbuf;
		plane->shown = true;
	}
	get_dma_buf(dbuf);
	mutex_unlock(&plane->lock);
	return dbuf;
}

/*
 * What vb2 does not bound: lists of pages and page tables for a mapping of any
 * length would be kernel memory that nobody pays for.
 */
static bool is_absurd(const struct v4l2dma_handle *h, unsigned long size)
{
	unsigned int i;

	for (i = 0; i < h->n_planes; i++)
		if (size <= v4l2dma_format_room(h->sizeimage[i]))
			return false;
	return true;
}

static void *memops_get_userptr(struct vb2_buffer *vb, struct device *dev,
				unsigned long vaddr, unsigned long size)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_plane *plane;
	struct frame_vector *vec;
	void *start;
	int ret;

	if (is_absurd(h, size))
		return ERR_PTR(-EINVAL);
	plane = v4l2dma_plane_create(h, NULL, size);
	if (IS_ERR(plane))
		return plane;
	plane->write = !vb->vb2_queue->is_output;

	vec = v4l2dma_create_framevec(vaddr, size, plane->write);
	if (IS_ERR(vec)) {
		v4l2dma_plane_put(plane);
		return vec;
	}
	/* Device memory behind the pointer has no pages, and no use here. */
	ret = -EFAULT;
	if (frame_vector_to_pages(vec))
		goto fail;
	ret = -ENOMEM;
	start = vm_map_ram(frame_vector_pages(vec), frame_vector_count(vec),
			   NUMA_NO_NODE);
	if (!start)
		goto fail;
	plane->vec = vec;
	plane->vaddr = start + offset_in_page(vaddr);
	return plane;

fail:
	vb2_destroy_framevec(vec);
	v4l2dma_plane_put(plane);
	return ERR_PTR(ret);
}

/*
 * Must not fail: vb2 (seen in 6.12) then loses the references to the dma-bufs
 * that it has not attached yet, and they are never freed. What it takes is
 * small enough to be waited for.
 */
static void *memops_attach_dmabuf(struct vb2_buffer *vb, struct device *dev,
				  struct dma_buf *dbuf, unsigned long size)
{
	struct v4l2dma_handle *h = vb2_get_drv_priv(vb->vb2_queue);
	struct v4l2dma_plane *plane;

	plane = kzalloc(sizeof(*plane), GFP_KERNEL | __GFP_NOFAIL);
	get_dma_buf(dbuf);
	return init_plane(plane, h, dbuf, size);
}

/* No device of ours reads it: the readers' devices attach when they import. */
static int memops_map_dmabuf(void *buf_priv)
{
	return 0;
}

static void memops_unmap_dmabuf(void *buf_priv)
{
}

static unsigned int memops_num_users(void *buf_priv)
{
	struct v4l2dma_plane *plane = buf_priv;

	return 1 + atomic_read(&plane->maps);
}

static void plane_vm_open(struct vm_area_struct *vma)
{
	struct v4l2dma_plane *plane = vma->vm_private_data;

	v4l2dma_plane_get(plane);
	atomic_inc(&plane->maps);
}

static void plane_vm_close(struct vm_area_struct *vma)
{
	struct v4l2dma_plane *plane = vma->vm_private_data;

	atomic_dec(&plane->maps);
	v4l2dma_plane_put(plane);
}

/* All pages are there from the start: these count, they need no fault. */
static const struct vm_operations_struct plane_vm_ops = {
	.open = plane_vm_open,
	.close = plane_vm_close,
};

/* What its exporter gave out for reading is not written through us. */
static int protect(struct dma_buf *dbuf, struct vm_area_struct *vma)
{
	if (dbuf->file->f_mode & FMODE_WRITE)
		return 0;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	vm_flags_clear(vma, VM_MAYWRITE);
	return 0;
}

static int memops_mmap(void *buf_priv, struct vm_area_struct *vma)
{
	struct v4l2dma_plane *plane = buf_priv;
	int ret = 0;

	/* vb2 shows a buffer (from 6.8 on) before its memory is there. */
	if (!plane)
		return -EINVAL;
	mutex_lock(&plane->lock);
	bind(plane);
	if (plane->lent)
		ret = bring_home(plane);
	if (!ret && plane->bound)
		ret = protect(plane->dbuf, vma);
	if (!ret)
		ret = dma_buf_mmap(plane->dbuf, vma, 0);
	if (!ret)
		plane->shown = true;
	/* Its exporter has its own way of counting. */
	if (!ret && !plane->bound) {
		vma->vm_private_data = plane;
		vma->vm_ops = &plane_vm_ops;
		plane_vm_open(vma);
	}
	mutex_unlock(&plane->lock);
	return ret;
}

const struct vb2_mem_ops v4l2dma_mem_ops = {
	.alloc = memops_alloc,
	.put = memops_put,
	.get_dmabuf = memops_get_dmabuf,
	.get_userptr = memops_get_userptr,
	.put_userptr = memops_put,
	.attach_dmabuf = memops_attach_dmabuf,
	.detach_dmabuf = memops_put,
	.map_dmabuf = memops_map_dmabuf,
	.unmap_dmabuf = memops_unmap_dmabuf,
	.num_users = memops_num_users,
	.mmap = memops_mmap,
};
