// SPDX-License-Identifier: MIT
#include "media/png.h"

#include "media/converter.h"

#include <array>

namespace v4l2dma {

namespace {

/// The frame as RGB, without padding.
Result<std::vector<std::byte>> to_rgb(const FrameFormat& format, const FrameFormat& rgb, ConstPlanes planes) {
    Result<Converter> converter = Converter::create(format, rgb, {.full_chroma = true});
    if (!converter)
        return std::unexpected(std::move(converter.error()));
    std::vector<std::byte> pixels(rgb.sizeimage());
    const std::span<std::byte> target(pixels);
    const Result<std::uint64_t> bytes = converter->run(planes, {&target, 1});
    if (!bytes)
        return std::unexpected(bytes.error());
    return pixels;
}

Result<AvPacket> encode(AVCodecContext& encoder, const AVFrame& picture) {
    AvPacket packet(ffmpeg().av_packet_alloc());
    if (!packet)
        return system_error("encode", "PNG", ENOMEM);
    int result = ffmpeg().avcodec_send_frame(&encoder, &picture);
    if (result >= 0)
        result = ffmpeg().avcodec_receive_packet(&encoder, packet.get());
    if (result < 0)
        return av_error("encode", "PNG", result);
    return packet;
}

} // namespace

Result<std::vector<std::byte>> encode_png(const FrameFormat& format, ConstPlanes planes) {
    const Result<FrameFormat> rgb = tight_format(FourCC("RGB3"), format.width, format.height);
    if (!rgb)
        return std::unexpected(rgb.error());
    Result<std::vector<std::byte>> pixels = to_rgb(format, *rgb, planes);
    if (!pixels)
        return pixels;
    const Result<AvFrame> picture = make_borrowing_frame(AV_PIX_FMT_RGB24, format.width, format.height);
    if (!picture)
        return std::unexpected(picture.error());
    (*picture)->data[0] = reinterpret_cast<std::uint8_t*>(pixels->data());
    (*picture)->linesize[0] = static_cast<int>(rgb->bytesperline());
    const Result<AvCodec> encoder =
        open_av_codec(ffmpeg().avcodec_find_encoder(AV_CODEC_ID_PNG), "PNG", [&](AVCodecContext& context) {
            context.width = (*picture)->width;
            context.height = (*picture)->height;
            context.pix_fmt = AV_PIX_FMT_RGB24;
            context.time_base = {1, 25}; // demanded, meaningless here
        });
    if (!encoder)
        return std::unexpected(encoder.error());
    const Result<AvPacket> packet = encode(**encoder, **picture);
    if (!packet)
        return std::unexpected(packet.error());
    const auto bytes = std::as_bytes(std::span((*packet)->data, static_cast<std::size_t>((*packet)->size)));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
}

} // namespace v4l2dma
