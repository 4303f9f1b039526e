// SPDX-License-Identifier: MIT
#include "format/frame_format.h"

#include <algorithm>
#include <limits>
#include <span>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return (value + by - 1) / by;
}

std::uint64_t plane_stride(const ComponentPlane& plane, std::uint64_t bytesperline) {
    return bytesperline * plane.stride_multiplier / plane.stride_divisor;
}

std::uint64_t plane_rows(const ComponentPlane& plane, std::uint64_t height) {
    return divide_up(height, plane.vertical_subsampling);
}

/// The component planes, by the stride of the memory plane that each of them begins or shares.
Layout lay_out(const PixelFormat& entry, const FrameFormat& format) {
    Layout layout{.plane_count = entry.plane_count, .planes = {}};
    const std::uint64_t least = min_bytesperline(entry, format.width);
    std::uint64_t offset = 0;
    for (std::uint32_t i = 0; i < entry.plane_count; ++i) {
        const std::uint64_t stride = entry.apart ? format.planes[i].bytesperline
                                                 : plane_stride(entry.planes[i], format.bytesperline());
        layout.planes[i] = {.memory_plane = entry.apart ? i : 0,
                            .offset = static_cast<std::uint32_t>(entry.apart ? 0 : offset),
                            .stride = static_cast<std::uint32_t>(stride),
                            .rows = static_cast<std::uint32_t>(plane_rows(entry.planes[i], format.height)),
                            .row_bytes = static_cast<std::uint32_t>(plane_stride(entry.planes[i], least))};
        offset += layout.planes[i].size();
    }
    return layout;
}

/// Whether each memory plane's lines and bytes can hold what the layout says.
bool fits(const PixelFormat& entry, const FrameFormat& format, const Layout& layout) {
    const std::uint64_t least = min_bytesperline(entry, format.width);
    for (std::uint32_t i = 0; i < format.plane_count; ++i) {
        const MemoryPlane& memory = format.planes[i];
        if (memory.bytesperline < plane_stride(entry.planes[i], least) || memory.sizeimage < layout.size(i))
            return false;
    }
    return true;
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

bool FrameFormat::same_places(const FrameFormat& other) const noexcept {
    if (fourcc != other.fourcc || width != other.width || height != other.height ||
        plane_count != other.plane_count)
        return false;
    const PixelFormat* entry = find_pixel_format(fourcc);
    if (entry != nullptr && entry->compressed()) // has no lines, whatever a driver says of them
        return true;
    const auto used = static_cast<std::ptrdiff_t>(plane_count);
    return std::equal(
        planes.begin(), planes.begin() + used, other.planes.begin(),
        [](const MemoryPlane& a, const MemoryPlane& b) { return a.bytesperline == b.bytesperline; });
}

std::uint64_t Layout::size(std::uint32_t memory_plane) const noexcept {
    std::uint64_t end = 0;
    for (const PlaneLayout& plane : std::span(planes).first(plane_count))
        if (plane.memory_plane == memory_plane)
            end = std::max(end, plane.offset + plane.size());
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
        sum += plane_stride(plane, bytesperline) * plane_rows(plane, height);
    }
    return sum;
}

std::uint64_t least_payload(const FrameFormat& format) {
    const PixelFormat* entry = find_pixel_format(format.fourcc);
    if (entry == nullptr)
        return 1;
    const std::uint64_t needed = min_sizeimage(*entry, format.bytesperline(), format.height);
    return std::max<std::uint64_t>(1, std::min<std::uint64_t>(needed, format.sizeimage()));
}

Result<FrameFormat> tight_format(FourCC fourcc, std::uint32_t width, std::uint32_t height) {
    FrameFormat format{.fourcc = fourcc, .width = width, .height = height};
    const PixelFormat* entry = find_pixel_format(fourcc);
    if (entry == nullptr || entry->compressed())
        return make_error(ErrorKind::unsupported, "layout", format.text(),
                          "the places of its pixels are not known");
    const std::uint64_t stride = min_bytesperline(*entry, width);
    const std::uint64_t size = min_sizeimage(*entry, stride, height);
    if (size > std::numeric_limits<std::uint32_t>::max())
        return make_error(ErrorKind::usage, "layout", format.text(), "a frame would be larger than 4 GiB");
    format.plane_count = entry->memory_planes();
    if (!entry->apart) {
        format.planes[0] = {.bytesperline = static_cast<std::uint32_t>(stride),
                            .sizeimage = static_cast<std::uint32_t>(size)};
        return format;
    }
    for (std::size_t i = 0; i < entry->plane_count; ++i) {
        const auto own = static_cast<std::uint32_t>(plane_stride(entry->planes[i], stride));
        format.planes[i] = {.bytesperline = own,
                            .sizeimage =
                                own * static_cast<std::uint32_t>(plane_rows(entry->planes[i], height))};
    }
    return format;
}

Result<Layout> layout_of(const FrameFormat& format) {
    const PixelFormat* entry = find_pixel_format(format.fourcc);
    if (entry == nullptr || entry->compressed() || format.plane_count != entry->memory_planes())
        return make_error(ErrorKind::unsupported, "layout", format.text(),
                          "the places of its pixels are not known");
    // Offsets are 32 bits wide; what is beyond does not fit in any sizeimage either.
    const std::uint64_t size = min_sizeimage(*entry, format.bytesperline(), format.height);
    const Layout layout = lay_out(*entry, format);
    if (size > std::numeric_limits<std::uint32_t>::max() || !fits(*entry, format, layout))
        return make_error(ErrorKind::usage, "layout", format.text(),
                          fmt::format("{} bytes per line and {} bytes cannot hold it", format.bytesperline(),
                                      format.sizeimage()));
    return layout;
}

} // namespace v4l2dma
