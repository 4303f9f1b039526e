// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's own memory: zeroed pages, exported as a dma-buf.
 *
 * Pages are inserted into mappings as normal pages, not as bare PFNs, so that
 * get_user_pages works on a mapping of a frame (MSG_ZEROCOPY, io_uring).
 */
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "v4l2dma.h"

/**
 * struct v4l2dma_pages - what is behind a dma-buf of ours
 * @pages: the memory
 * @n_pages: their number
 * @lock: covers @attachments, @vaddr
 * @attachments: devices that have it mapped
 * @vaddr: kernel mapping, made at the first vmap and kept until the release:
 *	a reader that needs copies maps the same slot again and again
 * @copy_lock: held while a copy is made into the memory; covers @copy_id and
 *	@newest
 * @copy_id: frame whose copy the memory holds; readers share it
 * @newest: of all frames that were ever copied here
 */
struct v4l2dma_pages {
	struct page **pages;
	unsigned int n_pages;
	struct mutex lock;		/* attachments, vaddr */
	struct list_head attachments;
	void *vaddr;
	struct mutex copy_lock;		/* copy_id, newest */
	u64 copy_id;
	u64 newest;
};

struct v4l2dma_attachment {
	struct list_head entry;
	struct device *dev;
	struct sg_table sgt;
	bool mapped;
};

static void free_pages_of(struct v4l2dma_pages *p)
{
	unsigned int i;

	vunmap(p->vaddr);
	for (i = 0; i < p->n_pages && p->pages[i]; i++)
		__free_page(p->pages[i]);
	kvfree(p->pages);
	mutex_destroy(&p->copy_lock);
	mutex_destroy(&p->lock);
	kfree(p);
}

static int pages_attach(struct dma_buf *dbuf, struct dma_buf_attachment *at)
{
	struct v4l2dma_pages *p = dbuf->priv;
	struct v4l2dma_attachment *a;
	int ret;

	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	ret = sg_alloc_table_from_pages(&a->sgt, p->pages, p->n_pages, 0,
					dbuf->size, GFP_KERNEL);
	if (ret) {
		kfree(a);
		return ret;
	}
	a->dev = at->dev;
	at->priv = a;

	mutex_lock(&p->lock);
	list_add(&a->entry, &p->attachments);
	mutex_unlock(&p->lock);
	return 0;
}

static void pages_detach(struct dma_buf *dbuf, struct dma_buf_attachment *at)
{
	struct v4l2dma_pages *p = dbuf->priv;
	struct v4l2dma_attachment *a = at->priv;

	mutex_lock(&p->lock);
	list_del(&a->entry);
	mutex_unlock(&p->lock);
	sg_free_table(&a->sgt);
	kfree(a);
}

static struct sg_table *pages_map(struct dma_buf_attachment *at,
				  enum dma_data_direction dir)
{
	struct v4l2dma_pages *p = at->dmabuf->priv;
	struct v4l2dma_attachment *a = at->priv;
	int ret;

	ret = dma_map_sgtable(at->dev, &a->sgt, dir, 0);
	if (ret)
		return ERR_PTR(ret);
	mutex_lock(&p->lock);
	a->mapped = true;
	mutex_unlock(&p->lock);
	return &a->sgt;
}

static void pages_unmap(struct dma_buf_attachment *at, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct v4l2dma_pages *p = at->dmabuf->priv;
	struct v4l2dma_attachment *a = at->priv;

	/* Nobody synchronises from now on what is gone next. */
	mutex_lock(&p->lock);
	a->mapped = false;
	mutex_unlock(&p->lock);
	dma_unmap_sgtable(at->dev, sgt, dir, 0);
}

static int pages_begin_cpu(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	struct v4l2dma_pages *p = dbuf->priv;
	struct v4l2dma_attachment *a;

	mutex_lock(&p->lock);
	if (p->vaddr)
		invalidate_kernel_vmap_range(p->vaddr, dbuf->size);
	list_for_each_entry(a, &p->attachments, entry)
		if (a->mapped)
			dma_sync_sgtable_for_cpu(a->dev, &a->sgt, dir);
	mutex_unlock(&p->lock);
	return 0;
}

static int pages_end_cpu(struct dma_buf *dbuf, enum dma_data_direction dir)
{
	struct v4l2dma_pages *p = dbuf->priv;
	struct v4l2dma_attachment *a;

	mutex_lock(&p->lock);
	if (p->vaddr)
		flush_kernel_vmap_range(p->vaddr, dbuf->size);
	list_for_each_entry(a, &p->attachments, entry)
		if (a->mapped)
			dma_sync_sgtable_for_device(a->dev, &a->sgt, dir);
	mutex_unlock(&p->lock);
	return 0;
}

/* As vm_map_pages() does it, which takes the page table's lock for each page. */
static int pages_mmap(struct dma_buf *dbuf, struct vm_area_struct *vma)
{
	unsigned long n = vma_pages(vma), first = vma->vm_pgoff;
	struct v4l2dma_pages *p = dbuf->priv;

	if (!(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if (first >= p->n_pages || n > p->n_pages - first)
		return -ENXIO;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	return vm_insert_pages(vma, vma->vm_start, p->pages + first, &n);
}

static int pages_vmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	struct v4l2dma_pages *p = dbuf->priv;
	int ret = 0;

	mutex_lock(&p->lock);
	if (!p->vaddr)
		p->vaddr = vmap(p->pages, p->n_pages, VM_MAP, PAGE_KERNEL);
	if (p->vaddr)
		iosys_map_set_vaddr(map, p->vaddr);
	else
		ret = -ENOMEM;
	mutex_unlock(&p->lock);
	return ret;
}

static void pages_vunmap(struct dma_buf *dbuf, struct iosys_map *map)
{
	/* Kept, see struct v4l2dma_pages. */
}

static void pages_release(struct dma_buf *dbuf)
{
	free_pages_of(dbuf->priv);
}

static const struct dma_buf_ops v4l2dma_pages_ops = {
	.attach = pages_attach,
	.detach = pages_detach,
	.map_dma_buf = pages_map,
	.unmap_dma_buf = pages_unmap,
	.release = pages_release,
	.begin_cpu_access = pages_begin_cpu,
	.end_cpu_access = pages_end_cpu,
	.mmap = pages_mmap,
	.vmap = pages_vmap,
	.vunmap = pages_vunmap,
};

/*
 * Zeroed: nobody may find what another process left behind. The pages are in
 * nobody's RSS, so the OOM killer would end everybody but the one who asks for
 * too much: fail instead.
 */
#define GFP_PAGES	(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT | \
			 __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

static int fill_scattered(struct v4l2dma_pages *p)
{
	unsigned int i;

	for (i = 0; i < p->n_pages; i++) {
		p->pages[i] = alloc_page(GFP_PAGES);
		if (!p->pages[i] || fatal_signal_pending(current))
			return -ENOMEM;
		if (!(i % 256))
			cond_resched();
	}
	return 0;
}

/* One block of the page allocator, as pages that are freed one by one. */
static int fill_contiguous(struct v4l2dma_pages *p)
{
	unsigned int i, order = get_order((size_t)p->n_pages << PAGE_SHIFT);
	struct page *block;

	block = alloc_pages(GFP_PAGES, order);
	if (!block)
		return -ENOMEM;
	split_page(block, order);
	for (i = 0; i < 1U << order; i++) {
		if (i < p->n_pages)
			p->pages[i] = block + i;
		else
			__free_page(block + i);
	}
	return 0;
}

static struct v4l2dma_pages *alloc_pages_of(unsigned int n_pages,
					    bool contiguous)
{
	struct v4l2dma_pages *p;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	mutex_init(&p->lock);
	mutex_init(&p->copy_lock);
	INIT_LIST_HEAD(&p->attachments);
	p->n_pages = n_pages;
	p->pages = kvcalloc(n_pages, sizeof(*p->pages), GFP_KERNEL);
	if (!p->pages) {
		p->n_pages = 0;
		goto fail;
	}
	if (contiguous ? fill_contiguous(p) : fill_scattered(p))
		goto fail;
	return p;

fail:
	free_pages_of(p);
	return ERR_PTR(-ENOMEM);
}

/**
 * v4l2dma_pages_create() - allocate memory and export it
 * @size: bytes, whole pages
 * @contiguous: in one piece for devices; no more than the page allocator's
 *	largest block
 *
 * Return: a dma-buf with one reference, or an ERR_PTR.
 */
struct dma_buf *v4l2dma_pages_create(unsigned long size, bool contiguous)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct v4l2dma_pages *p;
	struct dma_buf *dbuf;

	p = alloc_pages_of(size >> PAGE_SHIFT, contiguous);
	if (IS_ERR(p))
		return ERR_CAST(p);

	info.ops = &v4l2dma_pages_ops;
	info.size = size;
	info.flags = O_RDWR;
	info.priv = p;
	dbuf = dma_buf_export(&info);
	if (IS_ERR(dbuf))
		free_pages_of(p);
	return dbuf;
}

/**
 * v4l2dma_pages_lock_copy() - begin to share a copy of a frame
 * @dbuf: memory that v4l2dma_pages_create() made
 * @id: the frame
 * @plane: which plane of it; those of one frame are locked in their order
 *
 * A frame older than one that was copied here has been lost by the reader that
 * asks, to a reclaim or the writer's STREAMOFF: somebody else may look at the
 * newer one now, and it stays.
 *
 * Return: 0 if the memory holds a copy of it already, or of a newer frame, and
 * nothing is locked; 1 if the caller shall make it and then call
 * v4l2dma_pages_unlock_copy(); -ERESTARTSYS.
 */
int v4l2dma_pages_lock_copy(struct dma_buf *dbuf, u64 id, unsigned int plane)
{
	struct v4l2dma_pages *p = dbuf->priv;

	if (mutex_lock_interruptible_nested(&p->copy_lock, plane))
		return -ERESTARTSYS;
	if (p->copy_id == id || p->newest > id) {
		mutex_unlock(&p->copy_lock);
		return 0;
	}
	p->copy_id = 0;
	p->newest = id;
	return 1;
}

/**
 * v4l2dma_pages_unlock_copy() - end what v4l2dma_pages_lock_copy() began
 * @dbuf: the memory
 * @id: the frame
 * @done: the copy is whole
 */
void v4l2dma_pages_unlock_copy(struct dma_buf *dbuf, u64 id, bool done)
{
	struct v4l2dma_pages *p = dbuf->priv;

	p->copy_id = done ? id : 0;
	mutex_unlock(&p->copy_lock);
}
