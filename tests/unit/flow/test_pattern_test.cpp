// SPDX-License-Identifier: MIT
#include "flow/test_pattern.h"

#include "flow/frame_stamp.h"
#include "support/av_picture.h"

#include <linux/videodev2.h>
#include <utility>

using namespace v4l2dma;
using namespace v4l2dma::test;
using namespace std::chrono_literals;

namespace {

std::vector<TestPattern> all_patterns() {
    std::vector<TestPattern> patterns;
    for (const std::string_view name : test_pattern_names())
        patterns.push_back(*parse_test_pattern(name));
    return patterns;
}

TestFrame drawn(TestPattern pattern, std::string_view fourcc, const TestFrame::Shape& shape,
                std::uint64_t frame_number, const Colorimetry& colorimetry = {}) {
    TestFrame frame(fourcc, shape, colorimetry);
    REQUIRE(draw_test_pattern(pattern, frame.format(), frame.planes(), frame_number, 1s));
    return frame;
}

} // namespace

TEST_CASE("patterns have names") {
    for (const std::string_view name : test_pattern_names())
        CHECK(test_pattern_name(*parse_test_pattern(name)) == name);
    CHECK(*parse_test_pattern("bars") == TestPattern::bars);
    CHECK(*parse_test_pattern("blue") == TestPattern::blue);
    const Result<TestPattern> typo = parse_test_pattern("chekcer");
    REQUIRE_FALSE(typo);
    CHECK(typo.error().kind == ErrorKind::usage);
    CHECK(typo.error().message().contains("Did you mean checker?"));
    CHECK(parse_test_pattern("zzzz").error().message().contains("bars, smpte"));
    CHECK_FALSE(parse_test_pattern(""));
}

TEST_CASE("every format and size is painted, and its stamp read") {
    constexpr TestFrame::Shape shapes[] = {{1, 1},   {3, 2},           {17, 9, 36}, {64, 24},
                                           {63, 99}, {177, 99, 36, 5}, {320, 180}};
    for (const PixelFormat& entry : pixel_formats()) {
        if (!Canvas::supports(entry.fourcc))
            continue;
        for (const TestFrame::Shape& shape : shapes) {
            TestFrame frame(entry.fourcc, shape);
            CAPTURE(frame.format().text());
            REQUIRE(draw_test_pattern(TestPattern::bars, frame.format(), frame.planes(), 42, 1234567us));
            CHECK(frame.padding_untouched());
            const std::optional<FrameStamp> stamp = read_stamp(frame.format(), std::as_const(frame).planes());
            CHECK(stamp.has_value() == stamp_grid(shape.width, shape.height).has_value());
            if (stamp)
                CHECK(*stamp == FrameStamp{.frame_number = 42, .timestamp = 1234567us});
        }
    }
}

TEST_CASE("a painter paints what is drawn without one, over whatever is there") {
    for (const TestPattern pattern : all_patterns()) {
        for (const char* fourcc : {"YUYV", "NM12", "RGB3", "pRAA"}) {
            CAPTURE(test_pattern_name(pattern));
            CAPTURE(fourcc);
            constexpr TestFrame::Shape shape{322, 181, 16, 64};
            constexpr Colorimetry hd{.colorspace = V4L2_COLORSPACE_REC709};
            TestFrame frame(fourcc, shape, hd);
            const Result<TestPatternPainter> painter = TestPatternPainter::create(pattern, frame.format());
            REQUIRE(painter);
            REQUIRE(painter->paint(frame.planes(), 1000, 1h));
            REQUIRE(painter->paint(frame.planes(), 7, 1s));
            CHECK(frame.memory() == drawn(pattern, fourcc, shape, 7, hd).memory());
            CHECK(frame.padding_untouched());
        }
    }
}

TEST_CASE("a painter that has moved still has its picture") {
    TestFrame frame("YUYV", {.width = 320, .height = 180});
    Result<TestPatternPainter> painter = TestPatternPainter::create(TestPattern::smpte, frame.format());
    REQUIRE(painter);
    const TestPatternPainter moved = std::move(*painter);
    REQUIRE(moved.paint(frame.planes(), 3, 1s));
    CHECK(frame.memory() == drawn(TestPattern::smpte, "YUYV", {.width = 320, .height = 180}, 3).memory());
}

TEST_CASE("each frame differs from the one before outside of its stamp and text, too") {
    constexpr std::uint32_t text_end = 12; // rows
    constexpr std::uint32_t stamp_begin = 216;
    for (const TestPattern pattern : all_patterns()) {
        CAPTURE(test_pattern_name(pattern));
        for (const std::uint64_t number : {30U, 31U, 500U, 10'000'000U}) {
            TestFrame a = drawn(pattern, "YUYV", {.width = 320, .height = 240}, number);
            TestFrame b = drawn(pattern, "YUYV", {.width = 320, .height = 240}, number + 1);
            bool same = true;
            for (std::uint32_t y = text_end; y < stamp_begin; ++y)
                same = same && std::ranges::equal(a.row(0, y), b.row(0, y));
            CHECK_FALSE(same);
        }
    }
}

TEST_CASE("the pictures have the colours that they should") {
    constexpr TestFrame::Shape shape{640, 480};
    const auto pixel = [&](TestPattern pattern, int x, int y) {
        return av_pixel(*av_convert(*av_picture(drawn(pattern, "RGB3", shape, 0)), AV_PIX_FMT_RGB24), x, y);
    };
    using Rgb = std::array<int, 3>;
    constexpr int row = 300; // the box is above it in the first frame
    CHECK(pixel(TestPattern::bars, 40, row) == Rgb{255, 255, 255});
    CHECK(pixel(TestPattern::bars, 120, row) == Rgb{255, 255, 0});
    CHECK(pixel(TestPattern::bars, 440, row) == Rgb{255, 0, 0});
    CHECK(pixel(TestPattern::bars, 600, row) == Rgb{0, 0, 0});
    CHECK(pixel(TestPattern::smpte, 40, row) == Rgb{191, 191, 191});
    CHECK(pixel(TestPattern::smpte, 170, 420) == Rgb{255, 255, 255});
    CHECK(pixel(TestPattern::gradient, 639, 100) == Rgb{255, 255, 255});
    CHECK(pixel(TestPattern::gradient, 639, 200) == Rgb{255, 0, 0});
    CHECK(pixel(TestPattern::gradient, 639, 470) == Rgb{0, 0, 255});
    CHECK(pixel(TestPattern::red, 320, row) == Rgb{255, 0, 0});
    CHECK(pixel(TestPattern::green, 320, row) == Rgb{0, 255, 0});
    CHECK(pixel(TestPattern::white, 320, row) == Rgb{255, 255, 255});
    CHECK(pixel(TestPattern::checker, 320, row) != pixel(TestPattern::checker, 372, row));
}

TEST_CASE("extreme numbers and times") {
    for (const std::uint64_t number : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        for (const std::chrono::microseconds time :
             {std::chrono::microseconds::min(), std::chrono::microseconds::max(), -1us}) {
            TestFrame frame("YUYV", {.width = 160, .height = 120});
            REQUIRE(draw_test_pattern(TestPattern::black, frame.format(), frame.planes(), number, time));
            CHECK(read_stamp(frame.format(), std::as_const(frame).planes()) ==
                  FrameStamp{.frame_number = number, .timestamp = time});
        }
    }
}

TEST_CASE("what cannot be drawn is said") {
    const FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 64, .height = 64};
    CHECK(TestPatternPainter::create(TestPattern::bars, jpeg).error().kind == ErrorKind::unsupported);
    const FrameFormat tiles = *tight_format(FourCC("VT12"), 64, 64);
    CHECK(TestPatternPainter::create(TestPattern::bars, tiles).error().kind == ErrorKind::unsupported);
    TestFrame frame("NV12", {.width = 64, .height = 64});
    const Result<TestPatternPainter> painter = TestPatternPainter::create(TestPattern::bars, frame.format());
    REQUIRE(painter);
    const std::array<std::span<std::byte>, 1> cut{frame.planes()[0].first(64)};
    CHECK(painter->paint(cut, 0, 0us).error().kind == ErrorKind::usage);
}
