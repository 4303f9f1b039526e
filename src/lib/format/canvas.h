// SPDX-License-Identifier: MIT
#pragma once

#include "format/color.h"
#include "format/frame_format.h"
#include "format/sample_layout.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace v4l2dma {

/// Pixels, from the upper left; may reach beyond the frame, or lie outside.
struct Rect {
    std::int64_t x = 0;
    std::int64_t y = 0;
    std::int64_t width = 0;
    std::int64_t height = 0;
};

/// Draws into the memory of one frame, whatever its format: rectangles of one colour.
///
/// Borrows the memory, which is written in one direction and, but for pixels that share a byte or a word with
/// their neighbours, never read: it may be uncached. Padding at the end of lines and buffers is not touched.
/// Where pixels share their chroma, it is that of the rectangle that was drawn last. The fields of an
/// interlaced frame are taken for one picture.
class Canvas {
public:
    [[nodiscard]] static bool supports(FourCC fourcc) { return has_sample_layout(fourcc); }

    /// @p planes: one for each memory plane, from where its payload begins.
    /// Errors: those of sample_layout_of().
    [[nodiscard]] static Result<Canvas> create(const FrameFormat& format,
                                               std::span<const std::span<std::byte>> planes);

    [[nodiscard]] std::uint32_t width() const noexcept { return width_; }
    [[nodiscard]] std::uint32_t height() const noexcept { return height_; }

    /// Clipped to the frame.
    void fill(const Rect& rect, Color color) noexcept;
    /// Takes over the other's picture. Both must have the same format and size; strides may differ.
    void copy_from(const Canvas& other) noexcept;

private:
    /// A rectangle within the frame, by its corners.
    struct Area {
        std::uint32_t left = 0;
        std::uint32_t top = 0;
        std::uint32_t right = 0;
        std::uint32_t bottom = 0;
    };

    Canvas(const FrameFormat& format, const SampleLayout& layout);

    void fill_plane(std::size_t index, const Area& area, Color color) noexcept;
    [[nodiscard]] std::uint64_t word(const SampleGroup& group, Color color) const noexcept;
    [[nodiscard]] std::span<std::byte> row(std::size_t plane, std::uint32_t index) const noexcept;

    std::uint32_t width_;
    std::uint32_t height_;
    SampleLayout layout_;
    ColorEncoding encoding_;
    std::array<std::span<std::byte>, 3> planes_{}; ///< component planes, each from its first row
};

} // namespace v4l2dma
