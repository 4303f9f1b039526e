// SPDX-License-Identifier: MIT
#include "format/plane_copy.h"

#include "support/picture.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::padded_format;
using testing::Picture;

namespace {

/// Copies noise from the one to the other and expects it there, with nothing else touched.
void check_copy(const FrameFormat& from, const FrameFormat& to) {
    CAPTURE(from.text());
    CAPTURE(to.text());
    const Picture source(from);
    const Picture target(to);
    source.fill_with_noise();
    const Result<PlaneCopy> copy = PlaneCopy::create(from, to);
    REQUIRE(copy);
    const Result<std::uint64_t> bytes = copy->run(source.planes(), target.writable());
    REQUIRE(bytes);
    const std::vector<std::byte> pixels = source.pixels();
    CHECK(*bytes == pixels.size());
    CHECK(target.pixels() == pixels);
    CHECK(target.padding_intact());
}

} // namespace

TEST_CASE("a copy of every format between tight and padded rows, in odd sizes, too") {
    for (const PixelFormat& entry : pixel_formats()) {
        if (entry.compressed())
            continue;
        for (const auto& [width, height] : {std::pair{35U, 19U}, {64U, 8U}, {1U, 1U}}) {
            const FrameFormat tight = padded_format(entry.fourcc, width, height, 0);
            check_copy(tight, tight);
            const FrameFormat padded = padded_format(entry.fourcc, width, height, 12);
            check_copy(padded, padded);
            if (entry.tiled) {
                CHECK(PlaneCopy::create(tight, padded).error().kind == ErrorKind::unsupported);
                continue;
            }
            check_copy(tight, padded);
            check_copy(padded, tight);
            check_copy(padded, padded_format(entry.fourcc, width, height, 20));
        }
    }
}

TEST_CASE("planes that lie apart are put together, and the other way round") {
    std::size_t pairs = 0;
    for (const PixelFormat& entry : pixel_formats()) {
        if (entry.together == FourCC())
            continue;
        ++pairs;
        const FrameFormat apart = padded_format(entry.fourcc, 35, 19, 7);
        const FrameFormat together = padded_format(entry.together, 35, 19, 12);
        check_copy(apart, together);
        check_copy(together, apart);
    }
    CHECK(pairs == 8);
}

TEST_CASE("each component plane gets to where its own is") {
    const FrameFormat from = *tight_format(FourCC("YU12"), 2, 2);
    const FrameFormat to = *tight_format(FourCC("YM12"), 2, 2);
    const std::array<std::byte, 6> yuv{std::byte{1}, std::byte{2}, std::byte{3},
                                       std::byte{4}, std::byte{5}, std::byte{6}};
    const std::span<const std::byte> source(yuv);
    const Picture target(to);
    REQUIRE(PlaneCopy::create(from, to)->run({&source, 1}, target.writable()));
    CHECK(target.planes()[0][3] == std::byte{4});
    CHECK(target.planes()[1][0] == std::byte{5});
    CHECK(target.planes()[2][0] == std::byte{6});
}

TEST_CASE("other pixels or sizes are no copy") {
    const FrameFormat nv12 = *tight_format(FourCC("NV12"), 64, 32);
    const auto refused = [&](const FrameFormat& to) {
        const Result<PlaneCopy> copy = PlaneCopy::create(nv12, to);
        return !copy && copy.error().kind == ErrorKind::unsupported;
    };
    CHECK(refused(*tight_format(FourCC("NV21"), 64, 32)));
    CHECK(refused(*tight_format(FourCC("NM21"), 64, 32)));
    CHECK(refused(*tight_format(FourCC("NM12"), 64, 34)));
    CHECK(refused(*tight_format(FourCC("NM12"), 62, 32)));
    FrameFormat short_rows = nv12;
    short_rows.planes[0].bytesperline = 63;
    CHECK(PlaneCopy::create(nv12, short_rows).error().kind == ErrorKind::usage);
    CHECK(PlaneCopy::create(short_rows, nv12).error().kind == ErrorKind::usage);
}

TEST_CASE("too little memory is an error, and nothing is written") {
    const FrameFormat format = padded_format(FourCC("NM12"), 35, 19, 5);
    const Result<PlaneCopy> copy = PlaneCopy::create(format, format);
    REQUIRE(copy);
    const Picture source(format);
    const Picture target(format);
    source.fill(std::byte{7});
    for (std::size_t plane = 0; plane < 2; ++plane) {
        std::vector from(source.planes().begin(), source.planes().end());
        from[plane] = from[plane].first(from[plane].size() - 1);
        CHECK(copy->run(from, target.writable()).error().message().contains("the frame is too short"));
        std::vector to(target.writable().begin(), target.writable().end());
        to[plane] = to[plane].first(to[plane].size() - 1);
        CHECK(copy->run(source.planes(), to).error().kind == ErrorKind::system);
    }
    CHECK_FALSE(copy->run(source.planes().first(1), target.writable()));
    CHECK_FALSE(copy->run(source.planes(), target.writable().first(1)));
    CHECK_FALSE(copy->run({}, {}));
    CHECK(target.pixels() == std::vector(target.pixels().size(), std::byte{0xa5}));
}

TEST_CASE("a frame of no size is no work") {
    for (const auto& [width, height] : {std::pair{0U, 0U}, {16U, 0U}, {0U, 16U}}) {
        const FrameFormat none = *tight_format(FourCC("NV12"), width, height);
        const std::span<const std::byte> from;
        const std::span<std::byte> to;
        const Result<PlaneCopy> copy = PlaneCopy::create(none, none);
        REQUIRE(copy);
        CHECK(*copy->run({&from, 1}, {&to, 1}) == 0);
    }
}

TEST_CASE("a frame of 100000 pixels a side has no layout of 32 bits") {
    FrameFormat huge{.fourcc = FourCC("XR24"), .width = 100000, .height = 100000};
    huge.planes[0] = {.bytesperline = 400000, .sizeimage = 0xffffffff};
    CHECK(PlaneCopy::create(huge, huge).error().kind == ErrorKind::usage);
}

TEST_CASE("bytes without a layout are copied as they are") {
    const std::array payload{std::byte{0xff}, std::byte{0xd8}, std::byte{3}};
    const std::span<const std::byte> from(payload);
    const FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 640, .height = 480};
    FrameFormat larger = jpeg;
    larger.planes[0] = {.bytesperline = 640, .sizeimage = 1000}; // some drivers say so
    for (const FrameFormat& to : {jpeg, larger}) {
        const Result<PlaneCopy> copy = PlaneCopy::create(jpeg, to);
        REQUIRE(copy);
        std::array<std::byte, 4> memory{};
        const std::span<std::byte> target(memory);
        CHECK(*copy->run({&from, 1}, {&target, 1}) == 3);
        CHECK(std::ranges::equal(target.first(3), from));
        CHECK(memory[3] == std::byte{});
        const std::span<std::byte> cut = target.first(2);
        CHECK(copy->run({&from, 1}, {&cut, 1}).error().kind == ErrorKind::system);
        CHECK_FALSE(copy->run({}, {&target, 1}));
        CHECK_FALSE(copy->run({&from, 1}, {}));
        CHECK(*copy->run(std::array{std::span<const std::byte>{}}, {&target, 1}) == 0);
    }
    CHECK_FALSE(PlaneCopy::create(jpeg, {.fourcc = FourCC("JPEG"), .width = 640, .height = 480}));
    FrameFormat own{.fourcc = FourCC("pQQ7"), .width = 640, .height = 480}; // a device's private format
    own.planes[0] = {.bytesperline = 640, .sizeimage = 1000};
    CHECK(PlaneCopy::create(own, own));
    FrameFormat wider = own;
    wider.planes[0].bytesperline = 704;
    CHECK(PlaneCopy::create(own, wider).error().kind == ErrorKind::unsupported);
}
