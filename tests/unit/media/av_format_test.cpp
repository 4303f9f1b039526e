// SPDX-License-Identifier: MIT
#include "media/av_format.h"

#include "format/pixel_format.h"

#include <doctest/doctest.h>

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
        "VYUY NV61 P012 NM61 PM12 VT12 VT15 T010 AR12 RA12 RX12 AB12 GA12 BX12 R444 AR15 RA15 RX15 AB15 BA15 "
        "BX15 RGBO RGBQ AR15-BE XR15-BE RGBR BGRH HSV3 HSV4 RX30 RA30 AR30 B312 B412 Y444 YUVO YUVP "
        "YUV3 YUV4 AYUV XYUV VUYA VUYX YUVA YUVX Y212 Y216 Y312 Y04 Y06 Y012 Y16-BE Y10B Y10P Y12P "
        "Y14P BG10 GB10 BA10 RG10 pBAA pGAA pgAA pRAA aBA8 aGA8 agA8 aRA8 bBA8 bGA8 BD10 bRA8 BG12 "
        "GB12 BA12 RG12 pBCC pGCC pgCC pRCC BG14 GB14 GR14 RG14 pBEE pGEE pgEE pREE ");
    CHECK(av_pixel_format(FourCC("ZZZZ")) == AV_PIX_FMT_NONE);
}

TEST_CASE("only formats whose frames stand alone are decoded") {
    CHECK(av_still_codec(FourCC("MJPG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("JPEG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("H264")) == AV_CODEC_ID_NONE);
    CHECK(av_still_codec(FourCC("YUYV")) == AV_CODEC_ID_NONE);
}
