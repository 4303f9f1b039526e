// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"
#include "format/sample_layout.h"

#include <cstdint>

namespace v4l2dma {

/// A colour as displays are told it: gamma-corrected, full range.
struct Color {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;

    friend constexpr bool operator==(Color, Color) = default;
};

namespace colors {
constexpr Color black{0, 0, 0};
constexpr Color white{255, 255, 255};
} // namespace colors

/// How colours become sample values: the matrix of Y'CbCr and the range of the values, as V4L2 defines both
/// for a colorimetry (BT.601 and limited range where it says nothing, full range for RGB).
class ColorEncoding {
public:
    ColorEncoding(const Colorimetry& colorimetry, bool rgb);

    /// The value that a sample of @p depth bits (1 to 16) has in this colour. Alpha is opaque.
    [[nodiscard]] std::uint32_t sample(Component component, unsigned depth, Color color) const noexcept;

private:
    [[nodiscard]] double signal(Component component, Color color) const noexcept;

    double red_weight_;  ///< of luma
    double blue_weight_; ///< of luma
    bool full_range_;
};

} // namespace v4l2dma
