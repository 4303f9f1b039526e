// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace v4l2dma {

/// Width over height of a pixel.
struct PixelAspect {
    std::uint32_t width = 1;
    std::uint32_t height = 1;
};

/// What a source knows of its stream beside the format of its frames. A film needs it in its header; devices
/// have no place for it.
struct StreamProperties {
    std::optional<double> rate{}; ///< frames a second
    /// Frames come at this rate; else a driver says so, and its camera may be slower in the dark.
    bool keeps_rate = false;
    /// Packets come in the order of decoding, not of showing: BufferMetadata::decode_time.
    bool reorders = false;
    PixelAspect aspect{};
    /// How pictures are to be turned when they are shown: nine numbers, as FFmpeg and mp4 have them. Empty:
    /// they are upright.
    std::optional<std::array<std::int32_t, 9>> display_matrix{};
};

} // namespace v4l2dma
