// SPDX-License-Identifier: MIT
#include "media/jpeg_decoder.h"

#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

/// The decoder's own idea of a size is rounded up to whole blocks.
constexpr std::int64_t block = 64;

constexpr std::string_view decode_picture = "decode";

std::unexpected<Error> bad_picture(std::string_view why) {
    return make_error(ErrorKind::system, decode_picture, "JPEG", why);
}

} // namespace

// What is no fault of the picture's has a number of the system's.
bool is_bad_picture(const Error& error) noexcept {
    return error.operation == decode_picture && error.code == 0;
}

Result<JpegDecoder> JpegDecoder::create(std::uint32_t width, std::uint32_t height) {
    Result<AvCodec> codec =
        open_av_codec(ffmpeg().avcodec_find_decoder(AV_CODEC_ID_MJPEG), "JPEG", [&](AVCodecContext& context) {
            // A broken header must not make it allocate a picture of gigabytes.
            context.max_pixels = (std::int64_t{width} + block) * (std::int64_t{height} + block);
            context.err_recognition = AV_EF_EXPLODE; // half a picture is a broken one
        });
    if (!codec)
        return std::unexpected(std::move(codec.error()));
    Result<AvFrame> frame = make_av_frame();
    if (!frame)
        return std::unexpected(std::move(frame.error()));
    return JpegDecoder(std::move(*codec), std::move(*frame), width, height);
}

Result<const AVFrame*> JpegDecoder::decode(std::span<const std::byte> payload) {
    if (payload.empty()) // to a decoder the end of its stream
        return bad_picture("the frame is too short");
    const Result<AvPacket> packet = copy_to_packet(payload);
    if (!packet)
        return std::unexpected(packet.error());
    if (Status status = decode_packet(**packet); !status) {
        ffmpeg().avcodec_flush_buffers(codec_.get());
        return std::unexpected(std::move(status.error()));
    }
    if (std::cmp_not_equal(frame_->width, width_) || std::cmp_not_equal(frame_->height, height_))
        return bad_picture(fmt::format("the picture is {}x{} and not {}x{}", frame_->width, frame_->height,
                                       width_, height_));
    return frame_.get();
}

Status JpegDecoder::decode_packet(const AVPacket& packet) {
    ffmpeg().av_frame_unref(frame_.get());
    int result = ffmpeg().avcodec_send_packet(codec_.get(), &packet);
    if (result >= 0)
        result = ffmpeg().avcodec_receive_frame(codec_.get(), frame_.get());
    if (result == AVERROR(ENOMEM))
        return system_error("decode", "JPEG", ENOMEM);
    return result < 0 ? Status(bad_picture(av_error("decode", "JPEG", result).error().detail)) : Status{};
}

} // namespace v4l2dma
