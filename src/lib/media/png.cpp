// SPDX-License-Identifier: MIT
#include "media/png.h"

#include "media/converter.h"

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

} // namespace

Result<PngEncoder> PngEncoder::create(std::uint32_t width, std::uint32_t height) {
    Result<AvFrame> picture = make_borrowing_frame(AV_PIX_FMT_RGB24, width, height);
    Result<AvPacket> packet = make_av_packet();
    if (!picture || !packet)
        return std::unexpected(picture ? packet.error() : picture.error());
    (*picture)->linesize[0] = (*picture)->width * 3;
    Result<AvCodec> codec =
        open_av_codec(ffmpeg().avcodec_find_encoder(AV_CODEC_ID_PNG), "PNG", [&](AVCodecContext& context) {
            context.width = (*picture)->width;
            context.height = (*picture)->height;
            context.pix_fmt = AV_PIX_FMT_RGB24;
            context.time_base = {1, 25}; // demanded, meaningless here
            context.thread_count = 1;    // with more it keeps pictures back
        });
    if (!codec)
        return std::unexpected(std::move(codec.error()));
    return PngEncoder(std::move(*codec), std::move(*picture), std::move(*packet));
}

Result<std::span<const std::byte>> PngEncoder::encode(std::span<const std::byte> pixels) {
    // FFmpeg's structure has no const; it is only read.
    picture_->data[0] = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(pixels.data()));
    int result = ffmpeg().avcodec_send_frame(codec_.get(), picture_.get());
    if (result >= 0)
        result = ffmpeg().avcodec_receive_packet(codec_.get(), packet_.get());
    if (result < 0)
        return av_error("encode", "PNG", result);
    return std::as_bytes(std::span(packet_->data, static_cast<std::size_t>(packet_->size)));
}

Result<std::vector<std::byte>> encode_png(const FrameFormat& format, ConstPlanes planes) {
    const Result<FrameFormat> rgb = tight_format(FourCC("RGB3"), format.width, format.height);
    if (!rgb)
        return std::unexpected(rgb.error());
    const Result<std::vector<std::byte>> pixels = to_rgb(format, *rgb, planes);
    if (!pixels)
        return pixels;
    Result<PngEncoder> encoder = PngEncoder::create(format.width, format.height);
    if (!encoder)
        return std::unexpected(std::move(encoder.error()));
    const Result<std::span<const std::byte>> bytes = encoder->encode(*pixels);
    if (!bytes)
        return std::unexpected(bytes.error());
    return std::vector<std::byte>(bytes->begin(), bytes->end());
}

} // namespace v4l2dma
