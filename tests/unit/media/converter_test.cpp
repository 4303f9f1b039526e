// SPDX-License-Identifier: MIT
#include "media/converter.h"

#include "support/jpeg.h"
#include "support/picture.h"

#include <array>
#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;
using testing::make_jpeg;
using testing::padded_format;
using testing::Picture;

namespace {

constexpr Colorimetry bt601{.colorspace = V4L2_COLORSPACE_SMPTE170M};
constexpr Colorimetry bt601_full{.colorspace = V4L2_COLORSPACE_JPEG};
constexpr Colorimetry bt709{.colorspace = V4L2_COLORSPACE_REC709};
constexpr Colorimetry bt709_full{.colorspace = V4L2_COLORSPACE_REC709,
                                 .quantization = V4L2_QUANTIZATION_FULL_RANGE};

FrameFormat coloured(const char (&fourcc)[5], const Colorimetry& colorimetry, std::uint32_t width = 64,
                     std::uint32_t height = 16) {
    FrameFormat format = *tight_format(FourCC(fourcc), width, height);
    format.colorimetry = colorimetry;
    return format;
}

/// Converts; both must be in memory already. Answers the bytes.
std::uint64_t convert(const Picture& from, const Picture& to, const ConvertOptions& options = {}) {
    Result<Converter> converter = Converter::create(from.format(), to.format(), options);
    REQUIRE(converter);
    const Result<std::uint64_t> bytes = converter->run(from.planes(), to.writable());
    REQUIRE(bytes);
    return *bytes;
}

/// Fills each row of plane i with the bytes of colour i, over and over.
void paint(const Picture& picture, const std::vector<std::vector<int>>& colour) {
    picture.each_row([&](std::uint32_t plane, std::span<std::byte> row) {
        for (std::size_t i = 0; i < row.size(); ++i)
            row[i] = static_cast<std::byte>(colour[plane][i % colour[plane].size()]);
    });
}

/// Whether each row of plane i has the bytes of colour i over and over, but for @p tolerance.
bool has_colour(const Picture& picture, const std::vector<std::vector<int>>& colour, int tolerance) {
    bool has = true;
    picture.each_row([&](std::uint32_t plane, std::span<std::byte> row) {
        for (std::size_t i = 0; i < row.size(); ++i)
            has &=
                std::abs(std::to_integer<int>(row[i]) - colour[plane][i % colour[plane].size()]) <= tolerance;
    });
    return has;
}

void check_colour(const FrameFormat& from_format, const std::vector<std::vector<int>>& from,
                  const FrameFormat& to_format, const std::vector<std::vector<int>>& to) {
    CAPTURE(from_format.text());
    CAPTURE(to_format.text());
    const Picture source(from_format);
    const Picture target(to_format);
    paint(source, from);
    convert(source, target);
    CHECK(has_colour(target, to, 3));
}

/// A conversion writes the same pixels whatever was there, and nothing else; guard pages see what reads or
/// writes beyond the memory.
void check_bounds(const FrameFormat& from, const FrameFormat& to, unsigned threads) {
    CAPTURE(from.text());
    CAPTURE(to.text());
    Result<Converter> converter =
        Converter::create(from, to, {.scaling = Scaling::bilinear, .threads = threads});
    if (!converter) {
        CHECK(converter.error().kind == ErrorKind::unsupported);
        return;
    }
    const Picture source(from);
    const Picture first(to);
    const Picture second(to, std::byte{0x3c});
    source.fill_with_noise();
    second.fill(std::byte{0xff});
    CHECK(converter->run(source.planes(), first.writable()));
    CHECK(converter->run(source.planes(), second.writable()));
    if (to.fourcc != FourCC("RGB1")) // what is lost in 8 bits is handed to the next picture
        CHECK(first.pixels() == second.pixels());
    CHECK(first.padding_intact());
    CHECK(second.padding_intact());
    CHECK(source.padding_intact());
}

void check_all_bounds(std::uint32_t width, std::uint32_t height, std::uint32_t padding) {
    REQUIRE(load_ffmpeg());
    for (const PixelFormat& from : pixel_formats()) {
        if (find_av_format(from.fourcc) == nullptr)
            continue;
        for (const PixelFormat& to : pixel_formats())
            if (find_av_format(to.fourcc) != nullptr)
                check_bounds(padded_format(from.fourcc, width, height, padding),
                             padded_format(to.fourcc, width, height, padding), 1);
    }
}

} // namespace

TEST_CASE("every conversion stays inside the rows, in an odd size") {
    check_all_bounds(35, 19, 12);
}

TEST_CASE("every conversion stays inside the rows, in place") {
    check_all_bounds(128, 10, 0);
}

TEST_CASE("every conversion stays inside the rows, with padding of whole vectors") {
    check_all_bounds(128, 6, 128);
}

TEST_CASE("threads and other sizes stay inside the rows, too") {
    for (const char* name : {"YUYV", "NV12", "YM21", "RGB3", "XR24", "BX24", "BA81", "GREY"}) {
        for (const char* other : {"UYVY", "NM12", "YU12", "BGR3", "AR24", "RA24", "RGBP", "GREY"}) {
            const FourCC from = *FourCC::parse(name);
            const FourCC to = *FourCC::parse(other);
            check_bounds(padded_format(from, 128, 66, 0), padded_format(to, 128, 66, 0), 3);
            check_bounds(padded_format(from, 35, 41, 12), padded_format(to, 35, 41, 12), 3);
            check_bounds(padded_format(from, 128, 66, 0), padded_format(to, 256, 34, 0), 3);
            check_bounds(padded_format(from, 33, 17, 12), padded_format(to, 101, 9, 0), 3);
            check_bounds(padded_format(from, 2, 2, 0), padded_format(to, 320, 200, 0), 1);
            check_bounds(padded_format(from, 320, 200, 0), padded_format(to, 1, 1, 0), 1);
        }
    }
}

TEST_CASE("every format of FFmpeg's keeps a colour up to its last pixel, in odd sizes") {
    // Grey has the same value everywhere, whatever the order and the number of the bits.
    const FrameFormat rgb = coloured("RGB3", {}, 35, 19);
    std::string only_read;
    for (const PixelFormat& entry : pixel_formats()) {
        if (find_av_format(entry.fourcc) == nullptr)
            continue;
        CAPTURE(entry.fourcc.text());
        const Picture source(rgb);
        const Picture middle(padded_format(entry.fourcc, 35, 19, 12));
        const Picture result(rgb);
        source.fill(std::byte{200});
        Result<Converter> there = Converter::create(rgb, middle.format());
        if (!there) {
            only_read += entry.fourcc.text() + " ";
            continue;
        }
        REQUIRE(there->run(source.planes(), middle.writable()));
        convert(middle, result);
        const int tolerance = entry.fourcc == FourCC("RGB1") ? 64 : 18; // the fewer bits, the less colour
        CHECK(has_colour(result, {{200, 200, 200}}, tolerance));
    }
    CHECK(only_read == "NV16 NM16 Y210 Y212 Y216 BA81 GBRG GRBG RGGB BYR2 GB16 GR16 RG16 "); // FFmpeg 5.1
}

TEST_CASE("conversions that lose nothing") {
    const auto there_and_back = [](const char* first, const char* second, const ConvertOptions& options) {
        CAPTURE(std::string(first) + " " + second);
        for (const auto& [width, height] : {std::pair{64U, 16U}, {34U, 18U}, {33U, 7U}}) {
            const Picture source(padded_format(*FourCC::parse(first), width, height, 0));
            const Picture middle(padded_format(*FourCC::parse(second), width, height, 12));
            const Picture result(source.format());
            source.fill_with_noise();
            convert(source, middle, options);
            convert(middle, result, options);
            // The second half of a pair of pixels at the end of an odd row is none.
            const std::size_t end = width * find_pixel_format(source.format().fourcc)->bits_per_pixel / 8;
            if (end < source.layout().planes[0].row_bytes)
                for (const Picture* picture : {&source, &result})
                    for (std::uint32_t y = 0; y < height; ++y)
                        picture->row(0, y)[end] = {};
            CHECK(result.pixels() == source.pixels());
        }
    };
    there_and_back("RGB3", "XR24", {});
    there_and_back("BGR3", "BA24", {.threads = 2});
    there_and_back("YUYV", "UYVY", {});
    there_and_back("YUYV", "422P", {.threads = 2});
    there_and_back("NV12", "YU12", {});
    there_and_back("NV24", "YM42", {});
}

TEST_CASE("bytes get to where the other format has them") {
    const auto check = [](const char(&from)[5], const std::vector<std::vector<int>>& source,
                          const char(&to)[5], const std::vector<std::vector<int>>& target) {
        for (const std::uint32_t width : {64U, 34U}) {
            const Picture picture(coloured(from, {}, width, 6));
            const Picture result(coloured(to, {}, width, 6));
            paint(picture, source);
            convert(picture, result);
            CHECK_MESSAGE(has_colour(result, target, 0), from << " to " << to);
        }
    };
    check("YUYV", {{10, 20, 30, 40}}, "UYVY", {{20, 10, 40, 30}});
    check("YUYV", {{10, 20, 30, 40}}, "422P", {{10, 30}, {20}, {40}});
    check("YUYV", {{10, 20, 30, 40}}, "YM61", {{10, 30}, {40}, {20}});
    check("NV12", {{10}, {20, 40}}, "YU12", {{10}, {20}, {40}});
    check("NV12", {{10}, {20, 40}}, "YV12", {{10}, {40}, {20}});
    check("YM21", {{10}, {40}, {20}}, "NM12", {{10}, {20, 40}});
    check("YU12", {{10}, {20}, {40}}, "YV12", {{10}, {40}, {20}});
    check("YVU9", {{10}, {40}, {20}}, "YUV9", {{10}, {20}, {40}});
    check("RGB3", {{1, 2, 3}}, "BX24", {{255, 1, 2, 3}});
    check("RGB3", {{1, 2, 3}}, "AR24", {{3, 2, 1, 255}});
    check("RGB3", {{255, 0, 0}}, "RGBR", {{0xf8, 0}});
}

TEST_CASE("colours follow the matrix and the range of both sides") {
    const std::vector<std::vector<int>> red{{255, 0, 0}};
    const auto yuv = [](int y, int u, int v) { return std::vector<std::vector<int>>{{y}, {u}, {v}}; };
    struct Red {
        Colorimetry colorimetry;
        std::vector<std::vector<int>> yuv;
    };
    const Red reds[] = {{{}, yuv(81, 90, 240)},
                        {bt601, yuv(81, 90, 240)},
                        {bt709, yuv(63, 102, 240)},
                        {bt601_full, yuv(76, 85, 255)},
                        {bt709_full, yuv(54, 99, 255)}};
    for (const Red& from : reds) {
        check_colour(coloured("RGB3", {}), red, coloured("YU12", from.colorimetry), from.yuv);
        check_colour(coloured("YU12", from.colorimetry), from.yuv, coloured("RGB3", {}), red);
        check_colour(coloured("RGB3", bt709), red, coloured("YU12", from.colorimetry), from.yuv);
        for (const Red& to : reds)
            check_colour(coloured("YU12", from.colorimetry), from.yuv, coloured("YU12", to.colorimetry),
                         to.yuv);
    }
}

TEST_CASE("greyscale is of full range") {
    for (const Colorimetry& colorimetry : {Colorimetry{}, bt601, bt601_full}) {
        const FrameFormat grey = coloured("GREY", colorimetry);
        check_colour(grey, {{200}}, coloured("RGB3", {}), {{200, 200, 200}});
        check_colour(coloured("RGB3", {}), {{200, 200, 200}}, grey, {{200}});
        check_colour(grey, {{255}}, coloured("NV12", bt601), {{235}, {128}});
        check_colour(coloured("NV12", bt601), {{16}, {128}}, grey, {{0}});
    }
}

TEST_CASE("pictures become larger and smaller") {
    for (const Scaling scaling : {Scaling::bilinear, Scaling::bicubic}) {
        const Picture source(coloured("GREY", {}, 64, 64));
        source.each_row([](std::uint32_t, std::span<std::byte> row) {
            std::ranges::fill(row.first(32), std::byte{16});
            std::ranges::fill(row.subspan(32), std::byte{235});
        });
        for (const auto& [width, height] : {std::pair{128U, 256U}, {32U, 16U}, {50U, 33U}}) {
            const Picture target(coloured("GREY", {}, width, height));
            convert(source, target, {.scaling = scaling});
            for (const std::uint32_t y : {0U, height / 2, height - 1}) {
                CHECK(std::to_integer<int>(target.row(0, y).front()) == doctest::Approx(16).epsilon(0.1));
                CHECK(std::to_integer<int>(target.row(0, y).back()) == doctest::Approx(235).epsilon(0.02));
            }
        }
    }
}

TEST_CASE("bytes count each picture that is written") {
    const std::uint64_t rgb = 128 * 8 * 4;
    const Picture source(padded_format(FourCC("YUYV"), 128, 8, 0));
    CHECK(convert(source, Picture(padded_format(FourCC("XR24"), 128, 8, 0))) == rgb);
    CHECK(convert(source, Picture(padded_format(FourCC("XR24"), 128, 8, 4))) == 2 * rgb);
    const Picture unaligned(padded_format(FourCC("YUYV"), 128, 8, 4));
    CHECK(convert(unaligned, Picture(padded_format(FourCC("XR24"), 128, 8, 0))) == rgb + 128 * 8 * 2);
}

TEST_CASE("24-bit RGB is read in place where something follows it") {
    const FrameFormat from = padded_format(FourCC("RGB3"), 128, 8, 0);
    const FrameFormat to = padded_format(FourCC("XR24"), 128, 8, 0);
    const std::uint64_t written = 128 * 8 * 4;
    alignas(64) static std::array<std::byte, 128 * 8 * 3 + 64> memory{};
    const Picture target(to);
    Result<Converter> converter = Converter::create(from, to);
    REQUIRE(converter);
    const std::span<const std::byte> roomy(memory);
    const std::span<const std::byte> tight = roomy.first(128 * 8 * 3);
    CHECK(*converter->run({&roomy, 1}, target.writable()) == written);
    CHECK(*converter->run({&tight, 1}, target.writable()) == written + tight.size());
}

TEST_CASE("memory that is too short is one bad frame") {
    const Picture source(padded_format(FourCC("NM12"), 35, 19, 4));
    const Picture target(padded_format(FourCC("YM21"), 35, 19, 4));
    Result<Converter> converter = Converter::create(source.format(), target.format());
    REQUIRE(converter);
    for (std::size_t plane = 0; plane < 3; ++plane) {
        std::vector to(target.writable().begin(), target.writable().end());
        to[plane] = to[plane].first(to[plane].size() - 1);
        CHECK(converter->run(source.planes(), to).error().kind == ErrorKind::system);
    }
    for (std::size_t plane = 0; plane < 2; ++plane) {
        std::vector from(source.planes().begin(), source.planes().end());
        from[plane] = from[plane].first(from[plane].size() - 1);
        const Result<std::uint64_t> bytes = converter->run(from, target.writable());
        REQUIRE_FALSE(bytes);
        CHECK(bytes.error().kind == ErrorKind::system);
        CHECK(bytes.error().message().contains("NM12 35x19 to YM21 35x19: the frame is too short"));
    }
    CHECK_FALSE(converter->run({}, {}));
    CHECK_FALSE(converter->run(source.planes().first(1), target.writable()));
    CHECK(converter->run(source.planes(), target.writable()));
}

TEST_CASE("what cannot be converted is said before frames flow") {
    const FrameFormat nv12 = *tight_format(FourCC("NV12"), 64, 32);
    const auto error = [](const FrameFormat& from, const FrameFormat& to) {
        const Result<Converter> converter = Converter::create(from, to);
        REQUIRE_FALSE(converter);
        return converter.error();
    };
    const Error from = error(*tight_format(FourCC("VYUY"), 64, 32), nv12);
    CHECK(from.kind == ErrorKind::unsupported);
    CHECK(from.message().contains("VYUY 64x32: FFmpeg cannot convert from this format. It can with "));
    CHECK(from.remedy.contains("YUYV"));
    const Error to = error(nv12, *tight_format(FourCC("RGGB"), 64, 32));
    CHECK(to.message().contains("FFmpeg cannot convert to this format"));
    CHECK_FALSE(to.remedy.contains("GBRG")); // as little as RGGB
    CHECK(error(nv12, {.fourcc = FourCC("MJPG"), .width = 64, .height = 32}).kind == ErrorKind::unsupported);
    CHECK(error({.fourcc = FourCC("H264"), .width = 64, .height = 32}, nv12).kind == ErrorKind::unsupported);
    CHECK(error({.fourcc = FourCC("ZZZZ"), .width = 64, .height = 32}, nv12).kind == ErrorKind::unsupported);
}

TEST_CASE("sizes of nothing, and of a hundred thousand, are refused") {
    const FrameFormat good = *tight_format(FourCC("NV12"), 64, 32);
    for (const auto& [width, height] :
         {std::pair{0U, 0U}, {0U, 16U}, {16U, 0U}, {100000U, 2U}, {2U, 100000U}}) {
        const FrameFormat bad = *tight_format(FourCC("YUYV"), width, height);
        CHECK(Converter::create(bad, good).error().kind == ErrorKind::usage);
        CHECK(Converter::create(good, bad).error().kind == ErrorKind::usage);
    }
    FrameFormat lying{.fourcc = FourCC("XR24"), .width = 100000, .height = 100000};
    CHECK(Converter::create(lying, good).error().kind == ErrorKind::usage);
    lying = *tight_format(FourCC("YUYV"), 64, 32);
    lying.planes[0].bytesperline = 100;
    CHECK(Converter::create(lying, good).error().kind == ErrorKind::usage);
    CHECK(Converter::create(*tight_format(FourCC("YUYV"), 16384, 2), good));
}

TEST_CASE("JPEG frames are decoded, broken ones are bad frames between good ones") {
    const FrameFormat from{.fourcc = FourCC("MJPG"), .width = 70, .height = 38};
    const Picture target(padded_format(FourCC("RGB3"), 70, 38, 6));
    Result<Converter> converter = Converter::create(from, target.format());
    REQUIRE(converter);
    const auto run = [&](std::span<const std::byte> payload) {
        return converter->run({&payload, 1}, target.writable());
    };
    const std::vector<std::byte> red = make_jpeg(70, 38, {76, 85, 255});
    for (const AVPixelFormat pixels : {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ444P}) {
        CAPTURE(pixels);
        target.fill(std::byte{});
        const Result<std::uint64_t> bytes = run(make_jpeg(70, 38, {76, 85, 255}, pixels));
        REQUIRE(bytes);
        CHECK(*bytes > 70 * 38 * 3 * 2);
        CHECK(has_colour(target, {{255, 0, 0}}, 4));
    }
    CHECK(run({}).error().message().contains("too short"));
    CHECK(converter->run({}, target.writable()).error().message().contains("too short"));
    CHECK(run(std::vector<std::byte>(1000)).error().kind == ErrorKind::system);
    CHECK(run(make_jpeg(64, 38, {76, 85, 255})).error().message().contains("64x38 and not 70x38"));
    CHECK(run(std::span(red).first(red.size() / 2)).error().kind == ErrorKind::system);
    target.fill(std::byte{});
    REQUIRE(run(red));
    CHECK(has_colour(target, {{255, 0, 0}}, 4));
    CHECK(target.padding_intact());
}

TEST_CASE("a JPEG may become another size") {
    const FrameFormat from{.fourcc = FourCC("JPEG"), .width = 64, .height = 32, .colorimetry = bt601_full};
    const Picture target(coloured("NV12", bt601, 34, 18));
    Result<Converter> converter = Converter::create(from, target.format());
    REQUIRE(converter);
    const std::vector<std::byte> white = make_jpeg(64, 32, {255, 128, 128});
    const std::span<const std::byte> payload(white);
    REQUIRE(converter->run({&payload, 1}, target.writable()));
    CHECK(has_colour(target, {{235}, {128}}, 2));
}
