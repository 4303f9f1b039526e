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
    CHECK(unknown == "VYUY NV61 "); // FFmpeg has neither
    CHECK(av_pixel_format(FourCC("ZZZZ")) == AV_PIX_FMT_NONE);
}

TEST_CASE("only formats whose frames stand alone are decoded") {
    CHECK(av_still_codec(FourCC("MJPG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("JPEG")) == AV_CODEC_ID_MJPEG);
    CHECK(av_still_codec(FourCC("H264")) == AV_CODEC_ID_NONE);
    CHECK(av_still_codec(FourCC("YUYV")) == AV_CODEC_ID_NONE);
}
