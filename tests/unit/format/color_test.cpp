// SPDX-License-Identifier: MIT
#include "format/color.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;

TEST_CASE("the ends of both ranges") {
    const ColorEncoding limited({}, false);
    CHECK(limited.sample(Component::luma, 8, colors::black) == 16);
    CHECK(limited.sample(Component::luma, 8, colors::white) == 235);
    CHECK(limited.sample(Component::luma, 10, colors::white) == 940);
    CHECK(limited.sample(Component::red_chroma, 8, colors::white) == 128);
    CHECK(limited.sample(Component::red_chroma, 8, {255, 0, 0}) == 240);
    CHECK(limited.sample(Component::blue_chroma, 8, {255, 255, 0}) == 16);
    CHECK(limited.sample(Component::alpha, 8, colors::black) == 255);

    const ColorEncoding full({.quantization = V4L2_QUANTIZATION_FULL_RANGE}, false);
    CHECK(full.sample(Component::luma, 8, colors::black) == 0);
    CHECK(full.sample(Component::luma, 16, colors::white) == 65535);
    CHECK(full.sample(Component::red_chroma, 8, colors::white) == 128);
    CHECK(full.sample(Component::red_chroma, 8, {255, 0, 0}) == 255);
    CHECK(full.sample(Component::blue_chroma, 8, {255, 255, 0}) <= 1);
}

TEST_CASE("RGB has the full range unless it is said to be limited") {
    CHECK(ColorEncoding({}, true).sample(Component::green, 8, colors::white) == 255);
    const ColorEncoding limited({.quantization = V4L2_QUANTIZATION_LIM_RANGE}, true);
    CHECK(limited.sample(Component::green, 8, colors::white) == 235);
    CHECK(limited.sample(Component::green, 8, colors::black) == 16);
}

TEST_CASE("luma has the weights of the standard") {
    constexpr Color red{255, 0, 0};
    const auto luma = [&](const Colorimetry& colorimetry) {
        return ColorEncoding(colorimetry, false).sample(Component::luma, 8, red);
    };
    CHECK(luma({}) == 81);
    CHECK(luma({.colorspace = V4L2_COLORSPACE_REC709}) == 63);
    CHECK(luma({.colorspace = V4L2_COLORSPACE_REC709, .ycbcr_encoding = V4L2_YCBCR_ENC_601}) == 81);
    CHECK(luma({.colorspace = V4L2_COLORSPACE_BT2020}) == 74);
    CHECK(luma({.colorspace = V4L2_COLORSPACE_SMPTE240M}) == 62);
}
