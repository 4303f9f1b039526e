// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "support/guarded_memory.h"

#include <cstdint>
#include <random>
#include <vector>

namespace v4l2dma::testing {

/// @p fourcc in this size, with @p padding bytes after each row of each piece of memory. @p padding is
/// divisible by what divides the strides of its component planes.
inline FrameFormat padded_format(FourCC fourcc, std::uint32_t width, std::uint32_t height,
                                 std::uint32_t padding) {
    FrameFormat format = *tight_format(fourcc, width, height);
    const PixelFormat& entry = *find_pixel_format(fourcc);
    for (std::uint32_t i = 0; i < format.plane_count; ++i) {
        MemoryPlane& plane = format.planes[i];
        const std::uint32_t rows = plane.bytesperline == 0 ? 0 : plane.sizeimage / plane.bytesperline;
        plane.bytesperline += padding;
        plane.sizeimage = entry.apart
                              ? plane.bytesperline * rows
                              : static_cast<std::uint32_t>(min_sizeimage(entry, plane.bytesperline, height));
    }
    return format;
}

/// A frame in memory that ends with its last pixel. A byte that is no pixel is a sentinel.
class Picture {
public:
    explicit Picture(const FrameFormat& format, std::byte sentinel = std::byte{0xa5})
        : format_(format), layout_(*layout_of(format)), sentinel_(sentinel) {
        for (std::uint32_t memory = 0; memory < format.plane_count; ++memory) {
            std::uint64_t end = 0;
            for (std::uint32_t i = 0; i < layout_.plane_count; ++i)
                if (layout_.planes[i].memory_plane == memory)
                    end = std::max(end, layout_.planes[i].end());
            memory_.emplace_back(end);
        }
        for (const GuardedMemory& memory : memory_) {
            std::ranges::fill(memory.bytes(), sentinel);
            read_.emplace_back(memory.bytes());
            write_.emplace_back(memory.bytes());
        }
    }

    [[nodiscard]] const FrameFormat& format() const { return format_; }
    [[nodiscard]] const Layout& layout() const { return layout_; }
    [[nodiscard]] ConstPlanes planes() const { return read_; }
    [[nodiscard]] Planes writable() const { return write_; }

    /// One row of a component plane.
    [[nodiscard]] std::span<std::byte> row(std::uint32_t plane, std::uint32_t y) const {
        const PlaneLayout& place = layout_.planes[plane];
        return write_[place.memory_plane].subspan(place.offset + std::size_t{place.stride} * y,
                                                  place.row_bytes);
    }
    /// Calls @p visit with each row of each component plane.
    void each_row(auto&& visit) const {
        for (std::uint32_t plane = 0; plane < layout_.plane_count; ++plane)
            for (std::uint32_t y = 0; y < layout_.planes[plane].rows; ++y)
                visit(plane, row(plane, y));
    }
    void fill(std::byte value) const {
        each_row([&](std::uint32_t, std::span<std::byte> bytes) { std::ranges::fill(bytes, value); });
    }
    /// The same noise at each call.
    void fill_with_noise(std::uint32_t seed = 1) const {
        std::minstd_rand random(seed);
        each_row([&](std::uint32_t, std::span<std::byte> bytes) {
            for (std::byte& byte : bytes)
                byte = static_cast<std::byte>(random() >> 8);
        });
    }
    /// Its pixels without padding.
    [[nodiscard]] std::vector<std::byte> pixels() const {
        std::vector<std::byte> result;
        each_row([&](std::uint32_t, std::span<std::byte> bytes) {
            result.insert(result.end(), bytes.begin(), bytes.end());
        });
        return result;
    }
    /// Whether every byte that is no pixel still is the sentinel, those before the frame, too. Spoils the
    /// pixels.
    [[nodiscard]] bool padding_intact() const {
        fill(sentinel_);
        return std::ranges::all_of(memory_, [this](const GuardedMemory& memory) {
            return memory.front_intact() &&
                   std::ranges::all_of(memory.bytes(), [this](std::byte byte) { return byte == sentinel_; });
        });
    }

private:
    FrameFormat format_;
    Layout layout_;
    std::byte sentinel_;
    std::vector<GuardedMemory> memory_;
    std::vector<std::span<const std::byte>> read_;
    std::vector<std::span<std::byte>> write_;
};

} // namespace v4l2dma::testing
