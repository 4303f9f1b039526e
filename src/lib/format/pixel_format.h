// SPDX-License-Identifier: MIT
#pragma once

#include "format/fourcc.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// Where the samples of one component plane lie, relative to the first one's stride.
struct ComponentPlane {
    std::uint8_t stride_multiplier = 1; ///< stride = first stride * multiplier / divisor
    std::uint8_t stride_divisor = 1;
    std::uint8_t vertical_subsampling = 1; ///< rows = ceil(height / this)
};

/// What the table knows about a pixel format.
struct PixelFormat {
    FourCC fourcc{};
    std::string_view description;
    std::uint8_t bits_per_pixel = 0;   ///< of the first component plane; 0 if compressed
    std::uint8_t pixels_per_group = 1; ///< a row is a whole number of these (2 for YUYV)
    std::uint8_t plane_count = 1;      ///< component planes
    std::array<ComponentPlane, 3> planes{};
    FourCC drm{}; ///< DRM's name of the same bytes, 0 if it has none
    bool apart =
        false; ///< each component plane is a memory plane of its own (NM12), else all share one (NV12)
    FourCC
        together{}; ///< the same planes in one piece of memory (NM12: NV12), 0 if not apart or without a name
    bool tiled = false; ///< a row of the table's planes is not a row of pixels

    /// Pieces of memory that a frame consists of.
    [[nodiscard]] constexpr std::uint32_t memory_planes() const noexcept { return apart ? plane_count : 1U; }

    [[nodiscard]] constexpr bool compressed() const noexcept { return bits_per_pixel == 0; }
};

/// Every format in the table.
[[nodiscard]] std::span<const PixelFormat> pixel_formats();
/// The table's entry for @p fourcc, nullptr if the table does not know it. Lives as long as the program.
[[nodiscard]] const PixelFormat* find_pixel_format(FourCC fourcc);
/// Whether frames of the two differ at most in where their component planes lie: NM12 and NV12, and any
/// format and itself.
[[nodiscard]] bool same_pixels(FourCC a, FourCC b);
/// Known formats whose name is a near match of @p text, best first, at most @p limit ("YUVY" -> YUYV, YUV4).
[[nodiscard]] std::vector<FourCC> similar_formats(std::string_view text, std::size_t limit = 3);
/// What the user means by @p text, whatever its case. A format that neither the table nor @p offered (what
/// the device has) knows is a usage error that names near matches.
[[nodiscard]] Result<FourCC> resolve_format(std::string_view text, std::span<const FourCC> offered = {});

} // namespace v4l2dma
