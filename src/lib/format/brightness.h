// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"
#include "format/sample_layout.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace v4l2dma {

/// Looks at single pixels of a frame, whatever its format. Borrows the memory.
class BrightnessReader {
public:
    /// @p planes: one for each memory plane, from where its payload begins.
    /// Errors: those of sample_layout_of().
    [[nodiscard]] static Result<BrightnessReader> create(const FrameFormat& format,
                                                         std::span<const std::span<const std::byte>> planes);

    /// 0 to 255: a pixel's luma as it is, the mean of its red, green and blue, or of a Bayer pattern the one
    /// of these that the pixel has. The pixel must be in the frame.
    [[nodiscard]] double at(std::uint32_t x, std::uint32_t y) const noexcept;

private:
    BrightnessReader(const SamplePlane& plane, std::span<const std::byte> memory)
        : plane_(plane), memory_(memory) {}

    SamplePlane plane_; ///< the first component plane has luma, or all there is
    std::span<const std::byte> memory_;
};

} // namespace v4l2dma
