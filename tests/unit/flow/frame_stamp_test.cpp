// SPDX-License-Identifier: MIT
#include "flow/frame_stamp.h"

#include "base/crc32.h"
#include "support/av_picture.h"

#include <array>
#include <random>
#include <utility>

using namespace v4l2dma;
using namespace v4l2dma::test;
using namespace std::chrono_literals;

namespace {

constexpr FrameStamp stamp{.frame_number = 0x0123'4567'89ab'cdef, .timestamp = 0x0fed'cba9'8765'4321us};

Canvas stamped(TestFrame& frame, Color background) {
    Result<Canvas> canvas = Canvas::create(frame.format(), frame.planes());
    REQUIRE(canvas);
    canvas->fill({.width = canvas->width(), .height = canvas->height()}, background);
    draw_stamp(*canvas, stamp);
    return *canvas;
}

std::optional<FrameStamp> read(const TestFrame& frame) {
    return read_stamp(frame.format(), frame.planes());
}

} // namespace

TEST_CASE("a stamp is read as it was drawn, in every format and size that has a place for it") {
    constexpr TestFrame::Shape shapes[] = {{64, 24},      {65, 25, 4, 3},    {160, 120},
                                           {177, 99, 36}, {640, 480, 64, 8}, {1025, 385, 4}};
    for (const PixelFormat& entry : pixel_formats()) {
        if (!Canvas::supports(entry.fourcc))
            continue;
        for (const TestFrame::Shape& shape : shapes) {
            TestFrame frame(entry.fourcc, shape);
            CAPTURE(frame.format().text());
            stamped(frame, {200, 100, 50});
            CHECK(read(frame) == stamp);
            CHECK(frame.padding_untouched());
        }
    }
}

TEST_CASE("the largest and least of numbers") {
    TestFrame frame("YUYV", {.width = 320, .height = 180});
    Canvas canvas = stamped(frame, colors::black);
    for (const FrameStamp& extreme : {FrameStamp{}, FrameStamp{~0ULL, std::chrono::microseconds::min()},
                                      FrameStamp{1, std::chrono::microseconds::max()}, FrameStamp{2, -1us}}) {
        draw_stamp(canvas, extreme);
        CHECK(read(frame) == extreme);
    }
}

TEST_CASE("a stamp lies within the frame, and small frames have none") {
    for (std::uint32_t width = 60; width < 2000; width += 7) {
        for (const std::uint32_t height : {24U, 25U, 48U, 100U, 191U, 192U, 383U, 500U}) {
            const std::optional<StampGrid> grid = stamp_grid(width, height);
            REQUIRE(grid.has_value() == (width >= 64));
            if (grid) {
                CHECK(grid->x + StampGrid::columns * grid->cell <= width);
                CHECK(grid->y + StampGrid::rows * grid->cell <= height);
            }
        }
    }
    CHECK_FALSE(stamp_grid(64, 23));
    CHECK(stamp_grid(1920, 1080)->cell == 16);
    TestFrame frame("YUYV", {.width = 63, .height = 64});
    stamped(frame, colors::white);
    CHECK_FALSE(read(frame));
}

TEST_CASE("a damaged stamp is not read") {
    TestFrame frame("NV12", {.width = 160, .height = 120});
    Canvas canvas = stamped(frame, {0, 0, 255});
    const StampGrid grid = *stamp_grid(160, 120);
    for (std::uint32_t row = 0; row < StampGrid::rows; ++row) {
        for (std::uint32_t column = 0; column < StampGrid::columns; ++column) {
            const Rect cell{.x = grid.x + column * grid.cell,
                            .y = grid.y + row * grid.cell,
                            .width = grid.cell,
                            .height = grid.cell};
            draw_stamp(canvas, stamp);
            canvas.fill(cell, colors::white);
            const bool was_white = read(frame).has_value();
            draw_stamp(canvas, stamp);
            canvas.fill(cell, colors::black);
            CHECK(read(frame).has_value() != was_white); // one of both is what was there
        }
    }
}

TEST_CASE("cells with the right checksum, but not the magic number, are no stamp") {
    TestFrame frame("GREY", {.width = 64, .height = 24});
    Canvas canvas = stamped(frame, colors::black);
    const StampGrid grid = *stamp_grid(64, 24);
    canvas.fill({.width = 64, .height = 24}, colors::black); // five rows of zeros
    const std::uint32_t checksum = crc32(std::array<std::byte, 20>{});
    for (std::uint32_t bit = 0; bit < 32; ++bit)
        if ((checksum >> bit & 1) != 0)
            canvas.fill({.x = grid.x + (31 - bit) * grid.cell,
                         .y = grid.y + 5 * grid.cell,
                         .width = grid.cell,
                         .height = grid.cell},
                        colors::white);
    CHECK_FALSE(read(frame));
}

TEST_CASE("a frame without a stamp has none") {
    TestFrame frame("YUYV", {.width = 320, .height = 180});
    CHECK_FALSE(read(frame));
    Result<Canvas> canvas = Canvas::create(frame.format(), frame.planes());
    for (const Color color : {colors::black, colors::white, Color{128, 128, 128}}) {
        canvas->fill({.width = 320, .height = 180}, color);
        CHECK_FALSE(read(frame));
    }
}

TEST_CASE("a stamp survives compression to JPEG") {
    for (const TestFrame::Shape& shape :
         {TestFrame::Shape{160, 120}, {320, 180}, {640, 480}, {1280, 720}, {641, 361}}) {
        for (const int quality : {2, 10, 31}) {
            TestFrame frame("YUYV", shape);
            CAPTURE(frame.format().text());
            CAPTURE(quality);
            stamped(frame, {255, 0, 255});
            const AvPicture decoded = av_jpeg(*av_convert(*av_picture(frame), AV_PIX_FMT_YUV420P), quality);
            TestFrame result("YU12", shape);
            copy_into(result, *decoded);
            CHECK(read(result) == stamp);
        }
    }
}

TEST_CASE("a stamp survives conversion to RGB and back") {
    for (const TestFrame::Shape& shape : {TestFrame::Shape{64, 24}, {320, 180}, {641, 361}}) {
        TestFrame frame("NV12", shape);
        CAPTURE(frame.format().text());
        stamped(frame, {0, 255, 0});
        const AvPicture rgb = av_convert(*av_picture(frame), AV_PIX_FMT_RGB24);
        TestFrame as_rgb("RGB3", shape);
        copy_into(as_rgb, *rgb);
        CHECK(read(as_rgb) == stamp);
        TestFrame back("YUYV", shape);
        copy_into(back, *av_convert(*rgb, AV_PIX_FMT_YUYV422));
        CHECK(read(back) == stamp);
    }
}

TEST_CASE("any bytes and any format may be looked at") {
    std::mt19937 random(1); // NOLINT: the same every time
    const auto any = [&](std::uint32_t most) {
        return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
    };
    std::vector<std::byte> memory(100'000);
    for (std::byte& byte : memory)
        byte = static_cast<std::byte>(any(255));
    const std::span<const PixelFormat> formats = pixel_formats();
    for (int i = 0; i < 20'000; ++i) {
        const bool wild = any(1) == 1; // else it may just fit
        const std::uint32_t most = wild ? ~0U : 300;
        FrameFormat format{.fourcc = formats[any(static_cast<std::uint32_t>(formats.size() - 1))].fourcc,
                           .width = any(most),
                           .height = any(most),
                           .plane_count = any(wild ? ~0U : 3)};
        for (MemoryPlane& plane : format.planes)
            plane = {.bytesperline = any(wild ? ~0U : 1000), .sizeimage = any(wild ? ~0U : 200'000)};
        std::vector<std::span<const std::byte>> planes;
        for (std::uint32_t plane = any(4); plane > 0; --plane)
            planes.push_back(std::span(memory).last(any(100'000)));
        CHECK_FALSE(read_stamp(format, planes));
    }
}
