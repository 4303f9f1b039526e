// SPDX-License-Identifier: MIT
#include "format/sample_layout.h"

#include <array>
#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

Result<SampleLayout> layout_in_full(const FrameFormat& format) {
    std::vector<std::size_t> sizes;
    for (const MemoryPlane& plane : std::span(format.planes).first(format.plane_count))
        sizes.push_back(plane.sizeimage);
    return sample_layout_of(format, sizes);
}

} // namespace

TEST_CASE("each format's samples fill its groups, and these its lines") {
    for (const PixelFormat& entry : pixel_formats()) {
        if (!has_sample_layout(entry.fourcc))
            continue;
        CAPTURE(entry.fourcc.text());
        const Result<SampleLayout> layout = layout_in_full(*tight_format(entry.fourcc, 16, 8));
        REQUIRE(layout);
        for (const SamplePlane& plane : layout->planes()) {
            CHECK(plane.row_bytes() == plane.place.stride); // 16 pixels are whole groups of every format
            CHECK(plane.groups * plane.group_columns == 16);
            for (std::uint32_t row = 0; row < plane.phases; ++row) {
                std::uint64_t seen = 0;
                for (const SampleField& field : plane.row(row).fields()) {
                    CHECK((seen & field.mask()) == 0); // no bit is two samples'
                    CHECK(field.shift + field.width <= plane.row(row).bytes * 8);
                    CHECK(field.low + field.width <= field.depth);
                    CHECK((field.shared || field.pixel < plane.group_columns));
                    seen |= field.mask();
                }
                CHECK(plane.row(row).mask(0, plane.group_columns) == seen);
            }
        }
    }
}

TEST_CASE("a group in memory") {
    const SampleLayout rgb565 = *layout_in_full(*tight_format(*FourCC::parse("RGBP"), 1, 1));
    const SampleLayout big = *layout_in_full(*tight_format(*FourCC::parse("RGBR"), 1, 1));
    std::array<std::byte, 2> memory{};
    rgb565.storage[0].row(0).store(memory, 0x1234);
    CHECK(memory == std::array{std::byte{0x34}, std::byte{0x12}});
    CHECK(rgb565.storage[0].row(0).load(memory) == 0x1234);
    CHECK(big.storage[0].row(0).load(memory) == 0x3412);
    CHECK(rgb565.rgb);
    CHECK_FALSE(layout_in_full(*tight_format(FourCC("YUYV"), 2, 1))->rgb);
}

TEST_CASE("a group at the right edge counts as a whole") {
    const SampleLayout layout = *layout_in_full(*tight_format(FourCC("Y10P"), 5, 1));
    CHECK(layout.storage[0].groups == 2);
    CHECK(layout.storage[0].row_bytes() == 10);
}

TEST_CASE("memory that is too short, and formats without samples") {
    const FrameFormat nv12 = *tight_format(FourCC("NV12"), 16, 8);
    const std::size_t size = nv12.sizeimage();
    CHECK(sample_layout_of(nv12, {&size, 1}));
    const std::size_t less = size - 1;
    CHECK(sample_layout_of(nv12, {&less, 1}).error().kind == ErrorKind::usage);
    CHECK(sample_layout_of(nv12, {}).error().kind == ErrorKind::usage);
    CHECK(sample_layout_of({.fourcc = FourCC("H264")}, {}).error().kind == ErrorKind::unsupported);
}
