// SPDX-License-Identifier: MIT
#include "support/av_picture.h"

#include "media/av_format.h"

#include <cstring>
#include <string_view>
#include <utility>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>
}

namespace v4l2dma::test {

namespace {

AvPicture allocate(AVPixelFormat format, int width, int height) {
    AvPicture picture(av_frame_alloc());
    REQUIRE(picture);
    picture->format = format;
    picture->width = width;
    picture->height = height;
    REQUIRE(av_frame_get_buffer(picture.get(), 0) == 0);
    return picture;
}

/// FFmpeg has one name for both orders of the chroma planes.
bool red_chroma_first(FourCC fourcc) {
    for (const std::string_view name : {"YV12", "YVU9", "YM21", "YM61", "YM42"})
        if (fourcc.text() == name)
            return true;
    return false;
}

/// A frame's planes in FFmpeg's order; borrows its memory.
AvPicture view(const TestFrame& frame) {
    AvPicture picture(av_frame_alloc());
    REQUIRE(picture);
    picture->format = av_pixel_format(frame.format().fourcc);
    picture->width = static_cast<int>(frame.format().width);
    picture->height = static_cast<int>(frame.format().height);
    for (std::uint32_t i = 0; i < frame.layout().plane_count; ++i) {
        const PlaneLayout& place = frame.layout().planes[i];
        auto* bytes = const_cast<std::byte*>(frame.memory()[place.memory_plane].data() + place.offset);
        picture->data[i] = reinterpret_cast<std::uint8_t*>(bytes);
        picture->linesize[i] = static_cast<int>(place.stride);
    }
    if (red_chroma_first(frame.format().fourcc))
        std::swap(picture->data[1], picture->data[2]);
    return picture;
}

struct FreeCodec {
    void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
struct FreePacket {
    void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};

} // namespace

AvPicture av_picture(const TestFrame& frame) {
    const AvPicture borrowed = view(frame);
    AvPicture picture =
        allocate(static_cast<AVPixelFormat>(borrowed->format), borrowed->width, borrowed->height);
    REQUIRE(av_frame_copy(picture.get(), borrowed.get()) >= 0);
    return picture;
}

void copy_into(TestFrame& frame, const AVFrame& picture) {
    const AvPicture borrowed = view(frame);
    REQUIRE(borrowed->format == picture.format);
    REQUIRE(av_frame_copy(borrowed.get(), &picture) >= 0);
}

AvPicture av_convert(const AVFrame& picture, AVPixelFormat to, bool bt709, bool full_range) {
    AvPicture result = allocate(to, picture.width, picture.height);
    SwsContext* scaler = sws_getContext(
        picture.width, picture.height, static_cast<AVPixelFormat>(picture.format), picture.width,
        picture.height, to, SWS_POINT | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr);
    REQUIRE(scaler != nullptr);
    const int* matrix = sws_getCoefficients(bt709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    const bool full_result = to == AV_PIX_FMT_RGB24;
    sws_setColorspaceDetails(scaler, matrix, full_range ? 1 : 0, matrix, full_result ? 1 : 0, 0, 1 << 16,
                             1 << 16);
    const int rows =
        sws_scale(scaler, picture.data, picture.linesize, 0, picture.height, result->data, result->linesize);
    sws_freeContext(scaler);
    REQUIRE(rows == picture.height);
    return result;
}

bool av_converts(FourCC fourcc) {
    const AVPixelFormat format = av_pixel_format(fourcc);
    return format != AV_PIX_FMT_NONE && sws_isSupportedInput(format) != 0;
}

AvPicture av_jpeg(const AVFrame& picture, int quality) {
    const std::unique_ptr<AVCodecContext, FreeCodec> encoder(
        avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG)));
    encoder->width = picture.width;
    encoder->height = picture.height;
    encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
    encoder->time_base = {1, 25};
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = quality * FF_QP2LAMBDA;
    REQUIRE(avcodec_open2(encoder.get(), encoder->codec, nullptr) == 0);
    const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
    AvPicture source(av_frame_clone(&picture));
    source->format = encoder->pix_fmt;
    source->quality = encoder->global_quality;
    source->pts = 0;
    REQUIRE(avcodec_send_frame(encoder.get(), source.get()) == 0);
    REQUIRE(avcodec_receive_packet(encoder.get(), packet.get()) == 0);

    const std::unique_ptr<AVCodecContext, FreeCodec> decoder(
        avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_MJPEG)));
    REQUIRE(avcodec_open2(decoder.get(), decoder->codec, nullptr) == 0);
    REQUIRE(avcodec_send_packet(decoder.get(), packet.get()) == 0);
    AvPicture result(av_frame_alloc());
    REQUIRE(avcodec_receive_frame(decoder.get(), result.get()) == 0);
    REQUIRE(result->format == AV_PIX_FMT_YUVJ420P);
    result->format = picture.format;
    return result;
}

std::array<int, 3> av_pixel(const AVFrame& rgb, int x, int y) {
    REQUIRE(rgb.format == AV_PIX_FMT_RGB24);
    const std::uint8_t* pixel = rgb.data[0] + y * rgb.linesize[0] + x * 3;
    return {pixel[0], pixel[1], pixel[2]};
}

} // namespace v4l2dma::test
