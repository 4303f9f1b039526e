// SPDX-License-Identifier: MIT
#include "format/frame_format.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

FrameFormat make(const char (&fourcc)[5], std::uint32_t width, std::uint32_t height, std::uint32_t stride,
                 std::uint32_t size) {
    FrameFormat format{.fourcc = FourCC(fourcc), .width = width, .height = height};
    format.planes[0] = {.bytesperline = stride, .sizeimage = size};
    return format;
}

std::uint64_t tight_size(const char (&fourcc)[5], std::uint32_t width, std::uint32_t height) {
    const PixelFormat& entry = *find_pixel_format(FourCC(fourcc));
    return min_sizeimage(entry, min_bytesperline(entry, width), height);
}

} // namespace

TEST_CASE("sizes of tightly packed frames") {
    CHECK(tight_size("YUYV", 640, 480) == 614400);
    CHECK(tight_size("YUYV", 641, 1) == 1284); // whole pairs of pixels
    CHECK(tight_size("NV12", 640, 480) == 460800);
    CHECK(tight_size("NV12", 640, 481) == 640 * (481 + 241));
    CHECK(tight_size("NV24", 640, 480) == 640 * 480 * 3);
    CHECK(tight_size("YU12", 640, 480) == 460800);
    CHECK(tight_size("422P", 640, 480) == 614400);
    CHECK(tight_size("RGB3", 3, 2) == 18);
    CHECK(tight_size("P010", 640, 480) == 921600);
    CHECK(tight_size("MJPG", 640, 480) == 0);
    CHECK(tight_size("XR24", 0xffffffff, 0xffffffff) > 0xffffffff); // no overflow at 32 bits
}

TEST_CASE("a whole frame is no longer than the driver's own size of it") {
    CHECK(least_payload(make("NV12", 640, 480, 704, 999999)) == 704 * 720);
    CHECK(least_payload(make("NV12", 161, 121, 161, 29221)) == 29221); // as vivid has it, 60.5 rows of chroma
    CHECK(least_payload(make("NV12", 161, 121, 161, 0)) == 1);
    CHECK(least_payload(make("MJPG", 640, 480, 0, 1000)) == 1);
    CHECK(least_payload(make("ZZZZ", 640, 480, 0, 1000)) == 1);
}

TEST_CASE("planes follow the stride, not the width") {
    const Result<Layout> nv12 = layout_of(make("NV12", 640, 480, 704, 704 * 480 * 3 / 2));
    REQUIRE(nv12);
    CHECK(nv12->plane_count == 2);
    CHECK(nv12->planes[1].offset == 704 * 480);
    CHECK(nv12->planes[1].stride == 704);
    CHECK(nv12->planes[1].rows == 240);
    CHECK(nv12->planes[1].row_bytes == 640);
    CHECK(nv12->planes[1].end() == 704 * 480 + 704 * 239 + 640);

    const Result<Layout> yu12 = layout_of(make("YU12", 640, 480, 704, 704 * 480 * 3 / 2));
    REQUIRE(yu12);
    CHECK(yu12->planes[2].offset == 704 * 480 + 352 * 240);
    CHECK(yu12->planes[2].stride == 352);
    CHECK(yu12->planes[2].row_bytes == 320);
    CHECK(yu12->size() == 704 * 480 * 3 / 2);
}

TEST_CASE("a frame that does not fit has no layout") {
    CHECK_FALSE(layout_of(make("YUYV", 640, 480, 1279, 1280 * 480)));
    CHECK_FALSE(layout_of(make("YUYV", 640, 480, 1280, 1280 * 480 - 1)));
    CHECK_FALSE(layout_of(make("XR24", 65536, 65536, 65536 * 4, 0xffffffff)));
    CHECK(layout_of(make("MJPG", 640, 480, 0, 100000)).error().kind == ErrorKind::unsupported);
}

TEST_CASE("the layout of two formats is compared without their colours") {
    FrameFormat a = make("YUYV", 640, 480, 1280, 614400);
    FrameFormat b = a;
    b.colorimetry.colorspace = 8;
    CHECK(a.same_layout(b));
    b.planes[0].bytesperline = 1344;
    CHECK_FALSE(a.same_layout(b));
    CHECK(a.text() == "YUYV 640x480");
}

TEST_CASE("a frame without padding") {
    const Result<FrameFormat> nv12 = tight_format(FourCC("NV12"), 641, 481);
    REQUIRE(nv12);
    CHECK(nv12->plane_count == 1);
    CHECK(nv12->planes[0] == MemoryPlane{.bytesperline = 642, .sizeimage = 642 * (481 + 241)});
    CHECK(layout_of(*nv12)->size() == nv12->sizeimage());
    CHECK(tight_format(FourCC("MJPG"), 640, 480).error().kind == ErrorKind::unsupported);
    CHECK(tight_format(FourCC("XR24"), 100000, 100000).error().kind == ErrorKind::usage);
}

TEST_CASE("planes that lie apart") {
    const Result<FrameFormat> tight = tight_format(FourCC("YM12"), 642, 481);
    REQUIRE(tight);
    CHECK(tight->plane_count == 3);
    CHECK(tight->planes[1] == MemoryPlane{.bytesperline = 321, .sizeimage = 321 * 241});

    FrameFormat padded = *tight_format(FourCC("NM12"), 640, 480);
    padded.planes[1] = {.bytesperline = 704, .sizeimage = 704 * 240 + 100};
    const Result<Layout> layout = layout_of(padded);
    REQUIRE(layout);
    CHECK(layout->planes[1].memory_plane == 1);
    CHECK(layout->planes[1].offset == 0);
    CHECK(layout->planes[1].stride == 704);
    CHECK(layout->size(0) == 640 * 480);
    CHECK(layout->size(1) == 704 * 240);

    padded.planes[1].sizeimage = 704 * 240 - 1;
    CHECK_FALSE(layout_of(padded));
    padded.planes[1] = {.bytesperline = 639, .sizeimage = 704 * 240};
    CHECK_FALSE(layout_of(padded));
    padded.plane_count = 1;
    CHECK(layout_of(padded).error().kind == ErrorKind::unsupported);
}

TEST_CASE("the same places, whatever the length of the buffers") {
    const FrameFormat a = make("YUYV", 640, 480, 1280, 1280 * 480);
    CHECK(a.same_places(make("YUYV", 640, 480, 1280, 1280 * 480 + 100)));
    CHECK_FALSE(a.same_places(make("YUYV", 640, 480, 1344, 1344 * 480)));
    // A driver may say anything of the lines of compressed frames.
    CHECK(make("MJPG", 640, 480, 0, 600'000).same_places(make("MJPG", 640, 480, 640, 900'000)));
    CHECK_FALSE(a.same_places(make("YVYU", 640, 480, 1280, 1280 * 480)));
}
