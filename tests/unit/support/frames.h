// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"

namespace v4l2dma::testing {

/// Metadata of a frame in one memory plane.
[[nodiscard]] inline BufferMetadata one_plane(std::uint32_t bytesused) {
    BufferMetadata metadata;
    metadata.planes[0].bytesused = bytesused;
    return metadata;
}

/// A frame in one memory plane, and where it lies.
struct PlacedFrame {
    PlacedFrame(const FrameFormat& format, std::span<std::byte> bytes, std::uint32_t bytesused)
        : memory{.planes = {PlaneMemory{.bytes = bytes}}}, frame{.format = &format,
                                                                 .metadata = one_plane(bytesused),
                                                                 .memory = &memory} {}
    PlacedFrame(const PlacedFrame&) = delete;
    PlacedFrame& operator=(const PlacedFrame&) = delete;

    BufferMemory memory;
    Frame frame;
};

} // namespace v4l2dma::testing
