// SPDX-License-Identifier: MIT
#include "format/canvas.h"

#include "format/brightness.h"
#include "support/av_picture.h"

#include <cstdlib>
#include <linux/videodev2.h>
#include <random>
#include <set>
#include <string>
#include <utility>

using namespace v4l2dma;
using namespace v4l2dma::test;

namespace {

constexpr TestFrame::Shape shapes[] = {{1, 1},       {2, 2},           {3, 3},
                                       {7, 5, 4},    {17, 9, 36, 100}, {34, 3},
                                       {64, 64, 64}, {65, 33, 4, 7},   {8, 1, 0, 4096}};

Canvas canvas_on(TestFrame& frame) {
    Result<Canvas> canvas = Canvas::create(frame.format(), frame.planes());
    REQUIRE(canvas);
    return *canvas;
}

void fill_all(TestFrame& frame, Color color) {
    Canvas canvas = canvas_on(frame);
    canvas.fill({.width = canvas.width(), .height = canvas.height()}, color);
}

/// How far a colour can be off because the format has few bits for it.
int tolerance(FourCC fourcc) {
    const std::string name = fourcc.text();
    if (name == "RGB1")
        return 44; // two bits of blue
    if (name == "R444" || (name.ends_with("12") && name.starts_with("X")))
        return 15; // the most that four bits say is 240 to swscale
    return name == "RGBP" || name.ends_with("15") ? 6 : 3;
}

bool is_grey(FourCC fourcc) {
    const std::string name = fourcc.text();
    return name == "GREY" || name == "Y10" || name == "Y12" || name == "Y14" || name == "Y16" ||
           name == "Y012" || name == "Y16-BE";
}

/// Four colours, a quarter of the picture each, come out of FFmpeg as they went in.
void check_against_ffmpeg(FourCC fourcc, const Colorimetry& colorimetry = {}, bool bt709 = false,
                          bool full_range = false) {
    constexpr int half = 32;
    constexpr Color colours[] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {200, 100, 50}};
    constexpr Color greys[] = {{0, 0, 0}, {255, 255, 255}, {128, 128, 128}, {40, 40, 40}};
    CAPTURE(fourcc.text());
    TestFrame frame(fourcc, {.width = 2 * half, .height = 2 * half, .line_padding = 64}, colorimetry);
    Canvas canvas = canvas_on(frame);
    const std::span<const Color> expected = is_grey(fourcc) ? greys : colours;
    for (int i = 0; i < 4; ++i)
        canvas.fill({.x = i % 2 * half, .y = i / 2 * half, .width = half, .height = half},
                    expected[static_cast<std::size_t>(i)]);
    const AvPicture rgb = av_convert(*av_picture(frame), AV_PIX_FMT_RGB24, bt709, full_range);
    for (int i = 0; i < 4; ++i) {
        CAPTURE(i);
        const Color color = expected[static_cast<std::size_t>(i)];
        const auto [r, g, b] = av_pixel(*rgb, i % 2 * half + half / 2, i / 2 * half + half / 2);
        CHECK(std::abs(r - color.red) <= tolerance(fourcc));
        CHECK(std::abs(g - color.green) <= tolerance(fourcc));
        CHECK(std::abs(b - color.blue) <= tolerance(fourcc));
    }
}

/// What FFmpeg does not convert: the first bytes of each component plane, or of the first two rows of the
/// only one.
struct Literal {
    std::string_view formats;
    std::string first;
    std::string second{};
};

std::string operator""_b(const char* text, std::size_t length) {
    return {text, length};
}

constexpr Color red{255, 0, 0};
constexpr Color orange{255, 128, 0}; // each of its values is another one

std::vector<Literal> red_literals() {
    return {
        {"VYUY", "\xf0\x51\x5a\x51"_b},
        {"Y212", "\x80\x51\x30\x5a\x80\x51\x00\xf0"_b},
        {"Y216", "\x7b\x51\x34\x5a\x7b\x51\x00\xf0"_b},
        {"NV16 NM16", "\x51"_b, "\x5a\xf0"_b},
        {"NV61 NM61", "\x51"_b, "\xf0\x5a"_b},
        {"P012 PM12", "\x80\x51"_b, "\x30\x5a\x00\xf0"_b},
        {"Y444", "\x6f\xf5"_b},
        {"YUVO", "\x7e\xa9"_b},
        {"YUVP", "\xfe\x52"_b},
        {"YUV3", "\x51\x5a\xf0"_b},
        {"YUV4 AYUV XYUV", "\xff\x51\x5a\xf0"_b},
        {"VUYA VUYX", "\xf0\x5a\x51\xff"_b},
        {"YUVA YUVX", "\x51\x5a\xf0\xff"_b},
        {"Y312", "\x80\x51\x30\x5a\x00\xf0"_b},
        {"Y04", "\x05"_b},
        {"Y06", "\x14"_b},
        {"Y012", "\x80\x51"_b},
        {"Y16-BE", "\x51\x7b"_b},
        {"Y10B", "\x51\x94\x65\x19\x46"_b},
        {"Y10P", "\x51\x51\x51\x51\xaa"_b},
        {"Y12P", "\x51\x51\x88"_b},
        {"Y14P", "\x51\x51\x51\x51\xdf\xf7\x7d"_b},
    };
}

std::vector<Literal> orange_literals() {
    return {
        {"RGBR", "\xfc\x00"_b},
        {"AR12 R444", "\x80\xff"_b},
        {"RA12 RX12", "\x0f\xf8"_b},
        {"AB12", "\x8f\xf0"_b},
        {"GA12 BX12", "\xff\x08"_b},
        {"AR15 RGBO", "\x00\xfe"_b},
        {"AR15-BE XR15-BE RGBQ", "\xfe\x00"_b},
        {"RA15 RX15", "\x01\xfc"_b},
        {"AB15", "\x1f\x82"_b},
        {"BA15 BX15", "\x3f\x04"_b},
        {"BGRH", "\x02\x0f\xc0\x00"_b},
        {"RX30 RA30", "\x03\x20\xe0\xff"_b},
        {"AR30", "\x00\x08\xf8\xff"_b},
        {"B312", "\x00\x00\x80\x80\xf0\xff"_b},
        {"B412", "\x00\x00\x80\x80\xf0\xff\xf0\xff"_b},
        {"BG10", "\x00\x00\x02\x02"_b, "\x02\x02\xff\x03"_b},
        {"GB10", "\x02\x02\x00\x00"_b, "\xff\x03\x02\x02"_b},
        {"BA10", "\x02\x02\xff\x03"_b, "\x00\x00\x02\x02"_b},
        {"RG10", "\xff\x03\x02\x02"_b, "\x02\x02\x00\x00"_b},
        {"pBAA", "\x00\x80\x00\x80\x88"_b, "\x80\xff\x80\xff\xee"_b},
        {"pGAA", "\x80\x00\x80\x00\x22"_b, "\xff\x80\xff\x80\xbb"_b},
        {"pgAA", "\x80\xff\x80\xff\xee"_b, "\x00\x80\x00\x80\x88"_b},
        {"pRAA", "\xff\x80\xff\x80\xbb"_b, "\x80\x00\x80\x00\x22"_b},
        {"BG12", "\x00\x00\x08\x08"_b, "\x08\x08\xff\x0f"_b},
        {"GB12", "\x08\x08\x00\x00"_b, "\xff\x0f\x08\x08"_b},
        {"BA12", "\x08\x08\xff\x0f"_b, "\x00\x00\x08\x08"_b},
        {"RG12", "\xff\x0f\x08\x08"_b, "\x08\x08\x00\x00"_b},
        {"pBCC", "\x00\x80\x80"_b, "\x80\xff\xf8"_b},
        {"pGCC", "\x80\x00\x08"_b, "\xff\x80\x8f"_b},
        {"pgCC", "\x80\xff\xf8"_b, "\x00\x80\x80"_b},
        {"pRCC", "\xff\x80\x8f"_b, "\x80\x00\x08"_b},
        {"BG14", "\x00\x00\x20\x20"_b, "\x20\x20\xff\x3f"_b},
        {"GB14", "\x20\x20\x00\x00"_b, "\xff\x3f\x20\x20"_b},
        {"GR14", "\x20\x20\xff\x3f"_b, "\x00\x00\x20\x20"_b},
        {"RG14", "\xff\x3f\x20\x20"_b, "\x20\x20\x00\x00"_b},
        {"pBEE", "\x00\x80\x00\x80\x00\x08\x80"_b, "\x80\xff\x80\xff\xe0\x0f\xfe"_b},
        {"pGEE", "\x80\x00\x80\x00\x20\x00\x02"_b, "\xff\x80\xff\x80\x3f\xf8\x83"_b},
        {"pgEE", "\x80\xff\x80\xff\xe0\x0f\xfe"_b, "\x00\x80\x00\x80\x00\x08\x80"_b},
        {"pREE", "\xff\x80\xff\x80\x3f\xf8\x83"_b, "\x80\x00\x80\x00\x20\x00\x02"_b},
    };
}

/// As much of a row as @p wanted has, as text.
std::string begin_of(std::span<const std::byte> row, const std::string& wanted) {
    std::string text;
    for (const std::byte byte : row.first(wanted.size()))
        text.push_back(static_cast<char>(byte));
    return text;
}

void check_literal(FourCC fourcc, const Literal& literal, Color color) {
    CAPTURE(fourcc.text());
    TestFrame frame(fourcc, {.width = 8, .height = 4});
    fill_all(frame, color);
    CHECK(begin_of(frame.row(0, 0), literal.first) == literal.first);
    const bool second_plane = frame.layout().plane_count > 1;
    CHECK(begin_of(frame.row(second_plane ? 1 : 0, second_plane ? 0 : 1), literal.second) == literal.second);
}

/// Checks all these formats, and returns them.
std::set<FourCC> check_literals(const std::vector<Literal>& literals, Color color) {
    std::set<FourCC> checked;
    for (const Literal& literal : literals) {
        std::string_view rest = literal.formats;
        while (!rest.empty()) {
            const std::string_view name = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            const FourCC fourcc = *FourCC::parse(name);
            check_literal(fourcc, literal, color);
            checked.insert(fourcc);
        }
    }
    return checked;
}

} // namespace

TEST_CASE("a canvas keeps to the pixels, in odd sizes and with padding, too") {
    for (const PixelFormat& entry : pixel_formats()) {
        if (!Canvas::supports(entry.fourcc))
            continue;
        for (const TestFrame::Shape& shape : shapes) {
            TestFrame frame(entry.fourcc, shape);
            CAPTURE(frame.format().text());
            Canvas canvas = canvas_on(frame);
            fill_all(frame, {1, 2, 3});
            canvas.fill({.x = -5, .y = -5, .width = 1000, .height = 1000}, colors::white);
            canvas.fill({.x = 3, .y = 1, .width = 2, .height = 1}, {10, 100, 200});
            canvas.fill({.x = -1, .y = 0, .width = 2, .height = 100}, colors::black);
            canvas.fill({.x = 1000, .y = 0, .width = 5, .height = 5}, colors::black);
            canvas.fill({.x = 5, .y = 5, .width = -2, .height = -2}, colors::black);
            CHECK(frame.padding_untouched());
        }
    }
}

TEST_CASE("every pixel of a rectangle changes, and no other one") {
    constexpr std::uint32_t width = 37;
    constexpr std::uint32_t height = 11;
    std::mt19937 random(1); // NOLINT: the same every time
    const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
    for (const PixelFormat& entry : pixel_formats()) {
        if (!Canvas::supports(entry.fourcc))
            continue;
        CAPTURE(entry.fourcc.text());
        TestFrame frame(entry.fourcc, {.width = width, .height = height, .line_padding = 8});
        Canvas canvas = canvas_on(frame);
        fill_all(frame, colors::black);
        std::vector<bool> white(width * height);
        for (int i = 0; i < 20; ++i) {
            const int x = any(0, width - 1);
            const int y = any(0, height - 1);
            const int right = any(x + 1, width);
            const int bottom = any(y + 1, height);
            const bool set = any(0, 1) == 1;
            canvas.fill({.x = x, .y = y, .width = right - x, .height = bottom - y},
                        set ? colors::white : colors::black);
            for (int row = y; row < bottom; ++row)
                for (int column = x; column < right; ++column)
                    white[static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column)] = set;
        }
        const Result<BrightnessReader> reader =
            BrightnessReader::create(frame.format(), std::as_const(frame).planes());
        REQUIRE(reader);
        std::size_t wrong = 0;
        for (std::uint32_t y = 0; y < height; ++y)
            for (std::uint32_t x = 0; x < width; ++x)
                wrong += (reader->at(x, y) > 127) == white[std::size_t{y} * width + x] ? 0U : 1U;
        CHECK(wrong == 0);
    }
}

TEST_CASE("FFmpeg sees the colours that were drawn") {
    for (const PixelFormat& entry : pixel_formats())
        if (Canvas::supports(entry.fourcc) && av_converts(entry.fourcc) && entry.fourcc != FourCC("GREY"))
            check_against_ffmpeg(entry.fourcc);
    // Limited range to V4L2, and to swscale full range whatever it is told.
    check_against_ffmpeg(FourCC("GREY"), {.quantization = V4L2_QUANTIZATION_FULL_RANGE});
}

TEST_CASE("colours follow the colorimetry") {
    const Colorimetry hd{.colorspace = V4L2_COLORSPACE_REC709};
    const Colorimetry jpeg{.colorspace = V4L2_COLORSPACE_JPEG};
    const Colorimetry full_hd{.colorspace = V4L2_COLORSPACE_REC709,
                              .quantization = V4L2_QUANTIZATION_FULL_RANGE};
    for (const char* name : {"YUYV", "NV12", "YU12", "NV24"}) {
        const FourCC fourcc = *FourCC::parse(name);
        check_against_ffmpeg(fourcc, hd, true);
        check_against_ffmpeg(fourcc, jpeg, false, true);
        check_against_ffmpeg(fourcc, full_hd, true, true);
    }
    check_against_ffmpeg(FourCC("P010"), hd, true);
}

TEST_CASE("the bytes of formats that FFmpeg does not convert") {
    std::set<FourCC> checked = check_literals(red_literals(), red);
    checked.merge(check_literals(orange_literals(), orange));
    for (const PixelFormat& entry : pixel_formats())
        if (Canvas::supports(entry.fourcc) && !av_converts(entry.fourcc))
            CHECK_MESSAGE(checked.contains(entry.fourcc), entry.fourcc.text());
}

TEST_CASE("chroma that pixels share is that of the last rectangle") {
    TestFrame frame("YUYV", {.width = 4, .height = 1});
    fill_all(frame, {255, 0, 0});
    canvas_on(frame).fill({.x = 1, .y = 0, .width = 1, .height = 1}, colors::white);
    const std::string wanted = "\x51\x80\xeb\x80\x51\x5a\x51\xf0"_b;
    CHECK(begin_of(frame.row(0, 0), wanted) == wanted);
}

TEST_CASE("a group that the right edge cuts is written as a whole") {
    TestFrame frame("YUYV", {.width = 3, .height = 1});
    fill_all(frame, {255, 0, 0});
    const std::string wanted = "\x51\x5a\x51\xf0\x51\x5a\x51\xf0"_b;
    CHECK(begin_of(frame.row(0, 0), wanted) == wanted);
}

TEST_CASE("a picture is copied between different strides") {
    for (const char* name : {"YUYV", "NM12", "YU12", "pRAA"}) {
        CAPTURE(name);
        TestFrame from(name, {.width = 21, .height = 7});
        TestFrame to(name, {.width = 21, .height = 7, .line_padding = 16, .end_padding = 9});
        TestFrame drawn(name, {.width = 21, .height = 7, .line_padding = 16, .end_padding = 9});
        for (TestFrame* frame : {&from, &drawn}) {
            fill_all(*frame, {200, 100, 50});
            canvas_on(*frame).fill({.x = 2, .y = 2, .width = 9, .height = 3}, {0, 0, 255});
        }
        canvas_on(to).copy_from(canvas_on(from));
        CHECK(to.memory() == drawn.memory());
    }
}

TEST_CASE("what has no canvas") {
    for (const char* name : {"MJPG", "HSV3", "HSV4", "VT12", "T010", "aBA8", "bBA8", "????"}) {
        const FourCC fourcc = *FourCC::parse(name);
        CHECK_FALSE(Canvas::supports(fourcc));
        CHECK(Canvas::create({.fourcc = fourcc, .width = 4, .height = 4}, {}).error().kind ==
              ErrorKind::unsupported);
    }
    TestFrame frame("NM12", {.width = 16, .height = 8});
    std::vector<std::span<std::byte>> planes = frame.planes();
    CHECK(Canvas::create(frame.format(), planes));
    CHECK(Canvas::create(frame.format(), std::span(planes).first(1)).error().kind == ErrorKind::usage);
    planes[1] = planes[1].first(planes[1].size() - 1);
    CHECK(Canvas::create(frame.format(), planes).error().kind == ErrorKind::usage);
    FrameFormat narrow = frame.format();
    narrow.planes[0].bytesperline = 15;
    CHECK_FALSE(Canvas::create(narrow, frame.planes()));
}
