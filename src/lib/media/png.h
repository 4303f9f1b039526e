// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"

#include <cstddef>
#include <vector>

namespace v4l2dma {

/// A frame as a PNG file's bytes (8-bit RGB), by its strides and colorimetry; JPEG frames are decoded.
/// Errors: (unsupported) a format that FFmpeg cannot convert; (usage) a size that a Converter does not take;
/// (system) a broken frame, or no memory.
[[nodiscard]] Result<std::vector<std::byte>> encode_png(const FrameFormat& format, ConstPlanes planes);

} // namespace v4l2dma
