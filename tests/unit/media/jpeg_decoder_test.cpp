// SPDX-License-Identifier: MIT
#include "media/jpeg_decoder.h"

#include "support/jpeg.h"

#include <doctest/doctest.h>
#include <random>

using namespace v4l2dma;
using testing::make_jpeg;

namespace {

JpegDecoder make_decoder(std::uint32_t width, std::uint32_t height) {
    REQUIRE(load_ffmpeg());
    Result<JpegDecoder> decoder = JpegDecoder::create(width, height);
    REQUIRE(decoder);
    return std::move(*decoder);
}

/// A good picture is decoded, whatever came before it.
void check_good(JpegDecoder& decoder, std::span<const std::byte> good) {
    const Result<const AVFrame*> picture = decoder.decode(good);
    REQUIRE(picture);
    CHECK((*picture)->width == 48);
    CHECK((*picture)->height == 24);
    CHECK(std::abs((*picture)->data[0][0] - 100) <= 2);
}

} // namespace

TEST_CASE("a picture that was cut anywhere is no picture, or a whole one") {
    const std::vector<std::byte> good = make_jpeg(48, 24, {100, 128, 128});
    JpegDecoder decoder = make_decoder(48, 24);
    std::size_t refused = 0;
    for (std::size_t length = 0; length < good.size(); ++length)
        refused += decoder.decode(std::span(good).first(length)) ? 0U : 1U;
    CHECK(refused > good.size() / 2);
    check_good(decoder, good);
}

TEST_CASE("broken bytes are survived") {
    const std::vector<std::byte> good = make_jpeg(48, 24, {100, 128, 128});
    JpegDecoder decoder = make_decoder(48, 24);
    std::minstd_rand random(1);
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::byte> broken = good;
        for (int i = 0; i < 1 + round % 5; ++i)
            broken[random() % broken.size()] = static_cast<std::byte>(random() >> 8);
        if (const Result<const AVFrame*> picture = decoder.decode(broken); !picture)
            CHECK(picture.error().kind == ErrorKind::system);
    }
    check_good(decoder, good);
}

TEST_CASE("a header that asks for gigabytes gets nothing") {
    std::vector<std::byte> huge = make_jpeg(48, 24, {100, 128, 128});
    const std::array marker{std::byte{0xff}, std::byte{0xc0}}; // start of frame: length, bits, height, width
    const auto found = std::ranges::search(huge, marker);
    REQUIRE(found.begin() != huge.end());
    std::fill_n(found.begin() + 5, 4, std::byte{0xff});
    JpegDecoder decoder = make_decoder(48, 24);
    const Result<const AVFrame*> picture = decoder.decode(huge);
    REQUIRE_FALSE(picture);
    CHECK(picture.error().kind == ErrorKind::system);
}
