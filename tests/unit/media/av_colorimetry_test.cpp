// SPDX-License-Identifier: MIT
#include "media/av_colorimetry.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;

namespace {

FrameFormat format_with(const char (&fourcc)[5], const Colorimetry& colorimetry) {
    FrameFormat format = *tight_format(FourCC(fourcc), 64, 48);
    format.colorimetry = colorimetry;
    return format;
}

} // namespace

TEST_CASE("what a film says of its colours is what V4L2 is told") {
    const Colorimetry hd = to_colorimetry({.primaries = AVCOL_PRI_BT709,
                                           .transfer = AVCOL_TRC_BT709,
                                           .matrix = AVCOL_SPC_BT709,
                                           .range = AVCOL_RANGE_MPEG},
                                          240, false);
    CHECK(hd == Colorimetry{.colorspace = V4L2_COLORSPACE_REC709,
                            .ycbcr_encoding = V4L2_YCBCR_ENC_709,
                            .quantization = V4L2_QUANTIZATION_LIM_RANGE,
                            .transfer_function = V4L2_XFER_FUNC_709});
    const Colorimetry hdr = to_colorimetry({.primaries = AVCOL_PRI_BT2020,
                                            .transfer = AVCOL_TRC_SMPTE2084,
                                            .matrix = AVCOL_SPC_BT2020_NCL,
                                            .range = AVCOL_RANGE_JPEG},
                                           2160, false);
    CHECK(hdr == Colorimetry{.colorspace = V4L2_COLORSPACE_BT2020,
                             .ycbcr_encoding = V4L2_YCBCR_ENC_BT2020,
                             .quantization = V4L2_QUANTIZATION_FULL_RANGE,
                             .transfer_function = V4L2_XFER_FUNC_SMPTE2084});
}

TEST_CASE("what it leaves open is what players take it for") {
    CHECK(to_colorimetry({}, 480, false).colorspace == V4L2_COLORSPACE_SMPTE170M);
    CHECK(to_colorimetry({}, 720, false).colorspace == V4L2_COLORSPACE_REC709);
    CHECK(to_colorimetry({}, 720, false).quantization == V4L2_QUANTIZATION_DEFAULT);
    CHECK(to_colorimetry({}, 720, true).colorspace == V4L2_COLORSPACE_SRGB);
    CHECK(to_colorimetry({.matrix = AVCOL_SPC_BT709}, 240, false).colorspace == V4L2_COLORSPACE_REC709);
    CHECK(to_colorimetry({.matrix = AVCOL_SPC_BT470BG}, 1080, false).colorspace ==
          V4L2_COLORSPACE_470_SYSTEM_BG);
}

TEST_CASE("a frame's defaults are what V4L2 says they are") {
    CHECK(to_av_colours(format_with("YUYV", {.colorspace = V4L2_COLORSPACE_REC709})) ==
          AvColours{.primaries = AVCOL_PRI_BT709,
                    .transfer = AVCOL_TRC_BT709,
                    .matrix = AVCOL_SPC_BT709,
                    .range = AVCOL_RANGE_MPEG});
    CHECK(to_av_colours(format_with("NV12", {.colorspace = V4L2_COLORSPACE_JPEG})) ==
          AvColours{.primaries = AVCOL_PRI_BT709,
                    .transfer = AVCOL_TRC_IEC61966_2_1,
                    .matrix = AVCOL_SPC_SMPTE170M,
                    .range = AVCOL_RANGE_JPEG});
    CHECK(to_av_colours(format_with("RGB3", {.colorspace = V4L2_COLORSPACE_SRGB})) ==
          AvColours{.primaries = AVCOL_PRI_BT709,
                    .transfer = AVCOL_TRC_IEC61966_2_1,
                    .matrix = AVCOL_SPC_RGB,
                    .range = AVCOL_RANGE_JPEG});
    CHECK(to_av_colours(format_with("NV12", {})) == AvColours{});
}

TEST_CASE("colours survive the way into a film and back") {
    for (const std::uint32_t colorspace :
         {V4L2_COLORSPACE_REC709, V4L2_COLORSPACE_SMPTE170M, V4L2_COLORSPACE_SMPTE240M,
          V4L2_COLORSPACE_470_SYSTEM_M, V4L2_COLORSPACE_470_SYSTEM_BG, V4L2_COLORSPACE_BT2020,
          V4L2_COLORSPACE_DCI_P3}) {
        CAPTURE(colorspace);
        const AvColours there = to_av_colours(format_with("NV12", {.colorspace = colorspace}));
        const Colorimetry back = to_colorimetry(there, 48, false);
        CHECK(back.colorspace == colorspace);
        CHECK(to_av_colours(format_with("NV12", back)) == there);
    }
}
