// SPDX-License-Identifier: MIT
#include "format/brightness.h"

#include "support/test_frame.h"

#include <utility>

using namespace v4l2dma;
using namespace v4l2dma::test;

namespace {

/// The brightness of the second pixel of a row that begins with these bytes.
double second_pixel(const char* fourcc, std::initializer_list<int> bytes) {
    TestFrame frame(fourcc, {.width = 4, .height = 2});
    std::ranges::transform(bytes, frame.row(0, 0).begin(), [](int byte) { return std::byte(byte); });
    const Result<BrightnessReader> reader =
        BrightnessReader::create(frame.format(), std::as_const(frame).planes());
    REQUIRE(reader);
    return reader->at(1, 0);
}

} // namespace

TEST_CASE("brightness is the pixel's own luma") {
    CHECK(second_pixel("YUYV", {1, 2, 51, 4}) == doctest::Approx(51));
    CHECK(second_pixel("UYVY", {1, 2, 3, 51}) == doctest::Approx(51));
    CHECK(second_pixel("NV12", {1, 51}) == doctest::Approx(51));
    CHECK(second_pixel("Y10", {0, 0, 0xff, 0x03}) == doctest::Approx(255));
    CHECK(second_pixel("Y10P", {0, 0x80, 0, 0, 0x04}) == doctest::Approx(513 * 255 / 1023.0));
}

TEST_CASE("brightness is the mean of red, green and blue") {
    CHECK(second_pixel("RGB3", {0, 0, 0, 30, 60, 120}) == doctest::Approx(70));
    CHECK(second_pixel("BA24", {0, 0, 0, 0, 255, 30, 60, 120}) == doctest::Approx(70)); // not of alpha
    CHECK(second_pixel("RGBP", {0, 0, 0xff, 0xff}) == doctest::Approx(255));
    CHECK(second_pixel("RGGB", {0, 77}) == doctest::Approx(77));
}

TEST_CASE("a frame that is too short is not looked at") {
    const TestFrame frame("YUYV", {.width = 4, .height = 2});
    std::vector<std::span<const std::byte>> planes = frame.planes();
    planes[0] = planes[0].first(planes[0].size() - 1);
    CHECK_FALSE(BrightnessReader::create(frame.format(), planes));
}
