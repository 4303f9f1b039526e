/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what happens to each frame. See docs/tracing.md.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM v4l2dma

#if !defined(V4L2DMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define V4L2DMA_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(v4l2dma_queue,
	    TP_PROTO(u32 loop, unsigned int slot, u64 frame, u32 bytes,
		     unsigned int readers),
	    TP_ARGS(loop, slot, frame, bytes, readers),
	    TP_STRUCT__entry(__field(u32, loop)
			     __field(unsigned int, slot)
			     __field(u64, frame)
			     __field(u32, bytes)
			     __field(unsigned int, readers)),
	    TP_fast_assign(__entry->loop = loop;
			   __entry->slot = slot;
			   __entry->frame = frame;
			   __entry->bytes = bytes;
			   __entry->readers = readers;),
	    TP_printk("loop=%u slot=%u frame=%llu bytes=%u readers=%u",
		      __entry->loop, __entry->slot, __entry->frame,
		      __entry->bytes, __entry->readers));

TRACE_EVENT(v4l2dma_own,
	    TP_PROTO(u32 loop, u64 frame, bool placeholder,
		     unsigned int readers),
	    TP_ARGS(loop, frame, placeholder, readers),
	    TP_STRUCT__entry(__field(u32, loop)
			     __field(u64, frame)
			     __field(bool, placeholder)
			     __field(unsigned int, readers)),
	    TP_fast_assign(__entry->loop = loop;
			   __entry->frame = frame;
			   __entry->placeholder = placeholder;
			   __entry->readers = readers;),
	    TP_printk("loop=%u frame=%llu %s readers=%u", __entry->loop,
		      __entry->frame,
		      __entry->placeholder ? "placeholder" : "repeated",
		      __entry->readers));

DECLARE_EVENT_CLASS(v4l2dma_claim,
		    TP_PROTO(u32 loop, u32 reader, unsigned int slot,
			     u64 frame),
		    TP_ARGS(loop, reader, slot, frame),
		    TP_STRUCT__entry(__field(u32, loop)
				     __field(u32, reader)
				     __field(unsigned int, slot)
				     __field(u64, frame)),
		    TP_fast_assign(__entry->loop = loop;
				   __entry->reader = reader;
				   __entry->slot = slot;
				   __entry->frame = frame;),
		    TP_printk("loop=%u reader=%u slot=%u frame=%llu",
			      __entry->loop, __entry->reader, __entry->slot,
			      __entry->frame));

DEFINE_EVENT(v4l2dma_claim, v4l2dma_deliver,
	     TP_PROTO(u32 loop, u32 reader, unsigned int slot, u64 frame),
	     TP_ARGS(loop, reader, slot, frame));

DEFINE_EVENT(v4l2dma_claim, v4l2dma_release,
	     TP_PROTO(u32 loop, u32 reader, unsigned int slot, u64 frame),
	     TP_ARGS(loop, reader, slot, frame));

DEFINE_EVENT(v4l2dma_claim, v4l2dma_drop,
	     TP_PROTO(u32 loop, u32 reader, unsigned int slot, u64 frame),
	     TP_ARGS(loop, reader, slot, frame));

DEFINE_EVENT(v4l2dma_claim, v4l2dma_reclaim,
	     TP_PROTO(u32 loop, u32 reader, unsigned int slot, u64 frame),
	     TP_ARGS(loop, reader, slot, frame));

TRACE_EVENT(v4l2dma_copy,
	    TP_PROTO(u32 loop, u32 reader, size_t bytes),
	    TP_ARGS(loop, reader, bytes),
	    TP_STRUCT__entry(__field(u32, loop)
			     __field(u32, reader)
			     __field(size_t, bytes)),
	    TP_fast_assign(__entry->loop = loop;
			   __entry->reader = reader;
			   __entry->bytes = bytes;),
	    TP_printk("loop=%u reader=%u bytes=%zu", __entry->loop,
		      __entry->reader, __entry->bytes));

TRACE_EVENT(v4l2dma_reader,
	    TP_PROTO(u32 loop, u32 reader, bool begins),
	    TP_ARGS(loop, reader, begins),
	    TP_STRUCT__entry(__field(u32, loop)
			     __field(u32, reader)
			     __field(bool, begins)),
	    TP_fast_assign(__entry->loop = loop;
			   __entry->reader = reader;
			   __entry->begins = begins;),
	    TP_printk("loop=%u reader=%u %s", __entry->loop, __entry->reader,
		      __entry->begins ? "begins" : "ends"));

#endif /* V4L2DMA_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
