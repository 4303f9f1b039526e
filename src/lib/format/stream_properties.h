// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace v4l2dma {

/// Width over height of a pixel.
struct PixelAspect {
    std::uint32_t width = 1;
    std::uint32_t height = 1;
};

/// What packets are said to hold, which a pixel format has no words for.
struct CodedPictures {
    /// Code points of ITU-T H.273, 2 where unknown.
    int primaries = 2;
    int transfer = 2;
    int matrix = 2;
    std::optional<bool> full_range{};
    std::optional<int> profile{}; ///< the codec's own number
    std::optional<int> level{};   ///< likewise
    std::string pixels{};         ///< FFmpeg's name of the decoded pixels, empty if unknown
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
    std::optional<CodedPictures> coded{}; ///< of a film's packets
};

} // namespace v4l2dma
