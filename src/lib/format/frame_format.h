// SPDX-License-Identifier: MIT
#pragma once

#include "format/pixel_format.h"

#include <array>
#include <cstdint>
#include <string>

namespace v4l2dma {

/// V4L2's numbers (enum v4l2_colorspace and so on), passed on unchanged; 0 is "default" in each.
struct Colorimetry {
    std::uint32_t colorspace = 0;
    std::uint32_t ycbcr_encoding = 0;
    std::uint32_t quantization = 0;
    std::uint32_t transfer_function = 0;

    friend bool operator==(const Colorimetry&, const Colorimetry&) = default;
};

/// One piece of memory of a frame: a buffer of the multi-planar API has up to eight.
struct MemoryPlane {
    std::uint32_t bytesperline = 0; ///< stride of the first component plane in it, 0 if compressed
    std::uint32_t sizeimage = 0;    ///< bytes a buffer must have

    friend bool operator==(const MemoryPlane&, const MemoryPlane&) = default;
};

/// Everything that says how a frame's bytes are to be read.
struct FrameFormat {
    static constexpr std::size_t max_planes = 8; // VIDEO_MAX_PLANES

    FourCC fourcc{};
    std::uint32_t width = 0;  ///< pixels
    std::uint32_t height = 0; ///< pixels
    std::uint32_t field = 0;  ///< enum v4l2_field
    std::uint32_t flags = 0;  ///< V4L2_PIX_FMT_FLAG_*
    Colorimetry colorimetry{};
    std::uint32_t plane_count = 1;
    std::array<MemoryPlane, max_planes> planes{};

    [[nodiscard]] std::uint32_t bytesperline() const noexcept { return planes[0].bytesperline; }
    /// Bytes of one frame, all planes together.
    [[nodiscard]] std::uint32_t sizeimage() const noexcept;
    /// "YUYV 640x480"
    [[nodiscard]] std::string text() const;
    /// The same bytes at the same places: fourcc, size, strides, sizes; not colours and fields.
    [[nodiscard]] bool same_layout(const FrameFormat& other) const noexcept;
    /// As same_layout(), but buffers may be longer or shorter than the other's. Compressed frames have no
    /// lines.
    [[nodiscard]] bool same_places(const FrameFormat& other) const noexcept;
    friend bool operator==(const FrameFormat&, const FrameFormat&) = default;
};

/// Where one component plane lies.
struct PlaneLayout {
    std::uint32_t memory_plane = 0;
    std::uint32_t offset = 0; ///< bytes, from the begin of the memory plane's payload
    std::uint32_t stride = 0; ///< bytes
    std::uint32_t rows = 0;
    std::uint32_t row_bytes = 0; ///< bytes of a row that are pixels; what is left of the stride is padding

    [[nodiscard]] std::uint64_t size() const noexcept { return std::uint64_t{stride} * rows; }
    /// Bytes of the memory plane up to the end of the last pixel.
    [[nodiscard]] std::uint64_t end() const noexcept {
        return rows == 0 ? offset : offset + std::uint64_t{stride} * (rows - 1) + row_bytes;
    }
};

/// The component planes of a frame.
struct Layout {
    std::uint32_t plane_count = 0;
    std::array<PlaneLayout, 3> planes{};

    /// Bytes of a memory plane up to the end of the last component plane in it.
    [[nodiscard]] std::uint64_t size(std::uint32_t memory_plane = 0) const noexcept;
};

/// The least stride of the first component plane, in bytes; 0 if compressed.
[[nodiscard]] std::uint64_t min_bytesperline(const PixelFormat& pixel_format, std::uint32_t width);
/// The least bytes of a frame with this stride of the first component plane, in all memory planes.
/// Compressed formats have no such size: 0.
[[nodiscard]] std::uint64_t min_sizeimage(const PixelFormat& pixel_format, std::uint64_t bytesperline,
                                          std::uint32_t height);
/// The least bytes of a whole frame of @p format, 1 where nobody knows. Never more than a buffer has: some
/// drivers round the rows of subsampled chroma down (vivid), and know what they send.
[[nodiscard]] std::uint64_t least_payload(const FrameFormat& format);
/// The frame without any padding: strides and sizes of each memory plane. Errors (unsupported): a format that
/// is not in the table, a compressed one; (usage) beyond 4 GiB.
[[nodiscard]] Result<FrameFormat> tight_format(FourCC fourcc, std::uint32_t width, std::uint32_t height);
/// Component planes of @p format, by its strides. Errors (unsupported): a format that is not in the table, a
/// compressed one, another number of memory planes than the table says; (usage) a stride or size that is too
/// small, or beyond 4 GiB.
[[nodiscard]] Result<Layout> layout_of(const FrameFormat& format);

} // namespace v4l2dma
