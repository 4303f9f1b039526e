/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * v4l2dma: a virtual video cable whose frames are dma-bufs.
 *
 * A loop has a writer (one file handle that owns the OUTPUT queue) and
 * readers (file handles that own a CAPTURE queue each). Buffer i of the writer
 * and buffer i of every reader are the same slot, and a slot's memory is a
 * dma-buf: either the module's own pages or what the writer imported.
 *
 * Who takes a frame where:
 *
 *	writer's QBUF -> flow: offered to every reader, waits in its list
 *	reader's DQBUF -> flow: taken; reader.c lends it or copies it
 *	reader's QBUF -> flow: given back; the last one completes the writer's
 *			       buffer, which the writer's DQBUF then finds
 *
 * Frames of the loop's own (own.c), while the writer is silent, go the same way.
 *
 * Locks, outermost first:
 *
 *	v4l2dma_driver.lock	the list of loops
 *	v4l2dma_handle.lock	one file handle: its queues and its role. It is
 *				the lock that the V4L2 core takes for queue
 *				ioctls, and vb2's q->lock. Given up while DQBUF,
 *				read() or write() sleep.
 *	mm->mmap_lock		(get_userptr, copies from and to user space)
 *	v4l2dma_loop.lock	format, capabilities, roles: vdev->lock
 *	v4l2dma_loop.controls	(its own lock) controls and their events
 *	v4l2dma_pool.lock	the slots' memory
 *	vb2 q->mmap_lock
 *	v4l2dma_plane.lock	what a buffer shows to its user
 *	v4l2dma_pages.copy_lock	the copy that readers share
 *	dma_resv		(taken by dma_buf_vmap and friends)
 *	v4l2dma_pages.lock	attachments and kernel mapping
 *	v4l2dma_loop.flow_lock	(spinlock) frames, claims, readers, counters
 *	vb2 q->done_lock
 *
 * Of the planes of one buffer the locks are taken in the planes' order.
 *
 * Nothing sleeps under flow_lock, and no lock of one handle is ever taken
 * under that of another: a reader that waits for a page or a fence delays
 * nobody else.
 */
#ifndef V4L2DMA_H
#define V4L2DMA_H

#include <linux/bitmap.h>
#include <linux/dma-buf.h>
#include <linux/hrtimer.h>
#include <linux/iosys-map.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-dev.h>
#include <media/v4l2-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-mem2mem.h>
#include <media/videobuf2-v4l2.h>

#include <uapi/v4l2dma.h>

#define V4L2DMA_MAX_LOOPS	32	/* at load time, and at any time */
#define V4L2DMA_MAX_SLOTS	VB2_MAX_FRAME
#define V4L2DMA_OWN_SLOTS	2	/* behind these: the loop's own frames */
#define V4L2DMA_ALL_SLOTS	(V4L2DMA_MAX_SLOTS + V4L2DMA_OWN_SLOTS)
#define V4L2DMA_MAX_COMPONENTS	3
#define V4L2DMA_MAX_PLANES	3	/* memory planes of a frame */
#define V4L2DMA_MIN_WIDTH	16
#define V4L2DMA_MAX_WIDTH	8192
#define V4L2DMA_MIN_HEIGHT	16
#define V4L2DMA_MAX_HEIGHT	8192

struct frame_vector;
struct platform_device;
struct v4l2dma_handle;
struct v4l2dma_loop;

/**
 * struct v4l2dma_config - what a loop is set to
 * @video_nr: wanted number of /dev/videoN, or -1
 * @capture_nr: likewise, of the readers' node where it is one of its own
 * @label: card name
 * @exclusive_caps: announce one side at a time
 * @no_dmabuf: offer neither V4L2_MEMORY_DMABUF nor VIDIOC_EXPBUF
 * @split_nodes: a node for the writer and one for readers
 * @lossless: the writer waits, rather than that a reader loses a frame
 * @contiguous: the loop's own memory is in one piece for devices
 * @multiplanar: the nodes give the multi-planar API, and formats with several
 *	memory planes, instead of the single-planar one
 * @has_gid: @allowed_gid is set
 * @allowed_gid: who may open the node, beside CAP_SYS_ADMIN
 * @min_buffers: fewest slots
 * @max_buffers: most slots
 * @max_readers: most readers at a time
 * @max_openers: most open handles
 * @max_pending: most frames that wait for one reader
 * @reclaim_ms: how long a reader may keep a frame while the writer starves
 * @max_width: largest frame, in pixels
 * @max_height: largest frame, in lines
 * @timeout_ms: readers get the loop's own picture when the writer was silent for
 *	so long, 0 is never
 * @debug: verbosity of the kernel log, 0 is silent
 *
 * What v4l2dma_config_change() may change is written under loop->lock and
 * flow_lock both, all else never while the loop exists.
 */
struct v4l2dma_config {
	int video_nr;
	int capture_nr;
	char label[V4L2DMA_LABEL_LEN];
	bool exclusive_caps;
	bool no_dmabuf;
	bool split_nodes;
	bool lossless;
	bool contiguous;
	bool multiplanar;
	bool has_gid;
	kgid_t allowed_gid;
	u32 min_buffers;
	u32 max_buffers;
	u32 max_readers;
	u32 max_openers;
	u32 max_pending;
	u32 reclaim_ms;
	u32 max_width;
	u32 max_height;
	u32 timeout_ms;
	u32 debug;
};

/**
 * struct v4l2dma_plane - one plane's memory of a vb2 buffer (its mem_priv)
 * @ref: held by vb2, by each frame that lies in it and by each mapping
 * @maps: live mappings of the buffer, for V4L2_BUF_FLAG_MAPPED
 * @lock: covers @lent, @held, @held_bytes, @bound and @shown, and with @bound a
 *	change of @dbuf
 * @h: whose buffer it is, valid as long as vb2 has it; NULL for write()
 * @nr: which plane of the buffer, where the memory is ours
 * @dbuf: the memory: pages of the pool or of this buffer alone (MMAP), or what
 *	the user imported (DMABUF). NULL for USERPTR
 * @lent: reader, MMAP: the writer's own dma-buf while the reader holds a frame
 *	that needed no copy
 * @held: pixels that the reader holds in @lent, for a late mmap
 * @held_bytes: payload of that frame in this plane
 * @shared: @dbuf is the slot's memory; everybody's buffer of this index has it.
 *	The planes of a buffer are so all or none
 * @slot: its index
 * @bound: @dbuf is what the writer's index is bound to, and not ours
 * @shown: @dbuf was mapped or exported, so every frame must be found there
 * @vec: USERPTR: the pinned pages
 * @vaddr: USERPTR: where the kernel sees them
 * @write: USERPTR: the kernel writes into them
 * @size: usable bytes
 */
struct v4l2dma_plane {
	refcount_t ref;
	atomic_t maps;
	struct mutex lock;		/* lent ... bound, shown */
	struct v4l2dma_handle *h;
	unsigned int nr;
	struct dma_buf *dbuf;
	struct dma_buf *lent;
	u64 held;
	u32 held_bytes;
	bool shared;
	unsigned int slot;
	bool bound;
	bool shown;
	struct frame_vector *vec;
	void *vaddr;
	bool write;
	unsigned long size;
};

/**
 * struct v4l2dma_planes - all memory of a frame or of a buffer
 * @n: how many planes
 * @at: these. Two may be one, where the writer imports one dma-buf twice
 */
struct v4l2dma_planes {
	unsigned int n;
	struct v4l2dma_plane *at[V4L2DMA_MAX_PLANES];
};

/**
 * struct v4l2dma_buffer - a buffer of a reader's or writer's queue
 * @vb: first, vb2 asks for it
 * @entry: in &v4l2dma_reader.spare; flow_lock
 */
struct v4l2dma_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head entry;
};

/**
 * struct v4l2dma_payload - what is in a plane
 * @bytesused: in bytes, from the start of the memory
 * @data_offset: how many of these are before the pixels
 */
struct v4l2dma_payload {
	u32 bytesused;
	u32 data_offset;
};

/**
 * struct v4l2dma_meta - what travels with the pixels
 * @timestamp: nanoseconds; the writer's, or CLOCK_MONOTONIC if it gave none
 * @planes: payload, all 0 for planes that are not there
 * @field: enum v4l2_field
 * @flags: V4L2_BUF_FLAG_* that a writer may set
 * @timecode: valid with V4L2_BUF_FLAG_TIMECODE
 */
struct v4l2dma_meta {
	u64 timestamp;
	struct v4l2dma_payload planes[V4L2DMA_MAX_PLANES];
	u32 field;
	u32 flags;
	struct v4l2_timecode timecode;
};

/**
 * struct v4l2dma_frame - what lies in a slot; all under flow_lock
 * @entry: in &v4l2dma_loop.live, oldest first, while @live and not @own
 * @live: queued by the writer and not yet given back to it, or @own and claimed
 * @own: the loop's own, no writer waits for it
 * @vb: the writer's buffer, NULL if it came by write()
 * @planes: the memory; kept until the slot's next frame or STREAMOFF
 * @claims: readers that it waits for or that hold it, and the loop itself while
 *	it is &v4l2dma_loop.kept or &v4l2dma_loop.grabbed
 * @taken: readers that hold it
 * @id: counts the loop's frames, from 1; a repeated frame gets a new one
 * @pixels: @id of when these pixels came
 * @meta: travels to the readers
 */
struct v4l2dma_frame {
	struct list_head entry;
	bool live;
	bool own;
	struct vb2_buffer *vb;
	struct v4l2dma_planes planes;
	unsigned int claims;
	unsigned int taken;
	u64 id;
	u64 pixels;
	struct v4l2dma_meta meta;
};

/**
 * enum v4l2dma_claim_state - a reader's relation to the frame of a slot
 * @V4L2DMA_CLAIM_NONE: none
 * @V4L2DMA_CLAIM_WAITING: offered; may be dropped at no cost
 * @V4L2DMA_CLAIM_TAKEN: in the reader's hands
 */
enum v4l2dma_claim_state {
	V4L2DMA_CLAIM_NONE,
	V4L2DMA_CLAIM_WAITING,
	V4L2DMA_CLAIM_TAKEN,
};

/**
 * struct v4l2dma_claim - one reader's claim on one slot; flow_lock
 * @entry: in &v4l2dma_reader.waiting while WAITING
 * @state: see enum v4l2dma_claim_state
 * @id: of the frame
 * @sequence: of the frame, as the reader counts
 * @timestamp: of the frame when it was offered: a repeated one has another
 * @since: when it came into this state
 * @copied: something of the frame was copied for the reader, and the copy is
 *	counted
 */
struct v4l2dma_claim {
	struct list_head entry;
	enum v4l2dma_claim_state state;
	u64 id;
	u32 sequence;
	u64 timestamp;
	ktime_t since;
	bool copied;
};

/**
 * struct v4l2dma_reader - the reading side of a handle; flow_lock
 * @entry: in &v4l2dma_loop.readers while it streams
 * @wq: woken when a frame waits
 * @waiting: claims in state WAITING, oldest first
 * @n_waiting: their number
 * @n_held: claims in state TAKEN
 * @claims: by slot
 * @by_read: uses read(): no buffers, every frame fits
 * @polled: so far it has only polled, and not read; written under the handle's
 *	lock
 * @format_gen: &v4l2dma_loop.format_gen that its buffers were made for
 * @bound: some of its buffers have the memory of the writer's for good
 * @shared: buffers whose memory is the slot's: they take frames of their index
 * @queued: of these, the ones that the reader gave to us
 * @n_private: MMAP buffers with memory of their own: they take copies of any
 *	frame
 * @foreign: its buffers are USERPTR or DMABUF: these do so, too
 * @spare: of these, the ones that the reader gave to us
 * @nr: counts the readers that began, from 1; for the tracepoints
 * @base: the next frame's sequence is its id less this. 0 after STREAMON, and
 *	without a gap where the loop's own frames passed the reader by
 * @stats: counters since STREAMON; only its __u64 members are used
 */
struct v4l2dma_reader {
	struct list_head entry;
	wait_queue_head_t *wq;
	struct list_head waiting;
	unsigned int n_waiting;
	unsigned int n_held;
	struct v4l2dma_claim claims[V4L2DMA_ALL_SLOTS];
	bool by_read;
	bool polled;
	u32 format_gen;
	bool bound;
	DECLARE_BITMAP(shared, V4L2DMA_ALL_SLOTS);
	DECLARE_BITMAP(queued, V4L2DMA_ALL_SLOTS);
	unsigned int n_private;
	bool foreign;
	struct list_head spare;
	u32 nr;
	u64 base;
	struct v4l2dma_reader_stats stats;
};

/**
 * struct v4l2dma_taken - a frame in a reader's hands
 * @slot: its slot
 * @id: its number
 * @pixels: &v4l2dma_frame.pixels
 * @sequence: as the reader counts
 * @planes: its memory, with references of its own
 * @meta: what came with it
 * @skip: by plane, how much of its beginning the reader does not get, because
 *	its buffer has no room for it
 * @extra: of the loop's own: no loss if it is lost
 */
struct v4l2dma_taken {
	unsigned int slot;
	u64 id;
	u64 pixels;
	u32 sequence;
	struct v4l2dma_planes planes;
	struct v4l2dma_meta meta;
	u32 skip[V4L2DMA_MAX_PLANES];
	bool extra;
};

/**
 * enum v4l2dma_role - what a handle is to its loop
 * @V4L2DMA_ROLE_NONE: nothing yet
 * @V4L2DMA_ROLE_WRITER: owns the OUTPUT queue
 * @V4L2DMA_ROLE_WRITE: writes frames with write()
 * @V4L2DMA_ROLE_READER: owns a CAPTURE queue
 * @V4L2DMA_ROLE_READ: reads frames with read()
 */
enum v4l2dma_role {
	V4L2DMA_ROLE_NONE,
	V4L2DMA_ROLE_WRITER,
	V4L2DMA_ROLE_WRITE,
	V4L2DMA_ROLE_READER,
	V4L2DMA_ROLE_READ,
};

/**
 * struct v4l2dma_rest - the part of a frame that read() has not fetched yet
 * @data: a private copy, NULL if there is none
 * @size: bytes in it
 * @pos: bytes already fetched
 */
struct v4l2dma_rest {
	void *data;
	size_t size;
	size_t pos;
};

/**
 * struct v4l2dma_handle - an open file
 * @fh: first, the V4L2 core finds it in file->private_data
 * @m2m: the handle's two queues. Only q_lock and the queues are used: q_lock
 *	makes the core take @lock for queue ioctls instead of the node's lock
 * @loop: what it is open on
 * @entry: in &v4l2dma_loop.handles; loop->lock
 * @lock: see the lock order above
 * @role: written under @lock and loop->lock
 * @in_pool: counted in &v4l2dma_pool.users; @lock
 * @own_first: index of its first buffer for the loop's own slots; @lock
 * @asked_capture: it last asked about the capture side; loop->lock
 * @wish: the format that it set last, as it said it; loop->lock
 * @alloc_slots: REQBUFS is under way: buffers take the slots' memory; @lock
 * @n_planes: of the format that the buffers were made for; @lock
 * @sizeimage: likewise, by plane; @lock
 * @prio: in &v4l2dma_loop.prio; loop->lock
 * @n_slots: slots of a write() writer; @lock
 * @slots: memory of these; @lock
 * @rest: for read(); @lock
 * @reader: the reading side
 * @pid: who opened it
 * @comm: name of that process
 */
struct v4l2dma_handle {
	struct v4l2_fh fh;
	struct v4l2_m2m_ctx m2m;
	struct v4l2dma_loop *loop;
	struct list_head entry;
	struct mutex lock;		/* queues, role, read() and write() */
	enum v4l2dma_role role;
	bool in_pool;
	bool asked_capture;
	bool alloc_slots;
	unsigned int own_first;
	unsigned int n_planes;
	u32 sizeimage[V4L2DMA_MAX_PLANES];
	struct v4l2_pix_format_mplane wish;
	enum v4l2_priority prio;
	unsigned int n_slots;
	struct v4l2dma_planes slots[V4L2DMA_MAX_SLOTS];
	struct v4l2dma_rest rest;
	struct v4l2dma_reader reader;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct v4l2dma_pool - the loop's own memory, one dma-buf per slot and plane
 * @lock: covers all of it
 * @users: handles that settled on @slots; the pool is freed with the last one,
 *	because a dma-buf of ours pins the module
 * @slots: number of slots, 0 while nobody uses the pool
 * @size: bytes of a slot by plane, whole pages; 0 for planes that are not there
 * @mem: the slots' memory, made when a buffer first needs it
 */
struct v4l2dma_pool {
	struct mutex lock;		/* all of it */
	unsigned int users;
	unsigned int slots;
	unsigned long size[V4L2DMA_MAX_PLANES];
	struct dma_buf *mem[V4L2DMA_MAX_SLOTS][V4L2DMA_MAX_PLANES];
};

/**
 * struct v4l2dma_image - a frame that a writer stored to be shown
 * @ref: the loop, and whoever draws it just now
 * @format: of the frame
 * @meta: the planes' payloads
 * @data: pixels of all planes
 */
struct v4l2dma_image {
	refcount_t ref;
	struct v4l2_pix_format_mplane format;
	struct v4l2dma_meta meta;
	u8 data[];
};

/**
 * struct v4l2dma_placeholder - what readers see while there is no signal
 * @memory: the picture, the same in all of the loop's own slots; no planes before
 *	somebody who reads made it. Nobody writes there any more
 * @payload: of each plane
 * @failed: it could not be made; not tried again before anything changes
 * @serial: counts what the picture depends on: format, image
 * @image: what the writer stored, or NULL for bars; shown while the loop has its
 *	format
 * @payer: to whose memory what is made in the background is charged, or NULL
 */
struct v4l2dma_placeholder {
	struct v4l2dma_planes memory;
	struct v4l2dma_payload payload[V4L2DMA_MAX_PLANES];
	bool failed;
	u32 serial;
	struct v4l2dma_image *image;
	struct mem_cgroup *payer;
};

/**
 * struct v4l2dma_loop - a virtual video cable
 * @entry: in &v4l2dma_driver.loops
 * @id: its number
 * @config: what it is set to
 * @v4l2_dev: its release frees the loop
 * @vdev: the node; with split nodes the writer's
 * @capture_vdev: with split nodes the readers'
 * @controls: of both nodes
 * @lock: vdev->lock; covers the members up to @placeholder
 * @format: of the frames, at both ends; also of a loop with the single-planar
 *	API, which knows one memory plane. What is unused in it is 0: formats
 *	are compared as a whole
 * @format_gen: counts the changes of @format
 * @timeperframe: nominal frame interval
 * @prio: what VIDIOC_S_PRIORITY was told
 * @writer: the handle with role WRITER or WRITE
 * @n_readers: handles with role READER or READ
 * @handles: all open handles
 * @n_handles: their number
 * @fixed_bindings: the control
 * @keep_format: the output side offers no format but this
 * @removed: no handle may come any more, and nobody waits
 * @placeholder: what readers see while there is no signal
 * @pool: the slots' memory
 * @flow_lock: covers the members below
 * @fixed: the writer's indices keep their dma-bufs
 * @will_be_fixed: what the control says, @fixed as soon as the writer does not
 *	stream
 * @bound: these, by slot and plane
 * @streaming: the writer streams
 * @sustain: the newest frame is repeated when the next one is late
 * @writer_slots: how many slots the writer works with
 * @writer_sequence: the writer's next frame's, since its STREAMON
 * @frames: by slot
 * @live: the writer's frames in flight, oldest first
 * @n_live: their number
 * @kept: of these, the newest one, if it may have to be repeated
 * @grab: the next one becomes the placeholder
 * @grab_nr: counts what was said about that
 * @grabbed: that frame, while it is copied
 * @last_id: id of the newest frame
 * @newest: likewise, of the writer's
 * @last_frame: when that came, or when the loop was made
 * @last_timestamp: its timestamp, of whatever clock; ns
 * @own_timestamp: of the newest frame of the loop's own since then, or 0
 * @last_reader: number of the newest reader
 * @readers: readers that stream
 * @pool_stale: a reader may still look at memory that the writer got back
 * @stats: counters
 * @writer_wq: a write() writer waits here for a slot
 * @reclaim_work: takes slots from readers that kept them too long
 * @pace_timer: when the next frame of the loop's own may be due; starts @pace_work
 * @pace_work: looks what is due
 * @pace_next: no frame of the loop's own before that; @lock
 * @image_work: stores the frame that was grabbed, makes the picture
 */
struct v4l2dma_loop {
	struct list_head entry;
	u32 id;
	struct v4l2dma_config config;
	struct v4l2_device v4l2_dev;
	struct video_device vdev;
	struct video_device capture_vdev;
	struct v4l2_ctrl_handler controls;

	struct mutex lock;		/* format ... placeholder */
	struct v4l2_pix_format_mplane format;
	u32 format_gen;
	struct v4l2_fract timeperframe;
	struct v4l2_prio_state prio;
	struct v4l2dma_handle *writer;
	unsigned int n_readers;
	struct list_head handles;
	unsigned int n_handles;
	struct v4l2_ctrl *fixed_bindings;
	bool keep_format;
	bool removed;
	struct v4l2dma_placeholder placeholder;

	struct v4l2dma_pool pool;

	spinlock_t flow_lock;		/* fixed ... stats */
	bool fixed;
	bool will_be_fixed;
	struct dma_buf *bound[V4L2DMA_ALL_SLOTS][V4L2DMA_MAX_PLANES];
	bool streaming;
	bool sustain;
	unsigned int writer_slots;
	u64 writer_sequence;
	struct v4l2dma_frame frames[V4L2DMA_ALL_SLOTS];
	struct list_head live;
	unsigned int n_live;
	struct v4l2dma_frame *kept;
	bool grab;
	u32 grab_nr;
	struct v4l2dma_frame *grabbed;
	u64 last_id;
	u64 newest;
	ktime_t last_frame;
	u64 last_timestamp;
	u64 own_timestamp;
	u32 last_reader;
	struct list_head readers;
	bool pool_stale;
	struct v4l2dma_loop_stats stats;
	wait_queue_head_t writer_wq;
	struct delayed_work reclaim_work;
	struct hrtimer pace_timer;
	struct work_struct pace_work;
	ktime_t pace_next;
	struct work_struct image_work;
};

#define v4l2dma_dbg(loop, level, fmt, ...)				\
	do {								\
		const struct v4l2dma_loop *l_ = (loop);			\
									\
		if (l_->config.debug >= (level))			\
			v4l2_info(&l_->v4l2_dev, fmt, ##__VA_ARGS__);	\
	} while (0)

static inline struct v4l2dma_handle *to_handle(struct file *file)
{
	return container_of(file->private_data, struct v4l2dma_handle, fh);
}

/* Both kinds of each side; a node has one of them. */
#define V4L2DMA_CAP_CAPTURE	(V4L2_CAP_VIDEO_CAPTURE | \
				 V4L2_CAP_VIDEO_CAPTURE_MPLANE)
#define V4L2DMA_CAP_OUTPUT	(V4L2_CAP_VIDEO_OUTPUT | \
				 V4L2_CAP_VIDEO_OUTPUT_MPLANE)

/*
 * How much can be read there. A dma-buf that is several planes of a frame has
 * the size of one of them.
 */
static inline size_t v4l2dma_plane_room(const struct v4l2dma_plane *plane)
{
	return plane->dbuf ? plane->dbuf->size : plane->size;
}

/* Of all planes. */
static inline u64 v4l2dma_meta_bytes(const struct v4l2dma_meta *meta)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < V4L2DMA_MAX_PLANES; i++)
		bytes += meta->planes[i].bytesused;
	return bytes;
}

static inline struct v4l2dma_buffer *to_v4l2dma_buffer(struct vb2_buffer *vb)
{
	return container_of(to_vb2_v4l2_buffer(vb), struct v4l2dma_buffer, vb);
}

/* The two queues of a handle; which of them it uses is its role. */
static inline struct vb2_queue *capture_queue(struct v4l2dma_handle *h)
{
	return &h->m2m.cap_q_ctx.q;
}

static inline struct vb2_queue *output_queue(struct v4l2dma_handle *h)
{
	return &h->m2m.out_q_ctx.q;
}

/* main.c */
/**
 * struct v4l2dma_driver - the module
 * @lock: covers @loops, @n_loops and @next_id
 * @loops: all loops, by id
 * @n_loops: their number
 * @next_id: no loop has or had it
 * @had_node: a node was there, and may be open
 * @pdev: their parent device
 */
struct v4l2dma_driver {
	struct mutex lock;		/* loops, n_loops, next_id */
	struct list_head loops;
	unsigned int n_loops;
	u32 next_id;
	bool had_node;
	struct platform_device *pdev;
};

extern struct v4l2dma_driver v4l2dma_driver;

struct v4l2dma_loop *v4l2dma_driver_add(const struct v4l2dma_config *config);
int v4l2dma_driver_remove(struct v4l2dma_loop *loop, bool force);

/* config.c */
void v4l2dma_config_default(struct v4l2dma_config *c);
bool v4l2dma_check_range(const char *name, long long value, long long min,
			 long long max);
bool v4l2dma_config_valid(struct v4l2dma_config *c);
int v4l2dma_config_from_user(struct v4l2dma_config *c,
			     const struct v4l2dma_loop_config *user);
void v4l2dma_config_to_user(struct v4l2dma_loop_config *user,
			    const struct v4l2dma_config *c);
int v4l2dma_config_change(struct v4l2dma_config *c,
			  const struct v4l2dma_config *wish, u32 which);

/* loop.c */
struct v4l2dma_loop *v4l2dma_loop_create(struct device *parent, u32 id,
					 const struct v4l2dma_config *config);
bool v4l2dma_loop_may_go(struct v4l2dma_loop *loop, bool force);
void v4l2dma_loop_remove(struct v4l2dma_loop *loop);
int v4l2dma_loop_set(struct v4l2dma_loop *loop,
		     const struct v4l2dma_config *wish, u32 which);
void v4l2dma_loop_update_caps(struct v4l2dma_loop *loop);
void v4l2dma_loop_set_format(struct v4l2dma_loop *loop,
			     const struct v4l2_pix_format_mplane *format);

/* handle.c */
struct v4l2dma_handle *v4l2dma_handle_create(struct v4l2dma_loop *loop,
					     struct file *file);
void v4l2dma_handle_destroy(struct v4l2dma_handle *h, struct file *file);
bool v4l2dma_handle_sees(struct v4l2dma_handle *h, u32 type);
bool v4l2dma_handle_shut_out(struct v4l2dma_handle *h, u32 type);
int v4l2dma_handle_take_role(struct v4l2dma_handle *h, enum v4l2dma_role role);
void v4l2dma_handle_drop_role(struct v4l2dma_handle *h);

/* event.c */
int v4l2dma_event_subscribe(struct v4l2_fh *fh,
			    const struct v4l2_event_subscription *sub);
void v4l2dma_event_readers(struct v4l2dma_loop *loop);
void v4l2dma_event_end(struct v4l2dma_loop *loop);
void v4l2dma_event_source_change(struct v4l2dma_handle *h);
void v4l2dma_event_removed(struct v4l2dma_loop *loop);
int v4l2dma_controls_init(struct v4l2dma_loop *loop);

/* binding.c */
int v4l2dma_binding_allows(struct v4l2dma_loop *loop, unsigned int slot,
			   unsigned int plane, struct dma_buf *dbuf);
int v4l2dma_binding_make(struct v4l2dma_loop *loop, unsigned int slot,
			 const struct v4l2dma_planes *planes);
struct dma_buf *v4l2dma_binding_get(struct v4l2dma_handle *h,
				    unsigned int slot, unsigned int plane);
void v4l2dma_bindings_end(struct v4l2dma_loop *loop);
void v4l2dma_bindings_set(struct v4l2dma_loop *loop, bool fixed);
void v4l2dma_bindings_writer_stopped(struct v4l2dma_loop *loop);

/* file.c, ioctl.c */
extern const struct v4l2_file_operations v4l2dma_fops;
extern const struct v4l2_ioctl_ops v4l2dma_ioctl_ops;

/* format.c */
void v4l2dma_format_default(struct v4l2_pix_format_mplane *pix,
			    const struct v4l2dma_config *c);
void v4l2dma_format_drop_leftovers(struct v4l2_pix_format_mplane *pix,
				   const struct v4l2_pix_format_mplane *old);
bool v4l2dma_format_same_layout(const struct v4l2_pix_format_mplane *a,
				const struct v4l2_pix_format_mplane *b);
void v4l2dma_format_keep_sizes(struct v4l2_pix_format_mplane *pix,
			       const struct v4l2_pix_format_mplane *old);
void v4l2dma_format_adjust(struct v4l2_pix_format_mplane *pix,
			   const struct v4l2dma_config *c);
void v4l2dma_format_to_user(struct v4l2_format *user,
			    const struct v4l2_pix_format_mplane *pix);
void v4l2dma_format_from_user(struct v4l2_pix_format_mplane *pix,
			      const struct v4l2_format *user);
bool v4l2dma_format_known(u32 fourcc, const struct v4l2dma_config *c);
bool v4l2dma_format_compressed(u32 fourcc);
const char *v4l2dma_format_name(u32 fourcc);
u32 v4l2dma_format_nth(unsigned int index, const struct v4l2dma_config *c);
u32 v4l2dma_format_size(const struct v4l2_pix_format_mplane *pix);
u32 v4l2dma_format_room(u32 sizeimage);
u32 v4l2dma_format_max_size(const struct v4l2_pix_format_mplane *pix,
			    unsigned int plane);
void v4l2dma_format_steps(u32 fourcc, u32 *width, u32 *height);
void v4l2dma_format_tighten(struct v4l2_pix_format_mplane *pix);

/**
 * struct v4l2dma_component - a component plane within a frame
 * @plane: its memory plane
 * @offset: of its first byte there
 * @stride: bytes from line to line
 * @vsub: lines of the picture in one of its lines
 * @hsub: pixels of the picture in
 * @bits: so many bits of a line
 */
struct v4l2dma_component {
	unsigned int plane;
	u32 offset;
	u32 stride;
	u32 vsub;
	u32 hsub;
	u32 bits;
};

unsigned int
v4l2dma_format_components(const struct v4l2_pix_format_mplane *pix,
			  struct v4l2dma_component parts[V4L2DMA_MAX_COMPONENTS]);

/* picture.c */
int v4l2dma_picture_draw(const struct v4l2_pix_format_mplane *pix,
			 void *const out[V4L2DMA_MAX_PLANES]);

/* placeholder.c */
void v4l2dma_placeholder_init(struct v4l2dma_loop *loop);
bool v4l2dma_placeholder_missing(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_prepare(struct v4l2dma_loop *loop);
struct dma_buf *v4l2dma_placeholder_memory(struct v4l2dma_loop *loop,
					   unsigned int plane,
					   unsigned long size);
void v4l2dma_placeholder_show(struct v4l2dma_loop *loop, ktime_t now,
			      u64 timestamp);
void v4l2dma_placeholder_forget(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_store(struct v4l2dma_loop *loop, bool store);
void v4l2dma_placeholder_pay(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_recolour(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_kick(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_stop(struct v4l2dma_loop *loop);
void v4l2dma_placeholder_free(struct v4l2dma_loop *loop);

/* pace.c */
void v4l2dma_pace_init(struct v4l2dma_loop *loop);
void v4l2dma_pace_kick(struct v4l2dma_loop *loop);
void v4l2dma_pace_stop(struct v4l2dma_loop *loop);

/* queue.c */
int v4l2dma_queues_init(struct v4l2dma_handle *h);

/* reader.c */
void v4l2dma_reader_init(struct v4l2dma_handle *h);
bool v4l2dma_reader_outdated(struct v4l2dma_handle *h);
int v4l2dma_reader_dqbuf(struct v4l2dma_handle *h, struct v4l2_buffer *b,
			 bool nonblock);
int v4l2dma_reader_begin_read(struct v4l2dma_handle *h);
void v4l2dma_reader_end_read(struct v4l2dma_handle *h);
ssize_t v4l2dma_reader_read(struct v4l2dma_handle *h, char __user *buf,
			    size_t count, bool nonblock);

/* writer.c */
ssize_t v4l2dma_writer_write(struct v4l2dma_handle *h, const char __user *buf,
			     size_t count, bool nonblock);
bool v4l2dma_writer_can_write(struct v4l2dma_handle *h);
void v4l2dma_writer_end_write(struct v4l2dma_handle *h);

/* flow.c */
void v4l2dma_flow_init(struct v4l2dma_loop *loop);
void v4l2dma_flow_writer_start(struct v4l2dma_loop *loop, unsigned int slots);
void v4l2dma_flow_set_slots(struct v4l2dma_loop *loop, unsigned int slots);
void v4l2dma_flow_writer_stop(struct v4l2dma_loop *loop);
u64 v4l2dma_flow_publish(struct v4l2dma_loop *loop, unsigned int slot,
			 struct vb2_buffer *vb,
			 const struct v4l2dma_planes *planes,
			 const struct v4l2dma_meta *meta);
int v4l2dma_flow_free_slot(struct v4l2dma_loop *loop, unsigned int slots);
void v4l2dma_flow_reader_start(struct v4l2dma_loop *loop,
			       struct v4l2dma_reader *reader, bool mmap);
unsigned int v4l2dma_flow_readers(struct v4l2dma_loop *loop);
void v4l2dma_flow_reader_stop(struct v4l2dma_loop *loop,
			      struct v4l2dma_reader *reader);
bool v4l2dma_flow_readable(struct v4l2dma_loop *loop,
			   struct v4l2dma_reader *reader);
bool v4l2dma_flow_take(struct v4l2dma_loop *loop, struct v4l2dma_reader *reader,
		       struct v4l2dma_taken *taken);
bool v4l2dma_flow_finish(struct v4l2dma_loop *loop,
			 struct v4l2dma_reader *reader,
			 const struct v4l2dma_taken *taken, bool keep);
void v4l2dma_flow_abandon(struct v4l2dma_loop *loop,
			  struct v4l2dma_reader *reader,
			  const struct v4l2dma_taken *taken);
void v4l2dma_flow_give_back(struct v4l2dma_loop *loop,
			    struct v4l2dma_reader *reader, unsigned int slot);
void v4l2dma_flow_count_copy(struct v4l2dma_loop *loop,
			     struct v4l2dma_reader *reader, unsigned int slot,
			     size_t bytes);
void v4l2dma_flow_count_reclaim(struct v4l2dma_loop *loop);

/* own.c */
bool v4l2dma_own_wanted(struct v4l2dma_loop *loop);
ktime_t v4l2dma_own_silence(struct v4l2dma_loop *loop, ktime_t now);
u64 v4l2dma_own_timestamp(struct v4l2dma_loop *loop, ktime_t now, u64 lag);
void v4l2dma_own_publish(struct v4l2dma_loop *loop,
			 const struct v4l2dma_planes *memory,
			 const struct v4l2dma_meta *meta);
void v4l2dma_own_repeat(struct v4l2dma_loop *loop, u64 timestamp);
void v4l2dma_own_sustain(struct v4l2dma_loop *loop, bool sustain);
void v4l2dma_own_end(struct v4l2dma_loop *loop);
void v4l2dma_own_grab_next(struct v4l2dma_loop *loop, bool grab);
void v4l2dma_own_writer_waits(struct v4l2dma_loop *loop);
bool v4l2dma_own_grabbed(struct v4l2dma_loop *loop,
			 struct v4l2dma_taken *frame, u32 *nr);
bool v4l2dma_own_ungrab(struct v4l2dma_loop *loop,
			const struct v4l2dma_taken *frame, u32 nr, bool done);

/* memops.c */
extern const struct vb2_mem_ops v4l2dma_mem_ops;
struct v4l2dma_plane *v4l2dma_plane_create(struct v4l2dma_handle *h,
					   struct dma_buf *dbuf,
					   unsigned long size);
void v4l2dma_plane_lend(struct v4l2dma_plane *plane,
			const struct v4l2dma_taken *taken);
struct v4l2dma_plane *v4l2dma_plane_get(struct v4l2dma_plane *plane);
void v4l2dma_plane_put(struct v4l2dma_plane *plane);
void v4l2dma_planes_of(struct v4l2dma_planes *planes, struct vb2_buffer *vb);
void v4l2dma_planes_get(const struct v4l2dma_planes *planes);
void v4l2dma_planes_put(const struct v4l2dma_planes *planes);
void v4l2dma_planes_unlend(const struct v4l2dma_planes *planes);

/* pool.c */
unsigned int v4l2dma_pool_join(struct v4l2dma_handle *h, unsigned int want,
			       const struct v4l2_pix_format_mplane *format,
			       bool writer);
void v4l2dma_pool_leave(struct v4l2dma_handle *h);
struct dma_buf *v4l2dma_pool_slot(struct v4l2dma_loop *loop, unsigned int slot,
				  unsigned int plane, unsigned long size);

/* pages.c */
struct dma_buf *v4l2dma_pages_create(unsigned long size, bool contiguous);
int v4l2dma_pages_lock_copy(struct dma_buf *dbuf, u64 id, unsigned int plane);
void v4l2dma_pages_unlock_copy(struct dma_buf *dbuf, u64 id, bool done);

/* copy.c */
struct v4l2dma_cpu_map {
	struct v4l2dma_plane *plane;
	enum dma_data_direction dir;
	struct iosys_map map;
};

int v4l2dma_cpu_begin(struct v4l2dma_plane *plane, enum dma_data_direction dir,
		      struct v4l2dma_cpu_map *cpu);
int v4l2dma_cpu_begin_slot(struct v4l2dma_loop *loop,
			   struct v4l2dma_plane *plane,
			   struct v4l2dma_cpu_map *cpu);
int v4l2dma_cpu_begin_soon(struct v4l2dma_loop *loop,
			   struct v4l2dma_plane *plane,
			   enum dma_data_direction dir, unsigned int ms,
			   struct v4l2dma_cpu_map *cpu);
void v4l2dma_cpu_end(struct v4l2dma_cpu_map *cpu);
int v4l2dma_copy_map(struct iosys_map *dst, const struct iosys_map *src,
		     size_t bytes);
ssize_t v4l2dma_copy(const struct v4l2dma_planes *dst,
		     const struct v4l2dma_taken *taken);
ssize_t v4l2dma_copy_shared(const struct v4l2dma_planes *dst,
			    const struct v4l2dma_taken *taken,
			    unsigned long which);

/* control.c */
int v4l2dma_control_register(void);
void v4l2dma_control_unregister(void);

#endif /* V4L2DMA_H */
