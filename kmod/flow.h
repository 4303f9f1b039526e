/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What flow.c lends to own.c; all with loop->flow_lock held.
 */
#ifndef V4L2DMA_FLOW_H
#define V4L2DMA_FLOW_H

#include "v4l2dma.h"

void v4l2dma_flow_complete(struct v4l2dma_loop *loop,
			   struct v4l2dma_frame *frame,
			   enum vb2_buffer_state state);
void v4l2dma_flow_offer(struct v4l2dma_loop *loop,
			struct v4l2dma_reader *reader,
			struct v4l2dma_frame *frame);
void v4l2dma_flow_end_frame(struct v4l2dma_loop *loop,
			    struct v4l2dma_frame *frame);
void v4l2dma_flow_let_go(struct v4l2dma_loop *loop,
			 struct v4l2dma_frame **frame);
void v4l2dma_flow_give_up(struct v4l2dma_loop *loop);
bool v4l2dma_flow_would_take(struct v4l2dma_loop *loop,
			     struct v4l2dma_reader *reader, unsigned int slot);

#endif /* V4L2DMA_FLOW_H */
