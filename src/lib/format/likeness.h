// SPDX-License-Identifier: MIT
#pragma once

#include "format/pixel_format.h"

#include <vector>

namespace v4l2dma {

/// Orders formats by how well they can stand for @p wanted, the best first: the same pixels; those that lose
/// nothing; fewer bits or less chroma; no colours; what only special programs can show (raw sensors, tiles,
/// unknown ones); compressed ones. Among equals luma and chroma stand for luma and chroma and RGB for RGB,
/// then the one whose frames are nearest in size; then the order stays. A compressed format is taken for
/// 8-bit 4:2:2, which cameras compress.
void sort_by_likeness(FourCC wanted, std::vector<FourCC>& formats);

/// Whether pixels are red, green and blue; false if that is not known.
[[nodiscard]] bool is_rgb(FourCC fourcc);

} // namespace v4l2dma
