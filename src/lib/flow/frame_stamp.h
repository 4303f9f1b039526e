// SPDX-License-Identifier: MIT
#pragma once

#include "format/canvas.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace v4l2dma {

/// What a generated frame says about itself in its picture, so that it can be told at the other end which one
/// arrived, and when it was made.
///
/// Drawn as black and white cells that survive other strides and formats, and lossy compression, as long as
/// the picture is not scaled: six rows of 32 cells, a row a number, its highest bit to the left and white if
/// set. The rows: a magic number, the frame number (two rows), the time (two rows), a CRC-32 of all five.
struct FrameStamp {
    std::uint64_t frame_number = 0;
    std::chrono::microseconds timestamp{};

    friend bool operator==(const FrameStamp&, const FrameStamp&) = default;
};

/// Where the stamp of a frame is. Follows from the frame's size alone.
struct StampGrid {
    static constexpr std::uint32_t columns = 32;
    static constexpr std::uint32_t rows = 6;

    std::uint32_t x = 0; ///< pixels
    std::uint32_t y = 0;
    std::uint32_t cell = 0; ///< width and height of a cell
};

/// At the left of the bottom, cells where JPEG has its blocks; nullopt for frames below 64x24, in which
/// there is no place for it.
[[nodiscard]] std::optional<StampGrid> stamp_grid(std::uint32_t width, std::uint32_t height) noexcept;

/// Nothing where there is no place for it.
void draw_stamp(Canvas& canvas, const FrameStamp& stamp) noexcept;

/// The stamp of a frame; nullopt if it has none, it is damaged, or the frame's format has no Canvas. Any
/// bytes and any @p format may be given. @p planes: one for each memory plane, from where its payload begins.
[[nodiscard]] std::optional<FrameStamp> read_stamp(const FrameFormat& format,
                                                   std::span<const std::span<const std::byte>> planes);

} // namespace v4l2dma
