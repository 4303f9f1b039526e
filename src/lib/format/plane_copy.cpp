// SPDX-License-Identifier: MIT
#include "format/plane_copy.h"

#include <cstring>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

std::unexpected<Error> not_the_same(const FrameFormat& from, const FrameFormat& to, std::string_view why) {
    return make_error(ErrorKind::unsupported, "copy", fmt::format("{} to {}", from.text(), to.text()), why);
}

/// Tiles are rows of their own kind, which only lie at the same places where the strides are the same.
bool same_strides(const Layout& a, const Layout& b) {
    return std::ranges::equal(
        std::span(a.planes).first(a.plane_count), std::span(b.planes).first(b.plane_count),
        [](const PlaneLayout& x, const PlaneLayout& y) { return x.stride == y.stride; });
}

} // namespace

void copy_rows(Rows<const std::byte> from, Rows<std::byte> to, std::size_t row_bytes, std::size_t rows) {
    if (row_bytes == 0 || rows == 0)
        return;
    if (from.stride == row_bytes && to.stride == row_bytes) {
        std::memcpy(to.begin, from.begin, row_bytes * rows);
        return;
    }
    for (std::size_t row = 0; row < rows; ++row)
        std::memcpy(to.begin + row * to.stride, from.begin + row * from.stride, row_bytes);
}

Result<PlaneCopy> PlaneCopy::create(const FrameFormat& from, const FrameFormat& to) {
    if (!same_pixels(from.fourcc, to.fourcc))
        return not_the_same(from, to, "their pixels differ");
    if (from.width != to.width || from.height != to.height)
        return not_the_same(from, to, "their sizes differ");
    PlaneCopy copy;
    copy.fourcc_ = from.fourcc;
    copy.memory_planes_ = from.plane_count;
    const PixelFormat* entry = find_pixel_format(from.fourcc);
    if (entry == nullptr || entry->compressed()) {
        if (entry == nullptr ? !from.same_places(to) : from.plane_count != to.plane_count)
            return not_the_same(from, to, "the places of its pixels are not known");
        return copy;
    }
    const Result<Layout> from_layout = layout_of(from);
    if (!from_layout)
        return std::unexpected(from_layout.error());
    const Result<Layout> to_layout = layout_of(to);
    if (!to_layout)
        return std::unexpected(to_layout.error());
    if (entry->tiled && !same_strides(*from_layout, *to_layout))
        return not_the_same(from, to, "tiles can only be copied at the same stride");
    copy.from_ = *from_layout;
    copy.to_ = *to_layout;
    return copy;
}

Result<std::uint64_t> PlaneCopy::run(ConstPlanes from, Planes to) const {
    if (from_.plane_count == 0)
        return copy_payload(from, to);
    if (!holds(from, from_))
        return too_short("the frame");
    if (!holds(to, to_))
        return too_short("the memory for it");
    return copy_planes(rows_of(from, from_), rows_of(to, to_), from_);
}

Result<std::uint64_t> PlaneCopy::copy_payload(ConstPlanes from, Planes to) const {
    if (from.size() < memory_planes_)
        return too_short("the frame");
    if (to.size() < memory_planes_)
        return too_short("the memory for it");
    for (std::uint32_t i = 0; i < memory_planes_; ++i)
        if (to[i].size() < from[i].size())
            return too_short("the memory for it");
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < memory_planes_; ++i) {
        copy_rows({from[i].data(), from[i].size()}, {to[i].data(), from[i].size()}, from[i].size(), 1);
        bytes += from[i].size();
    }
    return bytes;
}

std::unexpected<Error> PlaneCopy::too_short(std::string_view side) const {
    return make_error(ErrorKind::system, "copy", fourcc_.text(), fmt::format("{} is too short", side));
}

} // namespace v4l2dma
