// SPDX-License-Identifier: MIT
#include "format/pixel_format.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>
#include <set>

using namespace v4l2dma;

TEST_CASE("every format is in the table once") {
    std::set<FourCC> seen;
    for (const PixelFormat& entry : pixel_formats()) {
        CHECK_MESSAGE(seen.insert(entry.fourcc).second, entry.fourcc.text());
        CHECK(find_pixel_format(entry.fourcc) == &entry);
    }
    CHECK(find_pixel_format(FourCC("????")) == nullptr);
}

TEST_CASE("the names are V4L2's") {
    for (const std::uint32_t value :
         {V4L2_PIX_FMT_RGB24, V4L2_PIX_FMT_BGR24, V4L2_PIX_FMT_XBGR32, V4L2_PIX_FMT_ABGR32,
          V4L2_PIX_FMT_RGBX32, V4L2_PIX_FMT_RGBA32, V4L2_PIX_FMT_XRGB32, V4L2_PIX_FMT_YUV422P,
          V4L2_PIX_FMT_RGB565, V4L2_PIX_FMT_GREY, V4L2_PIX_FMT_Y16_BE, V4L2_PIX_FMT_SRGGB12P,
          V4L2_PIX_FMT_YUV411P, V4L2_PIX_FMT_P010, V4L2_PIX_FMT_SRGGB8, V4L2_PIX_FMT_MJPEG})
        CHECK_MESSAGE(find_pixel_format(FourCC(value)) != nullptr, FourCC(value).text());
}

TEST_CASE("users may write a format as they know it") {
    CHECK(*resolve_format("yuyv") == FourCC("YUYV"));
    CHECK(*resolve_format("RGB24") == FourCC("RGB3"));
    CHECK(*resolve_format("mjpeg") == FourCC("MJPG"));
    CHECK(*resolve_format("Y10") == FourCC("Y10 "));
    const FourCC own = FourCC("pQQ7");
    CHECK_FALSE(resolve_format("pQQ7"));
    CHECK(*resolve_format("pQQ7", {&own, 1}) == own);
}

TEST_CASE("an unknown format names near matches") {
    const Result<FourCC> fourcc = resolve_format("YUVY");
    REQUIRE_FALSE(fourcc);
    CHECK(fourcc.error().kind == ErrorKind::usage);
    CHECK(fourcc.error().message().find("Did you mean YUYV") != std::string::npos);
    CHECK(similar_formats("VN12").front() == FourCC("NV12"));
    CHECK(similar_formats("@@@@").empty());
}

TEST_CASE("planes apart and planes together are the same pixels") {
    CHECK(same_pixels(FourCC("NM12"), FourCC("NV12")));
    CHECK(same_pixels(FourCC("422P"), FourCC("YM16")));
    CHECK(same_pixels(FourCC("YM24"), FourCC("YM24")));
    CHECK(same_pixels(FourCC("ZZZZ"), FourCC("ZZZZ")));
    CHECK_FALSE(same_pixels(FourCC("NM12"), FourCC("NV21")));
    CHECK_FALSE(same_pixels(FourCC("YM24"), FourCC("YM42")));
    for (const PixelFormat& entry : pixel_formats()) {
        if (entry.together == FourCC())
            continue;
        const PixelFormat* together = find_pixel_format(entry.together);
        REQUIRE(together != nullptr);
        CHECK(entry.apart);
        CHECK_FALSE(together->apart);
        CHECK(together->plane_count == entry.plane_count);
        CHECK(together->bits_per_pixel == entry.bits_per_pixel);
        CHECK(together->drm == entry.drm);
    }
}
