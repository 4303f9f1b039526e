// SPDX-License-Identifier: MIT
#include "format/color.h"

#include <algorithm>
#include <cmath>
#include <linux/videodev2.h>

namespace v4l2dma {

namespace {

struct LumaWeights {
    double red;
    double blue;
};

/// By the standards themselves; V4L2's documentation ("Detailed Colorspace Descriptions") repeats them.
LumaWeights luma_weights(const Colorimetry& colorimetry) {
    std::uint32_t encoding = colorimetry.ycbcr_encoding;
    if (encoding == V4L2_YCBCR_ENC_DEFAULT)
        encoding = V4L2_MAP_YCBCR_ENC_DEFAULT(colorimetry.colorspace);
    switch (encoding) {
    case V4L2_YCBCR_ENC_709:
    case V4L2_YCBCR_ENC_XV709:
        return {.red = 0.2126, .blue = 0.0722};
    case V4L2_YCBCR_ENC_BT2020:
    case V4L2_YCBCR_ENC_BT2020_CONST_LUM: // nearly; it is not linear
        return {.red = 0.2627, .blue = 0.0593};
    case V4L2_YCBCR_ENC_SMPTE240M:
        return {.red = 0.212, .blue = 0.087};
    default:
        return {.red = 0.299, .blue = 0.114};
    }
}

bool is_full_range(const Colorimetry& colorimetry, bool rgb) {
    std::uint32_t quantization = colorimetry.quantization;
    if (quantization == V4L2_QUANTIZATION_DEFAULT)
        quantization = V4L2_MAP_QUANTIZATION_DEFAULT(rgb, colorimetry.colorspace, colorimetry.ycbcr_encoding);
    return quantization == V4L2_QUANTIZATION_FULL_RANGE;
}

bool is_chroma(Component component) {
    return component == Component::blue_chroma || component == Component::red_chroma;
}

} // namespace

ColorEncoding::ColorEncoding(const Colorimetry& colorimetry, bool rgb)
    : red_weight_(luma_weights(colorimetry).red), blue_weight_(luma_weights(colorimetry).blue),
      full_range_(is_full_range(colorimetry, rgb)) {}

/// 0 to 1, chroma -0.5 to 0.5.
double ColorEncoding::signal(Component component, Color color) const noexcept {
    const double red = color.red / 255.0;
    const double green = color.green / 255.0;
    const double blue = color.blue / 255.0;
    const double luma = red_weight_ * red + blue_weight_ * blue + (1 - red_weight_ - blue_weight_) * green;
    switch (component) {
    case Component::luma:
        return luma;
    case Component::blue_chroma:
        return (blue - luma) / (2 * (1 - blue_weight_));
    case Component::red_chroma:
        return (red - luma) / (2 * (1 - red_weight_));
    case Component::red:
        return red;
    case Component::green:
        return green;
    case Component::blue:
        return blue;
    case Component::alpha:
        return 1;
    }
    return 0;
}

std::uint32_t ColorEncoding::sample(Component component, unsigned depth, Color color) const noexcept {
    const double largest = std::exp2(depth) - 1;
    const double step = std::exp2(depth) / 256; // the standards define 8 bits, deeper samples add digits
    const double value = signal(component, color);
    double sample = value * largest;
    if (is_chroma(component))
        sample = full_range_ ? 128 * step + value * largest : step * (128 + 224 * value);
    else if (!full_range_ && component != Component::alpha)
        sample = step * (16 + 219 * value);
    return static_cast<std::uint32_t>(std::lround(std::clamp(sample, 0.0, largest)));
}

} // namespace v4l2dma
