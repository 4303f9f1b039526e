// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace v4l2dma {

/// How pixels between pixels are found where the size changes.
enum class Scaling {
    bilinear, ///< from the nearest two: faster, softer
    bicubic,  ///< from the nearest four
};

/// The largest width or height that is converted, in pixels.
inline constexpr std::uint32_t max_converted_size = 16384;

/// The most pixels of a picture that is decoded: four of 8K; more is no film.
inline constexpr std::int64_t max_decoded_pixels = std::int64_t{1} << 27;

struct ConvertOptions {
    Scaling scaling = Scaling::bicubic;
    bool full_chroma = false; ///< RGB gets a colour of its own at each pixel, at four times the time
    unsigned threads = 0;     ///< 0: as many as there are processors, up to 8
};

} // namespace v4l2dma
