/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernel versions (6.1 to 7.2), and no other file
 * tests a version.
 */
#ifndef V4L2DMA_COMPAT_H
#define V4L2DMA_COMPAT_H

#include <linux/dma-buf.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/version.h>
#include <media/v4l2-fh.h>
#include <media/videobuf2-core.h>
#include <media/videobuf2-memops.h>
#include <media/videobuf2-v4l2.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define V4L2DMA_IMPORT_DMA_BUF_NS	MODULE_IMPORT_NS("DMA_BUF")
#else
#define V4L2DMA_IMPORT_DMA_BUF_NS	MODULE_IMPORT_NS(DMA_BUF)
#endif

/* 6.2 made the caller of dma_buf_vmap() hold the reservation lock. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define dma_buf_vmap_unlocked		dma_buf_vmap
#define dma_buf_vunmap_unlocked		dma_buf_vunmap
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* From 6.4 on the caller says whether the pages get written. */
static inline struct frame_vector *
v4l2dma_create_framevec(unsigned long start, unsigned long length, bool write)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return vb2_create_framevec(start, length, write);
#else
	return vb2_create_framevec(start, length);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
static inline unsigned int vb2_get_num_buffers(struct vb2_queue *q)
{
	return q->num_buffers;
}
#endif

/*
 * Without these, DQBUF would sleep with the queue's lock held; from 6.14 on
 * vb2 does it by itself with q->lock, and later kernels lack the ops.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define V4L2DMA_VB2_WAIT_OPS			\
	.wait_prepare = vb2_ops_wait_prepare,	\
	.wait_finish = vb2_ops_wait_finish,
#else
#define V4L2DMA_VB2_WAIT_OPS
#endif

/* 6.18 gave the care for file->private_data to these. */
static inline void v4l2dma_fh_add(struct v4l2_fh *fh, struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	v4l2_fh_add(fh, file);
#else
	file->private_data = fh;
	v4l2_fh_add(fh);
#endif
}

static inline void v4l2dma_fh_del(struct v4l2_fh *fh, struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	v4l2_fh_del(fh, file);
#else
	file->private_data = NULL;
	v4l2_fh_del(fh);
#endif
}

/* 6.13 put both steps into one, and 6.15 dropped the old one. */
static inline void v4l2dma_timer_init(struct hrtimer *timer,
				      enum hrtimer_restart (*run)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, run, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer->function = run;
#endif
}

/* Formats that came later; where the core does not know them, nobody else does. */
#ifndef V4L2_PIX_FMT_BGR48_12
#define V4L2_PIX_FMT_BGR48_12	v4l2_fourcc('B', '3', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_BGR48
#define V4L2_PIX_FMT_BGR48	v4l2_fourcc('B', 'G', 'R', '6')
#endif
#ifndef V4L2_PIX_FMT_RGB48
#define V4L2_PIX_FMT_RGB48	v4l2_fourcc('R', 'G', 'B', '6')
#endif
#ifndef V4L2_PIX_FMT_ABGR64_12
#define V4L2_PIX_FMT_ABGR64_12	v4l2_fourcc('B', '4', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_RGBX1010102
#define V4L2_PIX_FMT_RGBX1010102	v4l2_fourcc('R', 'X', '3', '0')
#endif
#ifndef V4L2_PIX_FMT_RGBA1010102
#define V4L2_PIX_FMT_RGBA1010102	v4l2_fourcc('R', 'A', '3', '0')
#endif
#ifndef V4L2_PIX_FMT_ARGB2101010
#define V4L2_PIX_FMT_ARGB2101010	v4l2_fourcc('A', 'R', '3', '0')
#endif
#ifndef V4L2_PIX_FMT_Y210
#define V4L2_PIX_FMT_Y210	v4l2_fourcc('Y', '2', '1', '0')
#endif
#ifndef V4L2_PIX_FMT_Y212
#define V4L2_PIX_FMT_Y212	v4l2_fourcc('Y', '2', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_Y216
#define V4L2_PIX_FMT_Y216	v4l2_fourcc('Y', '2', '1', '6')
#endif
#ifndef V4L2_PIX_FMT_YUV48_12
#define V4L2_PIX_FMT_YUV48_12	v4l2_fourcc('Y', '3', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_P012
#define V4L2_PIX_FMT_P012	v4l2_fourcc('P', '0', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_P012M
#define V4L2_PIX_FMT_P012M	v4l2_fourcc('P', 'M', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_Y012
#define V4L2_PIX_FMT_Y012	v4l2_fourcc('Y', '0', '1', '2')
#endif
#ifndef V4L2_PIX_FMT_Y12P
#define V4L2_PIX_FMT_Y12P	v4l2_fourcc('Y', '1', '2', 'P')
#endif
#ifndef V4L2_PIX_FMT_Y14P
#define V4L2_PIX_FMT_Y14P	v4l2_fourcc('Y', '1', '4', 'P')
#endif
#ifndef V4L2_PIX_FMT_NV15_4L4
#define V4L2_PIX_FMT_NV15_4L4	v4l2_fourcc('V', 'T', '1', '5')
#endif
#ifndef V4L2_PIX_FMT_P010_4L4
#define V4L2_PIX_FMT_P010_4L4	v4l2_fourcc('T', '0', '1', '0')
#endif
#ifndef V4L2_PIX_FMT_AV1
#define V4L2_PIX_FMT_AV1	v4l2_fourcc('A', 'V', '0', '1')
#endif

#endif /* V4L2DMA_COMPAT_H */
