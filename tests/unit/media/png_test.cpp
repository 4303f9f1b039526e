// SPDX-License-Identifier: MIT
#include "media/png.h"

#include "support/jpeg.h"
#include "support/picture.h"

#include <array>
#include <cstring>
#include <doctest/doctest.h>
#include <linux/videodev2.h>
#include <memory>
#include <string>
#include <string_view>

extern "C" {
#include <libavcodec/avcodec.h>
}

using namespace v4l2dma;
using testing::make_jpeg;
using testing::padded_format;
using testing::Picture;

namespace {

/// As encode_png(), of a frame in one piece of memory.
Result<std::vector<std::byte>> encode(const FrameFormat& format, std::span<const std::byte> memory) {
    return encode_png(format, {&memory, 1});
}

/// The upper left pixel of a PNG file, as red, green, blue.
std::array<int, 3> first_pixel(std::span<const std::byte> png) {
    const auto free_context = [](AVCodecContext* context) { avcodec_free_context(&context); };
    const auto free_packet = [](AVPacket* packet) { av_packet_free(&packet); };
    const auto free_frame = [](AVFrame* frame) { av_frame_free(&frame); };
    const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_PNG);
    const std::unique_ptr<AVCodecContext, decltype(free_context)> context(avcodec_alloc_context3(codec));
    const std::unique_ptr<AVPacket, decltype(free_packet)> packet(av_packet_alloc());
    const std::unique_ptr<AVFrame, decltype(free_frame)> frame(av_frame_alloc());
    REQUIRE(avcodec_open2(context.get(), codec, nullptr) == 0);
    REQUIRE(av_new_packet(packet.get(), static_cast<int>(png.size())) == 0);
    std::memcpy(packet->data, png.data(), png.size());
    REQUIRE(avcodec_send_packet(context.get(), packet.get()) == 0);
    REQUIRE(avcodec_receive_frame(context.get(), frame.get()) == 0);
    REQUIRE(frame->format == AV_PIX_FMT_RGB24);
    return {frame->data[0][0], frame->data[0][1], frame->data[0][2]};
}

/// A picture of this format whose memory repeats these bytes becomes a picture of this colour.
void check_colour(std::string_view fourcc, std::string_view repeated, std::array<int, 3> expected,
                  const Colorimetry& colorimetry = {}) {
    CAPTURE(fourcc);
    FrameFormat format = *tight_format(*FourCC::parse(fourcc), 16, 16);
    format.colorimetry = colorimetry;
    std::vector<std::byte> memory(format.sizeimage());
    for (std::size_t i = 0; i < memory.size(); ++i)
        memory[i] = static_cast<std::byte>(repeated[i % repeated.size()]);
    const Result<std::vector<std::byte>> png = encode(format, memory);
    REQUIRE(png);
    const std::array<int, 3> found = first_pixel(*png);
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(found[i] == doctest::Approx(expected[i]).epsilon(0.02));
}

std::uint32_t big_endian(std::span<const std::byte> bytes) {
    std::uint32_t value = 0;
    for (const std::byte byte : bytes.first(4))
        value = value << 8 | std::to_integer<std::uint32_t>(byte);
    return value;
}

} // namespace

TEST_CASE("a picture of every uncompressed format, tight in its memory, in odd sizes, too") {
    struct Size {
        std::uint32_t width;
        std::uint32_t height;
    };
    for (const PixelFormat& entry : pixel_formats()) {
        if (entry.compressed())
            continue;
        for (const auto& [width, height] : {Size{1, 1}, {2, 2}, {3, 3}, {7, 5}, {17, 9}, {34, 3}, {64, 64}}) {
            const Picture picture(padded_format(entry.fourcc, width, height, 0));
            CAPTURE(picture.format().text());
            const Result<std::vector<std::byte>> png = encode_png(picture.format(), picture.planes());
            if (!png) { // a format that FFmpeg does not convert, or not in this size, is said to be so
                CHECK((png.error().kind == ErrorKind::unsupported || width == 1));
                continue;
            }
            REQUIRE(png->size() > 24);
            CHECK(big_endian(std::span(*png).subspan(16)) == width);
            CHECK(big_endian(std::span(*png).subspan(20)) == height);
        }
    }
}

TEST_CASE("colours keep their places") {
    using namespace std::string_view_literals;
    check_colour("RGB3", "\xc8\x64\x32"sv, {200, 100, 50});
    check_colour("BGR3", "\x32\x64\xc8"sv, {200, 100, 50});
    check_colour("XR24", "\x32\x64\xc8\x00"sv, {200, 100, 50});
    check_colour("BGR4", "\x32\x64\xc8\x00"sv, {200, 100, 50});
    check_colour("XB24", "\xc8\x64\x32\x00"sv, {200, 100, 50});
    check_colour("BX24", "\x00\xc8\x64\x32"sv, {200, 100, 50});
    check_colour("RGB4", "\x00\xc8\x64\x32"sv, {200, 100, 50});
    check_colour("GREY", "\x80"sv, {128, 128, 128});
}

TEST_CASE("the range of the values follows the colorimetry") {
    using namespace std::string_view_literals;
    const Colorimetry full{.colorspace = V4L2_COLORSPACE_SRGB,
                           .ycbcr_encoding = V4L2_YCBCR_ENC_601,
                           .quantization = V4L2_QUANTIZATION_FULL_RANGE};
    check_colour("YUYV", "\x10\x80"sv, {0, 0, 0});
    check_colour("YUYV", "\xeb\x80"sv, {255, 255, 255});
    check_colour("YUYV", "\x80\x80"sv, {128, 128, 128}, full);
    check_colour("UYVY", "\x80\xeb"sv, {255, 255, 255});
    check_colour("YUYV", "\x51\x5a\x51\xf0"sv, {255, 0, 0}); // BT.601's red
    check_colour("YVYU", "\x51\xf0\x51\x5a"sv, {255, 0, 0});
}

TEST_CASE("a frame that is too short, or no picture at all, is refused") {
    const FrameFormat format = *tight_format(FourCC("NV12"), 16, 8);
    const std::vector<std::byte> memory(format.sizeimage() - 1);
    const Result<std::vector<std::byte>> cut = encode(format, memory);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().message().contains("too short"));
    CHECK_FALSE(encode(format, {}));

    FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 16, .height = 8};
    CHECK_FALSE(encode(jpeg, memory));
    CHECK(encode(jpeg, {}).error().message().contains("too short"));
    jpeg.fourcc = FourCC("H264");
    CHECK(encode(jpeg, memory).error().kind == ErrorKind::unsupported);
    jpeg.fourcc = FourCC("ZZZZ");
    CHECK(encode(jpeg, memory).error().kind == ErrorKind::unsupported);
}

TEST_CASE("planes that lie apart become a picture") {
    const Picture red(padded_format(FourCC("YM21"), 34, 18, 2));
    red.each_row([](std::uint32_t plane, std::span<std::byte> row) {
        std::ranges::fill(row, std::array{std::byte{81}, std::byte{240}, std::byte{90}}[plane]);
    });
    const Result<std::vector<std::byte>> png = encode_png(red.format(), red.planes());
    REQUIRE(png);
    const std::array<int, 3> found = first_pixel(*png);
    CHECK(found[0] >= 253);
    CHECK(found[1] <= 2);
    CHECK(found[2] <= 2);
    CHECK_FALSE(encode_png(red.format(), red.planes().first(2)));
}

TEST_CASE("a JPEG becomes a picture") {
    const Result<std::vector<std::byte>> png =
        encode({.fourcc = FourCC("MJPG"), .width = 70, .height = 38}, make_jpeg(70, 38, {255, 128, 128}));
    REQUIRE(png);
    CHECK(first_pixel(*png) == std::array{255, 255, 255});
}
