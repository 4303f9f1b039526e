// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"

#include <cstddef>
#include <span>
#include <vector>

namespace v4l2dma {

/// A frame as a PNG file's bytes (8-bit RGB), by its stride and colorimetry; JPEG frames are decoded.
/// Errors: (unsupported) a format that FFmpeg cannot convert; (system) a broken frame, or no memory.
[[nodiscard]] Result<std::vector<std::byte>> encode_png(const FrameFormat& format,
                                                        std::span<const std::byte> payload);

} // namespace v4l2dma
