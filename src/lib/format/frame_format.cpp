// SPDX-License-Identifier: MIT
#include "format/frame_format.h"

#include <algorithm>
#include <limits>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

std::uint64_t plane_stride(const ComponentPlane& plane, std::uint64_t bytesperline) {
    return bytesperline * plane.stride_multiplier / plane.stride_divisor;
}

} // namespace

std::uint32_t FrameFormat::sizeimage() const noexcept {
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < plane_count; ++i)
        sum += planes[i].sizeimage;
    return sum;
}

std::string FrameFormat::text() const {
    return fmt::format("{} {}x{}", fourcc.text(), width, height);
}

bool FrameFormat::same_layout(const FrameFormat& other) const noexcept {
    return fourcc == other.fourcc && width == other.width && height == other.height &&
           plane_count == other.plane_count && planes == other.planes;
}

std::uint64_t Layout::size() const noexcept {
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < plane_count; ++i)
        end = std::max(end, planes[i].offset + planes[i].size());
    return end;
}

std::uint64_t min_bytesperline(const PixelFormat& pixel_format, std::uint32_t width) {
    const std::uint64_t group = pixel_format.pixels_per_group;
    return divide_up(divide_up(width, group) * group * pixel_format.bits_per_pixel, 8);
}

std::uint64_t min_sizeimage(const PixelFormat& pixel_format, std::uint64_t bytesperline,
                            std::uint32_t height) {
    if (pixel_format.compressed())
        return 0;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < pixel_format.plane_count; ++i) {
        const ComponentPlane& plane = pixel_format.planes[i];
        sum += plane_stride(plane, bytesperline) * divide_up(height, plane.vertical_subsampling);
    }
    return sum;
}

Result<Layout> layout_of(const FrameFormat& format) {
    const PixelFormat* entry = find_pixel_format(format.fourcc);
    if (entry == nullptr || entry->compressed() || format.plane_count != 1)
        return make_error(ErrorKind::unsupported, "layout", format.text(),
                          "the places of its pixels are not known");
    const std::uint64_t stride = format.bytesperline();
    const std::uint64_t size = min_sizeimage(*entry, stride, format.height);
    if (stride < min_bytesperline(*entry, format.width) || size > format.sizeimage() ||
        size > std::numeric_limits<std::uint32_t>::max())
        return make_error(
            ErrorKind::usage, "layout", format.text(),
            fmt::format("{} bytes per line and {} bytes cannot hold it", stride, format.sizeimage()));
    Layout layout{.plane_count = entry->plane_count, .planes = {}};
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < entry->plane_count; ++i) {
        const ComponentPlane& plane = entry->planes[i];
        layout.planes[i] = {
            .offset = static_cast<std::uint32_t>(offset),
            .stride = static_cast<std::uint32_t>(plane_stride(plane, stride)),
            .rows = static_cast<std::uint32_t>(divide_up(format.height, plane.vertical_subsampling))};
        offset += layout.planes[i].size();
    }
    return layout;
}

} // namespace v4l2dma
