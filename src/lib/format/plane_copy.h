// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace v4l2dma {

/// A frame's memory: one span for each memory plane, beginning where its payload does. Borrowed for the call.
using ConstPlanes = std::span<const std::span<const std::byte>>;
using Planes = std::span<const std::span<std::byte>>;

/// Whether every pixel of @p layout is inside @p planes. Padding after the last one may be missing.
template <typename Byte>
[[nodiscard]] bool holds(std::span<const std::span<Byte>> planes, const Layout& layout) {
    return std::ranges::all_of(
        std::span(layout.planes).first(layout.plane_count), [&](const PlaneLayout& plane) {
            return plane.memory_plane < planes.size() && plane.end() <= planes[plane.memory_plane].size();
        });
}

/// Rows of bytes somewhere in memory.
template <typename Byte> struct Rows {
    Byte* begin = nullptr;
    std::size_t stride = 0; ///< bytes
};

/// Where the component planes of a frame lie, which holds() them.
template <typename Byte>
[[nodiscard]] std::array<Rows<Byte>, 3> rows_of(std::span<const std::span<Byte>> planes,
                                                const Layout& layout) {
    std::array<Rows<Byte>, 3> result{};
    for (std::uint32_t i = 0; i < layout.plane_count; ++i)
        result[i] = {planes[layout.planes[i].memory_plane].data() + layout.planes[i].offset,
                     layout.planes[i].stride};
    return result;
}

/// Copies @p rows rows of @p row_bytes bytes; what lies between two rows is left alone. Both sides must hold
/// them, and must not overlap.
void copy_rows(Rows<const std::byte> from, Rows<std::byte> to, std::size_t row_bytes, std::size_t rows);

/// Copies the pixels of all component planes, by the number and length of rows of @p layout. Answers the
/// bytes.
template <typename Byte>
std::uint64_t copy_planes(const std::array<Rows<Byte>, 3>& from, const std::array<Rows<std::byte>, 3>& to,
                          const Layout& layout) {
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < layout.plane_count; ++i) {
        const PlaneLayout& plane = layout.planes[i];
        copy_rows({from[i].begin, from[i].stride}, to[i], plane.row_bytes, plane.rows);
        bytes += std::uint64_t{plane.row_bytes} * plane.rows;
    }
    return bytes;
}

/// Copies frames between two formats whose pixels are the same and lie differently: other strides, other
/// sizes of buffers, planes apart or together (NM12, NV12). Formats without a layout (compressed ones, a
/// device's own) are copied as the bytes that they are. Prepared once; a frame costs no allocation.
class PlaneCopy {
public:
    /// Errors: (unsupported) other pixels or another size than @p from has, or tiles at another stride; those
    /// of layout_of().
    [[nodiscard]] static Result<PlaneCopy> create(const FrameFormat& from, const FrameFormat& to);

    /// Answers the bytes it copied; of a format without layout that is the payload. Padding in @p to is left
    /// alone. Errors: (system) memory that is too short for the frame; nothing was written then.
    [[nodiscard]] Result<std::uint64_t> run(ConstPlanes from, Planes to) const;

private:
    [[nodiscard]] Result<std::uint64_t> copy_payload(ConstPlanes from, Planes to) const;
    [[nodiscard]] std::unexpected<Error> too_short(std::string_view side) const;

    FourCC fourcc_{};
    std::uint32_t memory_planes_ = 1; ///< counts only without a layout
    Layout from_{};                   ///< no planes: without a layout
    Layout to_{};
};

} // namespace v4l2dma
