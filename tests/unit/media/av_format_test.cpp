// SPDX-License-Identifier: MIT
#include "media/av_format.h"

#include "format/frame_format.h"

#include <doctest/doctest.h>

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

using namespace v4l2dma;

TEST_CASE("FFmpeg knows the uncompressed formats, and none of the compressed ones as pixels") {
    std::string unknown;
    for (const PixelFormat& entry : pixel_formats()) {
        if (entry.compressed())
            CHECK(av_pixel_format(entry.fourcc) == AV_PIX_FMT_NONE);
        else if (av_pixel_format(entry.fourcc) == AV_PIX_FMT_NONE)
            unknown += entry.fourcc.text() + " ";
    }
    // What FFmpeg has no name for.
    CHECK(
        unknown ==
        "VYUY NV61 NM61 VT12 VT15 T010 AR12 RA12 RX12 AB12 GA12 BX12 AR15 RA15 RX15 AB15 BA15 BX15 AR15-BE "
        "BGRH HSV3 HSV4 RX30 RA30 B312 B412 Y444 YUVO YUVP YUV3 YUV4 AYUV XYUV VUYA VUYX YUVA YUVX Y312 Y04 "
        "Y06 Y10B Y10P Y12P Y14P BG10 GB10 BA10 RG10 pBAA pGAA pgAA pRAA aBA8 aGA8 agA8 aRA8 bBA8 bGA8 BD10 "
        "bRA8 BG12 GB12 BA12 RG12 pBCC pGCC pgCC pRCC BG14 GB14 GR14 RG14 pBEE pGEE pgEE pREE ");
    CHECK(av_pixel_format(FourCC("ZZZZ")) == AV_PIX_FMT_NONE);
}

TEST_CASE("the shape of each format is FFmpeg's") {
    for (const PixelFormat& entry : pixel_formats()) {
        const AvFormat* format = find_av_format(entry.fourcc);
        if (format == nullptr)
            continue;
        CAPTURE(entry.fourcc.text());
        CHECK(format->fourcc == entry.fourcc);
        CHECK(av_pix_fmt_count_planes(format->pixel_format) == entry.plane_count);
        const Layout layout = *layout_of(*tight_format(entry.fourcc, 64, 8));
        std::array<int, 4> row_bytes{};
        REQUIRE(av_image_fill_linesizes(row_bytes.data(), format->pixel_format, 64) >= 0);
        for (std::uint32_t i = 0; i < entry.plane_count; ++i)
            CHECK(row_bytes[i] == static_cast<int>(layout.planes[i].row_bytes));
        CHECK(av_image_get_buffer_size(format->pixel_format, 64, 8, 1) ==
              static_cast<int>(layout.size()) +
                  static_cast<int>(entry.apart ? layout.size(1) + layout.size(2) : 0));
    }
}

TEST_CASE("planes are swapped where V4L2 has V before U") {
    std::string swapped;
    for (const PixelFormat& entry : pixel_formats())
        if (const AvFormat* format = find_av_format(entry.fourcc); format != nullptr && format->swapped)
            swapped += entry.fourcc.text() + " ";
    CHECK(swapped == "YV12 YVU9 YM21 YM61 YM42 ");
}

TEST_CASE("only formats whose frames stand alone are decoded") {
    CHECK(av_still_codec(FourCC("MJPG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("JPEG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("H264")) == AV_CODEC_ID_NONE);
    CHECK(av_still_codec(FourCC("YUYV")) == AV_CODEC_ID_NONE);
}
