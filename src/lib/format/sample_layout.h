// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace v4l2dma {

enum class Component { luma, blue_chroma, red_chroma, red, green, blue, alpha };

/// A run of bits in a group: some or all bits of one sample.
struct SampleField {
    Component component{};
    bool shared = false;    ///< by all pixels of the group, as chroma is
    std::uint8_t pixel = 0; ///< whose sample it is, from the left of the group; only if not shared
    std::uint8_t depth = 0; ///< bits of the whole sample
    std::uint8_t low = 0;   ///< the first bit of the sample that is here
    std::uint8_t width = 0; ///< bits of the sample that are here
    std::uint8_t shift = 0; ///< where they are in the group's word

    [[nodiscard]] constexpr std::uint64_t mask() const noexcept {
        return ((std::uint64_t{1} << width) - 1) << shift;
    }
};

/// The pixels, or the chroma of pixels, that repeat along a row: bits of a word of up to eight bytes.
struct SampleGroup {
    static constexpr std::size_t max_fields = 8;

    std::array<SampleField, max_fields> storage{};
    std::uint8_t field_count = 0;
    std::uint8_t bytes = 0;
    bool big_endian = false;

    [[nodiscard]] std::span<const SampleField> fields() const noexcept {
        return std::span(storage).first(field_count);
    }
    /// Bits of the pixels from @p begin up to @p end of the group, and of what all its pixels share.
    [[nodiscard]] std::uint64_t mask(std::uint32_t begin, std::uint32_t end) const noexcept;
    /// Whether a pixel has bits of its own in it.
    [[nodiscard]] bool has_pixels() const noexcept;
    /// The word at the begin of @p memory, which has at least `bytes` bytes.
    [[nodiscard]] std::uint64_t load(std::span<const std::byte> memory) const noexcept;
    void store(std::span<std::byte> memory, std::uint64_t word) const noexcept;
};

/// A component plane, down to the bits.
struct SamplePlane {
    PlaneLayout place{};
    std::uint32_t group_columns = 1; ///< pixels that a group stands for, to the right
    std::uint32_t group_rows = 1;    ///< and downwards
    std::uint32_t groups = 0;        ///< in a row
    std::uint32_t phases = 1;        ///< rows until they are alike: two for Bayer patterns
    std::array<SampleGroup, 2> rows{};

    [[nodiscard]] const SampleGroup& row(std::uint32_t index) const noexcept { return rows[index % phases]; }
    /// Bytes of a row that mean something; what follows up to the stride is padding.
    [[nodiscard]] std::size_t row_bytes() const noexcept { return std::size_t{groups} * rows[0].bytes; }
    /// Bytes of the memory plane from its payload's begin to the end of this plane.
    [[nodiscard]] std::uint64_t end() const noexcept { return place.offset + place.size(); }
};

/// Where every sample of a frame is.
struct SampleLayout {
    bool rgb = false; ///< red, green and blue (Bayer patterns, too), not luma and chroma
    std::uint32_t plane_count = 0;
    std::array<SamplePlane, 3> storage{};

    [[nodiscard]] std::span<const SamplePlane> planes() const noexcept {
        return std::span(storage).first(plane_count);
    }
};

/// How long each piece of a frame's memory is, for sample_layout_of().
class MemorySizes {
public:
    /// More than a frame can have are left out.
    explicit MemorySizes(const auto& planes) noexcept
        : count_(std::min<std::size_t>(planes.size(), FrameFormat::max_planes)) {
        for (std::size_t i = 0; i < count_; ++i)
            bytes_[i] = planes[i].size();
    }
    [[nodiscard]] std::span<const std::size_t> bytes() const noexcept {
        return std::span(bytes_).first(count_);
    }

private:
    std::size_t count_;
    std::array<std::size_t, FrameFormat::max_planes> bytes_{};
};

/// Whether sample_layout_of() knows where the samples of this format are: nothing compressed or tiled, no
/// hue, and no brightness that is not linear to the others'.
[[nodiscard]] bool has_sample_layout(FourCC fourcc);

/// Errors: (unsupported) has_sample_layout() says no; those of layout_of(); (usage) a memory plane is shorter
/// than the frame. @p memory: bytes there are in each memory plane from where its payload begins.
[[nodiscard]] Result<SampleLayout> sample_layout_of(const FrameFormat& format,
                                                    std::span<const std::size_t> memory);

} // namespace v4l2dma
