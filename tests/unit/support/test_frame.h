// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"

#include <algorithm>
#include <cstddef>
#include <doctest/doctest.h>
#include <span>
#include <string_view>
#include <vector>

namespace v4l2dma::test {

/// A frame in memory of its own, each memory plane as long as its sizeimage, that notices who writes into the
/// padding.
class TestFrame {
public:
    struct Shape {
        std::uint32_t width = 64;
        std::uint32_t height = 64;
        std::uint32_t line_padding = 0; ///< bytes; of a full line, less for smaller ones
        std::uint32_t end_padding = 0;  ///< bytes
    };
    static constexpr std::byte untouched{0xa5};

    TestFrame(FourCC fourcc, const Shape& shape, const Colorimetry& colorimetry = {})
        : tight_(*tight_format(fourcc, shape.width, shape.height)), format_(tight_) {
        format_.colorimetry = colorimetry;
        const PixelFormat& entry = *find_pixel_format(fourcc);
        for (std::uint32_t i = 0; i < format_.plane_count; ++i) {
            MemoryPlane& plane = format_.planes[i];
            const ComponentPlane& component = entry.planes[i];
            const std::uint32_t rows = entry.apart ? plane.sizeimage / std::max(1U, plane.bytesperline) : 0;
            plane.bytesperline += shape.line_padding * component.stride_multiplier / component.stride_divisor;
            plane.sizeimage =
                entry.apart
                    ? plane.bytesperline * rows
                    : static_cast<std::uint32_t>(min_sizeimage(entry, plane.bytesperline, shape.height));
            plane.sizeimage += shape.end_padding;
            memory_.emplace_back(plane.sizeimage, untouched);
        }
        layout_ = *layout_of(format_);
    }
    TestFrame(std::string_view fourcc, const Shape& shape, const Colorimetry& colorimetry = {})
        : TestFrame(*FourCC::parse(fourcc), shape, colorimetry) {}

    [[nodiscard]] const FrameFormat& format() const { return format_; }
    [[nodiscard]] const Layout& layout() const { return layout_; }
    [[nodiscard]] std::vector<std::span<std::byte>> planes() { return {memory_.begin(), memory_.end()}; }
    [[nodiscard]] std::vector<std::span<const std::byte>> planes() const {
        return {memory_.begin(), memory_.end()};
    }
    [[nodiscard]] const std::vector<std::vector<std::byte>>& memory() const { return memory_; }

    /// A row of a component plane up to its stride.
    [[nodiscard]] std::span<std::byte> row(std::uint32_t plane, std::uint32_t index) {
        const PlaneLayout& place = layout_.planes[plane];
        return std::span(memory_[place.memory_plane])
            .subspan(place.offset + std::size_t{index} * place.stride, place.stride);
    }

    /// Whether nobody wrote behind the last pixel of a line, or behind the last line.
    [[nodiscard]] bool padding_untouched() const {
        std::vector<std::vector<std::byte>> rest = memory_;
        const Layout tight = *layout_of(tight_);
        for (std::uint32_t i = 0; i < layout_.plane_count; ++i) {
            const PlaneLayout& place = layout_.planes[i];
            for (std::uint32_t y = 0; y < place.rows; ++y)
                std::ranges::fill(
                    std::span(rest[place.memory_plane])
                        .subspan(place.offset + std::size_t{y} * place.stride, tight.planes[i].stride),
                    untouched);
        }
        return std::ranges::all_of(rest, [](const std::vector<std::byte>& bytes) {
            return std::ranges::all_of(bytes, [](std::byte byte) { return byte == untouched; });
        });
    }

private:
    FrameFormat tight_;
    FrameFormat format_;
    Layout layout_{};
    std::vector<std::vector<std::byte>> memory_;
};

} // namespace v4l2dma::test
