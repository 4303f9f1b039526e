// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <doctest/doctest.h>
#include <memory>
#include <span>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace v4l2dma::testing {

/// A JPEG picture of one colour (Y, Cb, Cr in full range), 4:2:2 as cameras send it.
inline std::vector<std::byte> make_jpeg(int width, int height, std::array<std::uint8_t, 3> colour,
                                        AVPixelFormat format = AV_PIX_FMT_YUVJ422P) {
    const auto free_context = [](AVCodecContext* context) { avcodec_free_context(&context); };
    const auto free_packet = [](AVPacket* packet) { av_packet_free(&packet); };
    const auto free_frame = [](AVFrame* frame) { av_frame_free(&frame); };
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    const std::unique_ptr<AVCodecContext, decltype(free_context)> context(avcodec_alloc_context3(codec));
    const std::unique_ptr<AVPacket, decltype(free_packet)> packet(av_packet_alloc());
    const std::unique_ptr<AVFrame, decltype(free_frame)> frame(av_frame_alloc());
    context->width = frame->width = width;
    context->height = frame->height = height;
    context->pix_fmt = format;
    frame->format = format;
    context->time_base = {1, 25};
    REQUIRE(avcodec_open2(context.get(), codec, nullptr) == 0);
    REQUIRE(av_frame_get_buffer(frame.get(), 0) == 0);
    for (std::size_t plane = 0; plane < 3; ++plane)
        std::fill_n(frame->data[plane],
                    frame->linesize[plane] *
                        (plane == 0 || format != AV_PIX_FMT_YUVJ420P ? height : (height + 1) / 2),
                    colour[plane]);
    REQUIRE(avcodec_send_frame(context.get(), frame.get()) == 0);
    REQUIRE(avcodec_receive_packet(context.get(), packet.get()) == 0);
    const auto bytes = std::as_bytes(std::span(packet->data, static_cast<std::size_t>(packet->size)));
    return {bytes.begin(), bytes.end()};
}

} // namespace v4l2dma::testing
