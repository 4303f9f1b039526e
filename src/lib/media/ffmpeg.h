// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavdevice/avdevice.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

// What adds side data to a stream.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
#define V4L2DMA_FFMPEG_SIDE_DATA(F) F(avcodec, av_packet_side_data_new)
#define V4L2DMA_FFMPEG_FORMATS_SIDE_DATA(F)
#else
#define V4L2DMA_FFMPEG_SIDE_DATA(F)
#define V4L2DMA_FFMPEG_FORMATS_SIDE_DATA(F) F(avformat, av_stream_new_side_data)
#endif

// Every function of FFmpeg that v4l2dma calls: the library, the name.
#define V4L2DMA_FFMPEG(F)                                                                                    \
    V4L2DMA_FFMPEG_SIDE_DATA(F)                                                                              \
    F(avutil, av_buffer_create)                                                                              \
    F(avutil, av_buffer_ref)                                                                                 \
    F(avutil, av_buffer_unref)                                                                               \
    F(avutil, av_d2q)                                                                                        \
    F(avutil, av_dict_free)                                                                                  \
    F(avutil, av_dict_set)                                                                                   \
    F(avutil, av_display_rotation_get)                                                                       \
    F(avutil, av_frame_alloc)                                                                                \
    F(avutil, av_frame_copy)                                                                                 \
    F(avutil, av_frame_free)                                                                                 \
    F(avutil, av_frame_get_buffer)                                                                           \
    F(avutil, av_frame_get_side_data)                                                                        \
    F(avutil, av_frame_is_writable)                                                                          \
    F(avutil, av_frame_ref)                                                                                  \
    F(avutil, av_frame_unref)                                                                                \
    F(avutil, av_free)                                                                                       \
    F(avutil, av_get_pix_fmt)                                                                                \
    F(avutil, av_get_pix_fmt_name)                                                                           \
    F(avutil, av_hwdevice_ctx_create)                                                                        \
    F(avutil, av_hwdevice_find_type_by_name)                                                                 \
    F(avutil, av_hwdevice_get_type_name)                                                                     \
    F(avutil, av_hwdevice_iterate_types)                                                                     \
    F(avutil, av_hwframe_map)                                                                                \
    F(avutil, av_hwframe_transfer_data)                                                                      \
    F(avutil, av_image_fill_linesizes)                                                                       \
    F(avutil, av_image_get_buffer_size)                                                                      \
    F(avutil, av_log_set_level)                                                                              \
    F(avutil, av_malloc)                                                                                     \
    F(avutil, av_mallocz)                                                                                    \
    F(avutil, av_opt_next)                                                                                   \
    F(avutil, av_opt_set)                                                                                    \
    F(avutil, av_opt_set_int)                                                                                \
    F(avutil, av_pix_fmt_desc_get)                                                                           \
    F(avutil, av_rescale_q)                                                                                  \
    F(avutil, av_strerror)                                                                                   \
    F(avcodec, av_bsf_alloc)                                                                                 \
    F(avcodec, av_bsf_flush)                                                                                 \
    F(avcodec, av_bsf_free)                                                                                  \
    F(avcodec, av_bsf_get_by_name)                                                                           \
    F(avcodec, av_bsf_init)                                                                                  \
    F(avcodec, av_bsf_receive_packet)                                                                        \
    F(avcodec, av_bsf_send_packet)                                                                           \
    F(avcodec, av_codec_is_decoder)                                                                          \
    F(avcodec, av_codec_is_encoder)                                                                          \
    F(avcodec, av_codec_iterate)                                                                             \
    F(avcodec, av_new_packet)                                                                                \
    F(avcodec, av_packet_alloc)                                                                              \
    F(avcodec, av_packet_free)                                                                               \
    F(avcodec, av_packet_get_side_data)                                                                      \
    F(avcodec, av_packet_move_ref)                                                                           \
    F(avcodec, av_packet_ref)                                                                                \
    F(avcodec, av_packet_rescale_ts)                                                                         \
    F(avcodec, av_packet_unref)                                                                              \
    F(avcodec, avcodec_alloc_context3)                                                                       \
    F(avcodec, avcodec_default_get_buffer2)                                                                  \
    F(avcodec, avcodec_default_get_format)                                                                   \
    F(avcodec, avcodec_descriptor_get)                                                                       \
    F(avcodec, avcodec_descriptor_get_by_name)                                                               \
    F(avcodec, avcodec_find_best_pix_fmt_of_list)                                                            \
    F(avcodec, avcodec_find_decoder)                                                                         \
    F(avcodec, avcodec_find_decoder_by_name)                                                                 \
    F(avcodec, avcodec_find_encoder)                                                                         \
    F(avcodec, avcodec_find_encoder_by_name)                                                                 \
    F(avcodec, avcodec_flush_buffers)                                                                        \
    F(avcodec, avcodec_free_context)                                                                         \
    F(avcodec, avcodec_get_hw_config)                                                                        \
    F(avcodec, avcodec_get_name)                                                                             \
    F(avcodec, avcodec_open2)                                                                                \
    F(avcodec, avcodec_parameters_alloc)                                                                     \
    F(avcodec, avcodec_parameters_copy)                                                                      \
    F(avcodec, avcodec_parameters_free)                                                                      \
    F(avcodec, avcodec_parameters_from_context)                                                              \
    F(avcodec, avcodec_parameters_to_context)                                                                \
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

// Files and URLs.
#define V4L2DMA_FFMPEG_FORMATS(F)                                                                            \
    V4L2DMA_FFMPEG_FORMATS_SIDE_DATA(F)                                                                      \
    F(avformat, av_codec_get_id)                                                                             \
    F(avformat, av_codec_get_tag2)                                                                           \
    F(avformat, av_demuxer_iterate)                                                                          \
    F(avformat, av_find_best_stream)                                                                         \
    F(avformat, av_find_input_format)                                                                        \
    F(avformat, av_guess_codec)                                                                              \
    F(avformat, av_guess_format)                                                                             \
    F(avformat, av_guess_frame_rate)                                                                         \
    F(avformat, av_guess_sample_aspect_ratio)                                                                \
    F(avformat, av_interleaved_write_frame)                                                                  \
    F(avformat, av_muxer_iterate)                                                                            \
    F(avformat, av_read_frame)                                                                               \
    F(avformat, av_sdp_create)                                                                               \
    F(avformat, av_write_trailer)                                                                            \
    F(avformat, avformat_alloc_context)                                                                      \
    F(avformat, avformat_alloc_output_context2)                                                              \
    F(avformat, avformat_close_input)                                                                        \
    F(avformat, avformat_find_stream_info)                                                                   \
    F(avformat, avformat_free_context)                                                                       \
    F(avformat, avformat_new_stream)                                                                         \
    F(avformat, avformat_open_input)                                                                         \
    F(avformat, avformat_query_codec)                                                                        \
    F(avformat, avformat_seek_file)                                                                          \
    F(avformat, avformat_write_header)                                                                       \
    F(avformat, avio_alloc_context)                                                                          \
    F(avformat, avio_closep)                                                                                 \
    F(avformat, avio_context_free)                                                                           \
    F(avformat, avio_enum_protocols)                                                                         \
    F(avformat, avio_flush)                                                                                  \
    F(avformat, avio_open2)

// Turning pictures.
#define V4L2DMA_FFMPEG_FILTERS(F)                                                                            \
    F(avfilter, av_buffersink_get_frame)                                                                     \
    F(avfilter, av_buffersrc_add_frame_flags)                                                                \
    F(avfilter, avfilter_get_by_name)                                                                        \
    F(avfilter, avfilter_graph_alloc)                                                                        \
    F(avfilter, avfilter_graph_config)                                                                       \
    F(avfilter, avfilter_graph_create_filter)                                                                \
    F(avfilter, avfilter_graph_free)                                                                         \
    F(avfilter, avfilter_link)

// Screens and the like, as libavformat's containers.
#define V4L2DMA_FFMPEG_DEVICES(F) F(avdevice, avdevice_register_all)

namespace v4l2dma {

/// FFmpeg's functions. Its libraries need a hundred others, and most processes move frames without looking
/// into them, so they are loaded when the first picture is wanted and not when the program starts; those for
/// files and filters, which need most of the hundred, when a file is opened, or a picture to be turned.
struct FFmpeg {
#define V4L2DMA_MEMBER(library, name) decltype(&::name) name = nullptr;
    V4L2DMA_FFMPEG(V4L2DMA_MEMBER)
};
struct FFmpegFormats {
    V4L2DMA_FFMPEG_FORMATS(V4L2DMA_MEMBER)
};
struct FFmpegFilters {
    V4L2DMA_FFMPEG_FILTERS(V4L2DMA_MEMBER)
};
struct FFmpegDevices {
    V4L2DMA_FFMPEG_DEVICES(V4L2DMA_MEMBER)
#undef V4L2DMA_MEMBER
};

/// Loads FFmpeg unless it is there already; it stays until the process ends. May be called from any thread,
/// and takes as long as starting a large program: call it before frames flow. Errors: (unsupported) a library
/// is missing, or another than the one v4l2dma was built with.
[[nodiscard]] Status load_ffmpeg();
/// Likewise, and also FFmpegFormats.
[[nodiscard]] Status load_ffmpeg_formats();
/// Likewise, and also FFmpegFilters.
[[nodiscard]] Status load_ffmpeg_filters();
/// As load_ffmpeg_formats(); afterwards av_find_input_format() also finds FFmpeg's input devices.
[[nodiscard]] Status load_ffmpeg_devices();

/// What load_ffmpeg() loaded; only to be called after it succeeded.
[[nodiscard]] const FFmpeg& ffmpeg();
/// What load_ffmpeg_formats() loaded; only to be called after it succeeded.
[[nodiscard]] const FFmpegFormats& ffmpeg_formats();
/// What load_ffmpeg_filters() loaded; only to be called after it succeeded.
[[nodiscard]] const FFmpegFilters& ffmpeg_filters();

} // namespace v4l2dma
