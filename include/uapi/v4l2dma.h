/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * v4l2dma: the control interface of /dev/v4l2dma, shared by the kernel module
 * and every program that talks to it.
 *
 * All structures have fixed-width members, no implicit padding, and may grow
 * at their end only. Their size is part of the ioctl number (_IOC_SIZE): the
 * module reads and writes no more than the caller's structure has, and takes
 * what an older caller does not know as 0. A newer caller gets zeroes in the
 * members that an older module does not know, and -E2BIG if it asks for
 * something in them.
 */
#ifndef _UAPI_V4L2DMA_H
#define _UAPI_V4L2DMA_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define V4L2DMA_DRIVER_NAME	"v4l2dma"
#define V4L2DMA_CONTROL_NODE	"/dev/v4l2dma"

#define V4L2DMA_LABEL_LEN	32

/* v4l2dma_loop_info.flags */
#define V4L2DMA_LOOP_EXCLUSIVE_CAPS	(1u << 0)
#define V4L2DMA_LOOP_SUPPORT_DMABUF	(1u << 1)
#define V4L2DMA_LOOP_ALLOWED_GID_SET	(1u << 2)

/* v4l2dma_loop_info.writer_memory: V4L2_MEMORY_* or one of these */
#define V4L2DMA_WRITER_NONE	0u	/* nobody writes */
#define V4L2DMA_WRITER_RW	0x100u	/* a writer that uses write() */

/* v4l2dma_loop_query.flags */
#define V4L2DMA_QUERY_NEXT	(1u << 0)	/* first loop with an id >= id */

/**
 * struct v4l2dma_loop_info - what a loop is set to, and what it does now
 * @id: number of the loop, unique while the module is loaded
 * @flags: V4L2DMA_LOOP_*
 * @video_nr: minor name of the node: /dev/video<video_nr>
 * @min_buffers: fewest slots the loop settles on
 * @max_buffers: most slots the loop settles on
 * @max_readers: most readers at a time
 * @allowed_gid: group that may open the node, valid with ALLOWED_GID_SET
 * @reclaim_ms: how long a reader may keep a frame while the writer starves
 * @max_pending: most frames that wait for one reader
 * @slots: number of slots settled on, 0 while nobody has buffers
 * @readers: readers now
 * @writer_memory: V4L2_MEMORY_* or V4L2DMA_WRITER_*
 * @writer_streaming: 1 while the writer streams
 * @pixelformat: fourcc of the frames
 * @width: of the frames, in pixels
 * @height: of the frames, in pixels
 * @bytesperline: stride of the first component plane, in bytes
 * @sizeimage: bytes of one frame
 * @openers: open file handles
 * @card_label: the name that VIDIOC_QUERYCAP answers with, NUL-terminated
 */
struct v4l2dma_loop_info {
	__u32 id;
	__u32 flags;
	__u32 video_nr;
	__u32 min_buffers;
	__u32 max_buffers;
	__u32 max_readers;
	__u32 allowed_gid;
	__u32 reclaim_ms;
	__u32 max_pending;
	__u32 slots;
	__u32 readers;
	__u32 writer_memory;
	__u32 writer_streaming;
	__u32 pixelformat;
	__u32 width;
	__u32 height;
	__u32 bytesperline;
	__u32 sizeimage;
	__u32 openers;
	__u32 reserved;
	__u8 card_label[V4L2DMA_LABEL_LEN];
};

/**
 * struct v4l2dma_loop_query - V4L2DMA_IOC_QUERY
 * @id: in: the loop to ask for
 * @flags: in: V4L2DMA_QUERY_*
 * @info: out
 *
 * -ENOENT: no such loop (with QUERY_NEXT: no further loop).
 */
struct v4l2dma_loop_query {
	__u32 id;
	__u32 flags;
	struct v4l2dma_loop_info info;
};

/**
 * struct v4l2dma_loop_stats - V4L2DMA_IOC_STATS: counters since the loop exists
 * @id: in: the loop to ask for
 * @reserved: must be 0
 * @frames: frames that the writer queued
 * @delivered: frames handed to readers (one per reader)
 * @dropped: frames that a reader did not get, summed over all readers
 * @copies: frame copies made by the CPU
 * @copied_bytes: bytes of these copies
 * @reclaimed: slots taken back from a reader that kept them too long
 * @orphaned: slots that a reader still held when the writer stopped
 */
struct v4l2dma_loop_stats {
	__u32 id;
	__u32 reserved;
	__u64 frames;
	__u64 delivered;
	__u64 dropped;
	__u64 copies;
	__u64 copied_bytes;
	__u64 reclaimed;
	__u64 orphaned;
};

/**
 * struct v4l2dma_reader_stats - V4L2DMA_IOC_READER_STATS
 * @loop_id: in: the loop to ask for
 * @index: in: position among the loop's readers now, from 0
 * @pid: out: process that opened the reader's handle, 0 if it is of another
 *	pid namespace
 * @memory: out: V4L2_MEMORY_* or V4L2DMA_WRITER_RW for read()
 * @waiting: out: frames that wait for this reader
 * @held: out: frames that it has dequeued and not given back
 * @delivered: out: frames handed to it since its STREAMON
 * @dropped: out: frames it did not get since its STREAMON
 * @copies: out: copies made for it
 * @copied_bytes: out: bytes of these copies
 * @reclaimed: out: frames taken back from it
 * @comm: out: name of that process, NUL-terminated
 *
 * -ENOENT: the loop has no such reader.
 */
struct v4l2dma_reader_stats {
	__u32 loop_id;
	__u32 index;
	__u32 pid;
	__u32 memory;
	__u32 waiting;
	__u32 held;
	__u64 delivered;
	__u64 dropped;
	__u64 copies;
	__u64 copied_bytes;
	__u64 reclaimed;
	__u8 comm[16];
};

#define V4L2DMA_IOC_TYPE		0xDB
#define V4L2DMA_IOC_QUERY_NR		0
#define V4L2DMA_IOC_STATS_NR		1
#define V4L2DMA_IOC_READER_STATS_NR	2

#define V4L2DMA_IOC_QUERY \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_QUERY_NR, struct v4l2dma_loop_query)
#define V4L2DMA_IOC_STATS \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_STATS_NR, struct v4l2dma_loop_stats)
#define V4L2DMA_IOC_READER_STATS \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_READER_STATS_NR, \
	      struct v4l2dma_reader_stats)

#endif /* _UAPI_V4L2DMA_H */
