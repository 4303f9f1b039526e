// SPDX-License-Identifier: MIT
#include "media/png.h"

#include "media/av_format.h"
#include "media/ffmpeg.h"

#include <array>
#include <cstring>
#include <linux/videodev2.h>
#include <memory>
#include <utility>

namespace v4l2dma {

namespace {

struct FreeFrame {
    void operator()(AVFrame* frame) const noexcept { ffmpeg().av_frame_free(&frame); }
};
struct FreePacket {
    void operator()(AVPacket* packet) const noexcept { ffmpeg().av_packet_free(&packet); }
};
struct FreeCodec {
    void operator()(AVCodecContext* context) const noexcept { ffmpeg().avcodec_free_context(&context); }
};
struct FreeScaler {
    void operator()(SwsContext* context) const noexcept { ffmpeg().sws_freeContext(context); }
};
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Codec = std::unique_ptr<AVCodecContext, FreeCodec>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;

std::unexpected<Error> av_error(std::string_view operation, int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    ffmpeg().av_strerror(code, text.data(), text.size());
    return make_error(ErrorKind::system, operation, "", text.data());
}

Result<Codec> open_codec(const AVCodec* codec, std::string_view name, auto&& configure) {
    if (codec == nullptr)
        return make_error(ErrorKind::unsupported, "codec", name, "this FFmpeg was built without it");
    Codec context(ffmpeg().avcodec_alloc_context3(codec));
    if (!context)
        return system_error("codec", name, ENOMEM);
    configure(*context);
    if (const int result = ffmpeg().avcodec_open2(context.get(), codec, nullptr); result < 0)
        return av_error(name, result);
    return context;
}

// FFmpeg's converters read in wide steps and so beyond the end of the last row: a payload that fills its
// mapping would end in a fault. Its own frames have room for that.
Result<Frame> copy_padded(const AVFrame& view, const FrameFormat& format) {
    Frame frame(ffmpeg().av_frame_alloc());
    if (!frame)
        return system_error("snapshot", format.text(), ENOMEM);
    frame->format = view.format;
    frame->width = view.width;
    frame->height = view.height;
    int result = ffmpeg().av_frame_get_buffer(frame.get(), 0);
    if (result >= 0)
        result = ffmpeg().av_frame_copy(frame.get(), &view);
    if (result < 0)
        return av_error("snapshot " + format.text(), result);
    return frame;
}

Result<Frame> load(const FrameFormat& format, std::span<const std::byte> payload) {
    const AVPixelFormat pixel_format = av_pixel_format(format.fourcc);
    if (pixel_format == AV_PIX_FMT_NONE || format.plane_count != 1)
        return make_error(ErrorKind::unsupported, "snapshot", format.text(),
                          "this format cannot be converted");
    const Result<Layout> layout = layout_of(format);
    if (!layout)
        return std::unexpected(layout.error());
    if (payload.size() < layout->size())
        return make_error(ErrorKind::system, "snapshot", format.text(), "the frame is too short");
    Frame frame(ffmpeg().av_frame_alloc());
    if (!frame)
        return system_error("snapshot", format.text(), ENOMEM);
    frame->format = pixel_format;
    frame->width = static_cast<int>(format.width);
    frame->height = static_cast<int>(format.height);
    for (std::uint32_t i = 0; i < layout->plane_count; ++i) {
        // FFmpeg has no const frames; nobody writes to this one.
        auto* bytes = const_cast<std::byte*>(payload.data() + layout->planes[i].offset);
        frame->data[i] = reinterpret_cast<std::uint8_t*>(bytes);
        frame->linesize[i] = static_cast<int>(layout->planes[i].stride);
    }
    if (format.fourcc == FourCC("YV12") || format.fourcc == FourCC("YVU9"))
        std::swap(frame->data[1], frame->data[2]);
    return copy_padded(*frame, format);
}

Result<Packet> copy_packet(std::span<const std::byte> payload) {
    Packet packet(ffmpeg().av_packet_alloc()); // with the padding that decoders read beyond the end
    if (!packet || ffmpeg().av_new_packet(packet.get(), static_cast<int>(payload.size())) < 0)
        return system_error("decode", "", ENOMEM);
    std::memcpy(packet->data, payload.data(), payload.size());
    return packet;
}

Result<Frame> decode(const FrameFormat& format, std::span<const std::byte> payload) {
    if (payload.empty()) // to a decoder the end of its stream
        return make_error(ErrorKind::system, "snapshot", format.text(), "the frame is too short");
    const Result<Codec> decoder = open_codec(ffmpeg().avcodec_find_decoder(av_still_codec(format.fourcc)),
                                             "JPEG", [](AVCodecContext&) {});
    if (!decoder)
        return std::unexpected(decoder.error());
    const Result<Packet> packet = copy_packet(payload);
    if (!packet)
        return std::unexpected(packet.error());
    Frame frame(ffmpeg().av_frame_alloc());
    if (!frame)
        return system_error("decode", format.text(), ENOMEM);
    int result = ffmpeg().avcodec_send_packet(decoder->get(), packet->get());
    if (result >= 0)
        result = ffmpeg().avcodec_receive_frame(decoder->get(), frame.get());
    if (result < 0)
        return av_error("decode " + format.text(), result);
    return frame;
}

bool is_bt709(const Colorimetry& colorimetry) {
    if (colorimetry.ycbcr_encoding != V4L2_YCBCR_ENC_DEFAULT)
        return colorimetry.ycbcr_encoding == V4L2_YCBCR_ENC_709 ||
               colorimetry.ycbcr_encoding == V4L2_YCBCR_ENC_XV709;
    return colorimetry.colorspace == V4L2_COLORSPACE_REC709 ||
           colorimetry.colorspace == V4L2_COLORSPACE_DCI_P3;
}

bool is_full_range(const FrameFormat& format, const AVFrame& frame) {
    if (frame.color_range == AVCOL_RANGE_JPEG)
        return true;
    const Colorimetry& colorimetry = format.colorimetry;
    return colorimetry.quantization == V4L2_QUANTIZATION_FULL_RANGE ||
           (colorimetry.quantization == V4L2_QUANTIZATION_DEFAULT &&
            colorimetry.colorspace == V4L2_COLORSPACE_JPEG);
}

Result<Frame> to_rgb(const FrameFormat& format, const AVFrame& source) {
    Frame rgb(ffmpeg().av_frame_alloc());
    if (!rgb)
        return system_error("convert", format.text(), ENOMEM);
    rgb->format = AV_PIX_FMT_RGB24;
    rgb->width = source.width;
    rgb->height = source.height;
    if (const int result = ffmpeg().av_frame_get_buffer(rgb.get(), 0); result < 0)
        return av_error("convert", result);
    const Scaler scaler(ffmpeg().sws_getContext(
        source.width, source.height, static_cast<AVPixelFormat>(source.format), rgb->width, rgb->height,
        AV_PIX_FMT_RGB24, SWS_POINT | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
    if (!scaler)
        return make_error(ErrorKind::unsupported, "convert", format.text(),
                          "FFmpeg cannot convert it to RGB");
    const int* coefficients =
        ffmpeg().sws_getCoefficients(is_bt709(format.colorimetry) ? SWS_CS_ITU709 : SWS_CS_ITU601);
    constexpr int one = 1 << 16; // contrast and saturation are 16.16
    ffmpeg().sws_setColorspaceDetails(scaler.get(), coefficients, is_full_range(format, source) ? 1 : 0,
                                      coefficients, 1, 0, one, one);
    if (const int result = ffmpeg().sws_scale(scaler.get(), source.data, source.linesize, 0, source.height,
                                              rgb->data, rgb->linesize);
        result < 0)
        return av_error("convert " + format.text(), result);
    return rgb;
}

} // namespace

Result<std::vector<std::byte>> encode_png(const FrameFormat& format, std::span<const std::byte> payload) {
    if (Status status = load_ffmpeg(); !status)
        return std::unexpected(std::move(status.error()));
    const bool jpeg = av_still_codec(format.fourcc) != AV_CODEC_ID_NONE;
    const Result<Frame> picture = jpeg ? decode(format, payload) : load(format, payload);
    if (!picture)
        return std::unexpected(picture.error());
    const Result<Frame> rgb = to_rgb(format, **picture);
    if (!rgb)
        return std::unexpected(rgb.error());
    const Result<Codec> encoder =
        open_codec(ffmpeg().avcodec_find_encoder(AV_CODEC_ID_PNG), "PNG", [&](AVCodecContext& context) {
            context.width = (*rgb)->width;
            context.height = (*rgb)->height;
            context.pix_fmt = AV_PIX_FMT_RGB24;
            context.time_base = {1, 25}; // demanded, meaningless here
        });
    if (!encoder)
        return std::unexpected(encoder.error());
    const Packet packet(ffmpeg().av_packet_alloc());
    if (!packet)
        return system_error("encode PNG", "", ENOMEM);
    int result = ffmpeg().avcodec_send_frame(encoder->get(), rgb->get());
    if (result >= 0)
        result = ffmpeg().avcodec_receive_packet(encoder->get(), packet.get());
    if (result < 0)
        return av_error("encode PNG", result);
    const auto bytes = std::as_bytes(std::span(packet->data, static_cast<std::size_t>(packet->size)));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

} // namespace v4l2dma
