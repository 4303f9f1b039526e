// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_objects.h"

#include <cstdint>

namespace v4l2dma {

/// Whether this error of decoding says that a picture is broken, and nothing else is wrong.
[[nodiscard]] bool is_bad_picture(const Error& error) noexcept;

/// Decodes JPEG pictures one by one, as cameras send them (MJPG: without Huffman tables, too).
class JpegDecoder {
public:
    /// For pictures of exactly this size. load_ffmpeg() must have succeeded. Errors: (unsupported) an FFmpeg
    /// without the decoder; (system) no memory.
    [[nodiscard]] static Result<JpegDecoder> create(std::uint32_t width, std::uint32_t height);

    /// The picture, which lives until the next call. Errors: (system) a broken or truncated picture, or one
    /// of another size; the next one may be good.
    [[nodiscard]] Result<const AVFrame*> decode(std::span<const std::byte> payload);

private:
    JpegDecoder(AvCodec codec, AvFrame frame, std::uint32_t width, std::uint32_t height)
        : codec_(std::move(codec)), frame_(std::move(frame)), width_(width), height_(height) {}

    [[nodiscard]] Status decode_packet(const AVPacket& packet);

    AvCodec codec_;
    AvFrame frame_;
    std::uint32_t width_;
    std::uint32_t height_;
};

} // namespace v4l2dma
