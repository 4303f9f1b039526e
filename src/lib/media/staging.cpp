// SPDX-License-Identifier: MIT
#include "media/staging.h"

namespace v4l2dma {

namespace {

constexpr std::size_t alignment = 64; // a cache line, and the longest vector there is
constexpr std::size_t spare_rows = 4; // some converters take two or four rows at a time

constexpr std::size_t align_up(std::size_t value) {
    return (value + alignment - 1) / alignment * alignment;
}

std::size_t stride_of(const PlaneLayout& plane) {
    return align_up(plane.row_bytes) + alignment;
}

std::size_t size_of(const PlaneLayout& plane) {
    return stride_of(plane) * (plane.rows + spare_rows);
}

} // namespace

std::array<Rows<std::byte>, 3> Staging::planes(const Layout& layout) {
    if (memory_.empty()) {
        std::size_t size = alignment;
        for (const PlaneLayout& plane : std::span(layout.planes).first(layout.plane_count))
            size += size_of(plane);
        memory_.resize(size);
    }
    std::array<Rows<std::byte>, 3> result{};
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
    std::byte* begin = memory_.data() + (align_up(address) - address);
    for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
        result[i] = {begin, stride_of(layout.planes[i])};
        begin += size_of(layout.planes[i]);
    }
    return result;
}

} // namespace v4l2dma
