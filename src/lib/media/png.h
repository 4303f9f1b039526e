// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/av_objects.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace v4l2dma {

/// Makes PNG files' bytes (8-bit RGB) of pictures of one size.
class PngEncoder {
public:
    /// load_ffmpeg() must have succeeded. Errors: (unsupported) an FFmpeg without PNG.
    [[nodiscard]] static Result<PngEncoder> create(std::uint32_t width, std::uint32_t height);

    /// @p pixels: RGB3 without padding. The bytes are valid until the next call.
    [[nodiscard]] Result<std::span<const std::byte>> encode(std::span<const std::byte> pixels);

private:
    PngEncoder(AvCodec codec, AvFrame picture, AvPacket packet)
        : codec_(std::move(codec)), picture_(std::move(picture)), packet_(std::move(packet)) {}

    AvCodec codec_;
    AvFrame picture_;
    AvPacket packet_;
};

/// A frame as a PNG file's bytes, by its strides and colorimetry; JPEG frames are decoded.
/// Errors: (unsupported) a format that FFmpeg cannot convert; (usage) a size that a Converter does not take;
/// (system) a broken frame, or no memory.
[[nodiscard]] Result<std::vector<std::byte>> encode_png(const FrameFormat& format, ConstPlanes planes);

} // namespace v4l2dma
