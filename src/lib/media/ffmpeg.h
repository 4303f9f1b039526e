// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

// Every function of FFmpeg that v4l2dma calls: the library, the name.
#define V4L2DMA_FFMPEG(F)                                                                                    \
    F(avutil, av_buffer_create)                                                                              \
    F(avutil, av_frame_alloc)                                                                                \
    F(avutil, av_frame_free)                                                                                 \
    F(avutil, av_frame_get_buffer)                                                                           \
    F(avutil, av_frame_unref)                                                                                \
    F(avutil, av_image_get_buffer_size)                                                                      \
    F(avutil, av_log_set_level)                                                                              \
    F(avutil, av_opt_set_int)                                                                                \
    F(avutil, av_pix_fmt_desc_get)                                                                           \
    F(avutil, av_strerror)                                                                                   \
    F(avcodec, av_new_packet)                                                                                \
    F(avcodec, av_packet_alloc)                                                                              \
    F(avcodec, av_packet_free)                                                                               \
    F(avcodec, avcodec_alloc_context3)                                                                       \
    F(avcodec, avcodec_find_decoder)                                                                         \
    F(avcodec, avcodec_find_encoder)                                                                         \
    F(avcodec, avcodec_flush_buffers)                                                                        \
    F(avcodec, avcodec_free_context)                                                                         \
    F(avcodec, avcodec_open2)                                                                                \
    F(avcodec, avcodec_receive_frame)                                                                        \
    F(avcodec, avcodec_receive_packet)                                                                       \
    F(avcodec, avcodec_send_frame)                                                                           \
    F(avcodec, avcodec_send_packet)                                                                          \
    F(swscale, sws_alloc_context)                                                                            \
    F(swscale, sws_freeContext)                                                                              \
    F(swscale, sws_getCoefficients)                                                                          \
    F(swscale, sws_init_context)                                                                             \
    F(swscale, sws_isSupportedInput)                                                                         \
    F(swscale, sws_isSupportedOutput)                                                                        \
    F(swscale, sws_scale_frame)                                                                              \
    F(swscale, sws_setColorspaceDetails)

namespace v4l2dma {

/// FFmpeg's functions. Its libraries need a hundred others, and most processes move frames without looking
/// into them, so they are loaded when the first picture is wanted and not when the program starts.
struct FFmpeg {
#define V4L2DMA_MEMBER(library, name) decltype(&::name) name = nullptr;
    V4L2DMA_FFMPEG(V4L2DMA_MEMBER)
#undef V4L2DMA_MEMBER
};

/// Loads FFmpeg unless it is there already; it stays until the process ends. May be called from any thread,
/// and takes as long as starting a large program: call it before frames flow. Errors: (unsupported) a library
/// is missing, or another than the one v4l2dma was built with.
[[nodiscard]] Status load_ffmpeg();

/// What load_ffmpeg() loaded; only to be called after it succeeded.
[[nodiscard]] const FFmpeg& ffmpeg();

} // namespace v4l2dma
