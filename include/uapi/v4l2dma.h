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

/* v4l2dma_loop_config.flags */
#define V4L2DMA_LOOP_EXCLUSIVE_CAPS	(1u << 0)
#define V4L2DMA_LOOP_NO_DMABUF		(1u << 1)
#define V4L2DMA_LOOP_ALLOWED_GID_SET	(1u << 2)
#define V4L2DMA_LOOP_SPLIT_NODES	(1u << 3)
#define V4L2DMA_LOOP_LOSSLESS		(1u << 4)
#define V4L2DMA_LOOP_CONTIGUOUS		(1u << 5)
#define V4L2DMA_LOOP_MULTIPLANAR	(1u << 6)	/* V4L2_CAP_*_MPLANE */

/* v4l2dma_loop_info.writer_memory: V4L2_MEMORY_* or one of these */
#define V4L2DMA_WRITER_NONE	0u	/* nobody writes */
#define V4L2DMA_WRITER_RW	0x100u	/* a writer that uses write() */

/* v4l2dma_loop_query.flags */
#define V4L2DMA_QUERY_NEXT	(1u << 0)	/* first loop with an id >= id */

/* v4l2dma_loop_remove.flags */
#define V4L2DMA_REMOVE_FORCE	(1u << 0)	/* as if it was unplugged */

/* v4l2dma_loop_set.which */
#define V4L2DMA_SET_ALLOWED_GID	(1u << 0)	/* and its flag */
#define V4L2DMA_SET_MAX_READERS	(1u << 1)
#define V4L2DMA_SET_MAX_OPENERS	(1u << 2)
#define V4L2DMA_SET_MAX_PENDING	(1u << 3)
#define V4L2DMA_SET_RECLAIM_MS	(1u << 4)
#define V4L2DMA_SET_DEBUG	(1u << 5)
#define V4L2DMA_SET_TIMEOUT	(1u << 6)

/**
 * struct v4l2dma_loop_config - what a loop is set to
 * @flags: V4L2DMA_LOOP_*
 * @video_nr: wanted N of /dev/videoN, -1: any; with split nodes the writer's
 * @capture_nr: with split nodes the wanted N of the readers' node, -1: any
 * @allowed_gid: group that may open the nodes, valid with ALLOWED_GID_SET
 * @min_buffers: fewest slots the loop settles on
 * @max_buffers: most slots the loop settles on
 * @max_readers: most readers at a time
 * @max_openers: most open file handles at a time
 * @max_pending: most frames that wait for one reader
 * @reclaim_ms: how long a reader may keep a frame while the writer starves
 * @max_width: largest width of a frame, in pixels
 * @max_height: largest height of a frame, in pixels
 * @debug: verbosity of the kernel log
 * @timeout_ms: how long the writer is silent before readers get the loop's own
 *	picture, 0: they never do
 * @card_label: the name that VIDIOC_QUERYCAP answers with, NUL-terminated
 *
 * When a loop is made, 0 and an empty name mean the default. Read back, every
 * member has its value.
 */
struct v4l2dma_loop_config {
	__u32 flags;
	__s32 video_nr;
	__s32 capture_nr;
	__u32 allowed_gid;
	__u32 min_buffers;
	__u32 max_buffers;
	__u32 max_readers;
	__u32 max_openers;
	__u32 max_pending;
	__u32 reclaim_ms;
	__u32 max_width;
	__u32 max_height;
	__u32 debug;
	__u32 timeout_ms;
	__u8 card_label[V4L2DMA_LABEL_LEN];
};

/**
 * struct v4l2dma_loop_info - a loop, and what it does now
 * @id: number of the loop, unique while the module is loaded
 * @video_nr: name of the node: /dev/video<video_nr>; with split nodes the
 *	writer's
 * @capture_nr: of the node that readers use; with a single node the same
 * @slots: number of slots settled on, 0 while nobody has buffers
 * @readers: readers now
 * @writer_memory: V4L2_MEMORY_* or V4L2DMA_WRITER_*
 * @writer_streaming: 1 while the writer streams
 * @pixelformat: fourcc of the frames
 * @width: of the frames, in pixels
 * @height: of the frames, in pixels
 * @bytesperline: stride of the first component plane, in bytes
 * @sizeimage: bytes of one frame, in all its memory planes
 * @openers: open file handles
 * @readers_streaming: of the readers, those that have begun to stream or to read()
 * @config: what it is set to
 */
struct v4l2dma_loop_info {
	__u32 id;
	__u32 video_nr;
	__u32 capture_nr;
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
	__u32 readers_streaming;
	struct v4l2dma_loop_config config;
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
 * @placeholders: pictures of the loop's own that were shown to readers
 * @repeated: frames that were offered again because the next one was late
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
	__u64 placeholders;
	__u64 repeated;
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

/**
 * struct v4l2dma_loop_add - V4L2DMA_IOC_ADD: make a loop
 * @id: out: its number
 * @reserved: must be 0
 * @config: in: what it shall be set to; out: what it is set to, with the
 *	numbers of its nodes
 *
 * -EINVAL: out of range (the kernel log says what); -ENOSPC: there are as many
 * loops as can be.
 */
struct v4l2dma_loop_add {
	__u32 id;
	__u32 reserved;
	struct v4l2dma_loop_config config;
};

/**
 * struct v4l2dma_loop_remove - V4L2DMA_IOC_REMOVE
 * @id: in: which loop
 * @flags: in: V4L2DMA_REMOVE_*
 *
 * -EBUSY: somebody has it open. Forced, that is no reason: whoever has it open
 * gets what the users of a camera get that is unplugged, -ENODEV.
 */
struct v4l2dma_loop_remove {
	__u32 id;
	__u32 flags;
};

/**
 * struct v4l2dma_loop_set - V4L2DMA_IOC_SET: change what may change
 * @id: in: which loop
 * @which: in: V4L2DMA_SET_*
 * @config: in: the values; out: what the loop is set to now
 *
 * Who has the loop open keeps it open.
 */
struct v4l2dma_loop_set {
	__u32 id;
	__u32 which;
	struct v4l2dma_loop_config config;
};

/*
 * On the nodes themselves, for whoever has them open.
 */

/*
 * Controls. KEEP_FORMAT (boolean): the output side offers the format it has and
 * no other, whoever writes. FIXED_BINDINGS (boolean): the writer declares,
 * between its REQBUFS and its STREAMON (what is set later holds from its STREAMOFF
 * on), that each index keeps the dma-buf that is queued there first; another one is
 * -EINVAL then, and readers may map or export that memory at any time without a
 * copy. Ends with
 * the writer's buffers; readers that have the memory must make new buffers then,
 * as for V4L2_EVENT_SOURCE_CHANGE. Without a writer it is forgotten as soon as
 * anybody closes. With split nodes the writer's node has the controls.
 *
 * SUSTAIN_FRAMERATE (boolean): readers who gave a frame back get it again, with a
 * new timestamp and sequence, when the next one is late. STORE_PLACEHOLDER
 * (boolean): when it is set, the writer's next frame becomes the picture that
 * readers see without a signal, as long as the loop has its format; cleared, it
 * is colour bars again.
 */
#define V4L2DMA_CID_BASE	0x0098db00	/* V4L2_CID_USER_BASE | 0xdb00 */
#define V4L2DMA_CID_KEEP_FORMAT	(V4L2DMA_CID_BASE + 0)
#define V4L2DMA_CID_FIXED_BINDINGS	(V4L2DMA_CID_BASE + 1)
#define V4L2DMA_CID_SUSTAIN_FRAMERATE	(V4L2DMA_CID_BASE + 2)
#define V4L2DMA_CID_STORE_PLACEHOLDER	(V4L2DMA_CID_BASE + 3)

/*
 * A picture of the loop's own has V4L2_BUF_FLAG_TIMECODE, V4L2_TC_USERBITS_8BITCHARS,
 * and these four characters as userbits. The timecode is the time without a
 * signal.
 */
#define V4L2DMA_NO_SIGNAL_USERBITS	"NSIG"

/*
 * The event that the number of readers changed, so that a producer can sleep
 * while nobody looks. V4L2_EVENT_SUB_FL_SEND_INITIAL gives the number now.
 * Type: V4L2_EVENT_PRIVATE_START + 0xdb00; v4l2_event.u.data is this:
 */
#define V4L2DMA_EVENT_READERS	0x0800db00u

/**
 * struct v4l2dma_event_readers - payload of V4L2DMA_EVENT_READERS
 * @readers: how many there are
 */
struct v4l2dma_event_readers {
	__u32 readers;
};

#define V4L2DMA_IOC_TYPE		0xDB
#define V4L2DMA_IOC_QUERY_NR		0
#define V4L2DMA_IOC_STATS_NR		1
#define V4L2DMA_IOC_READER_STATS_NR	2
#define V4L2DMA_IOC_ADD_NR		3
#define V4L2DMA_IOC_REMOVE_NR		4
#define V4L2DMA_IOC_SET_NR		5

#define V4L2DMA_IOC_QUERY \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_QUERY_NR, struct v4l2dma_loop_query)
#define V4L2DMA_IOC_STATS \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_STATS_NR, struct v4l2dma_loop_stats)
#define V4L2DMA_IOC_READER_STATS \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_READER_STATS_NR, \
	      struct v4l2dma_reader_stats)
#define V4L2DMA_IOC_ADD \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_ADD_NR, struct v4l2dma_loop_add)
#define V4L2DMA_IOC_REMOVE \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_REMOVE_NR, \
	      struct v4l2dma_loop_remove)
#define V4L2DMA_IOC_SET \
	_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_SET_NR, struct v4l2dma_loop_set)

#endif /* _UAPI_V4L2DMA_H */
