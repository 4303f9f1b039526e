// SPDX-License-Identifier: MIT
#pragma once

namespace v4l2dma {

/// How pixels between pixels are found where the size changes.
enum class Scaling {
    bilinear, ///< from the nearest two: faster, softer
    bicubic,  ///< from the nearest four
};

struct ConvertOptions {
    Scaling scaling = Scaling::bicubic;
    bool full_chroma = false; ///< RGB gets a colour of its own at each pixel, at four times the time
    unsigned threads = 0;     ///< 0: as many as there are processors, up to 8
};

} // namespace v4l2dma
