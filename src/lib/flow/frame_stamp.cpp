// SPDX-License-Identifier: MIT
#include "flow/frame_stamp.h"

#include "base/crc32.h"
#include "format/brightness.h"

#include <array>

namespace v4l2dma {

namespace {

constexpr std::uint32_t magic = 0x56444d41; // "VDMA"
constexpr std::size_t checksum_row = StampGrid::rows - 1;

using Words = std::array<std::uint32_t, StampGrid::rows>;

std::uint32_t checksum(const Words& words) {
    std::array<std::byte, checksum_row * sizeof(std::uint32_t)> bytes{}; // big-endian, as the cells are
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
    return crc32(bytes);
}

Words encode(const FrameStamp& stamp) {
    const auto number = stamp.frame_number;
    const auto time = static_cast<std::uint64_t>(stamp.timestamp.count());
    Words words{magic, static_cast<std::uint32_t>(number >> 32), static_cast<std::uint32_t>(number),
                static_cast<std::uint32_t>(time >> 32), static_cast<std::uint32_t>(time)};
    words[checksum_row] = checksum(words);
    return words;
}

std::optional<FrameStamp> decode(const Words& words) {
    if (words[0] != magic || words[checksum_row] != checksum(words))
        return std::nullopt;
    const std::uint64_t time = std::uint64_t{words[3]} << 32 | words[4];
    return FrameStamp{.frame_number = std::uint64_t{words[1]} << 32 | words[2],
                      .timestamp = std::chrono::microseconds(static_cast<std::int64_t>(time))};
}

constexpr std::uint32_t bit_of_column(std::uint32_t column) {
    return 1U << (StampGrid::columns - 1 - column);
}

/// By its middle: compression and scaled chroma blur the edges.
bool is_white(const BrightnessReader& frame, const StampGrid& grid, std::uint32_t column, std::uint32_t row) {
    constexpr double half = 127.5; // near the middle of limited range, too
    const std::uint32_t margin = grid.cell / 4;
    double sum = 0;
    std::uint32_t pixels = 0;
    for (std::uint32_t y = margin; y < grid.cell - margin; ++y)
        for (std::uint32_t x = margin; x < grid.cell - margin; ++x, ++pixels)
            sum += frame.at(grid.x + column * grid.cell + x, grid.y + row * grid.cell + y);
    return sum > half * pixels;
}

} // namespace

std::optional<StampGrid> stamp_grid(std::uint32_t width, std::uint32_t height) noexcept {
    struct Step {
        std::uint32_t cell; // pixels
        std::uint32_t width;
        std::uint32_t height;
    };
    // The picture keeps half of the frame's width and most of its height; small frames give up more of them.
    constexpr Step steps[] = {{16, 1024, 384}, {8, 512, 192}, {4, 128, 48}, {2, 64, 24}};
    constexpr std::uint32_t jpeg_block = 8; // pixels
    for (const Step& step : steps)
        if (width >= step.width && height >= step.height)
            return StampGrid{.x = 0,
                             .y = (height - StampGrid::rows * step.cell) / jpeg_block * jpeg_block,
                             .cell = step.cell};
    return std::nullopt;
}

void draw_stamp(Canvas& canvas, const FrameStamp& stamp) noexcept {
    const std::optional<StampGrid> grid = stamp_grid(canvas.width(), canvas.height());
    if (!grid)
        return;
    const Words words = encode(stamp);
    canvas.fill({.x = grid->x,
                 .y = grid->y,
                 .width = StampGrid::columns * grid->cell,
                 .height = StampGrid::rows * grid->cell},
                colors::black);
    for (std::uint32_t row = 0; row < StampGrid::rows; ++row)
        for (std::uint32_t column = 0; column < StampGrid::columns; ++column)
            if ((words[row] & bit_of_column(column)) != 0)
                canvas.fill({.x = grid->x + column * grid->cell,
                             .y = grid->y + row * grid->cell,
                             .width = grid->cell,
                             .height = grid->cell},
                            colors::white);
}

std::optional<FrameStamp> read_stamp(const FrameFormat& format,
                                     std::span<const std::span<const std::byte>> planes) {
    const std::optional<StampGrid> grid = stamp_grid(format.width, format.height);
    const Result<BrightnessReader> frame = BrightnessReader::create(format, planes);
    if (!grid || !frame)
        return std::nullopt;
    Words words{};
    for (std::uint32_t row = 0; row < StampGrid::rows; ++row)
        for (std::uint32_t column = 0; column < StampGrid::columns; ++column)
            if (is_white(*frame, *grid, column, row))
                words[row] |= bit_of_column(column);
    return decode(words);
}

} // namespace v4l2dma
