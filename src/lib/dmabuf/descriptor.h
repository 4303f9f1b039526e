// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer.h"
#include "format/frame_format.h"

#include <array>
#include <cstdint>

namespace v4l2dma {

/// A frame in dma-bufs as an importer (KMS, EGL, another process) wants to hear of it. A plain value: the fds
/// are borrowed from whoever owns the frame, and valid as long as it is held.
struct DmabufDescriptor {
    struct Plane {
        int fd = -1;
        std::uint32_t offset = 0; ///< bytes
        std::uint32_t stride = 0; ///< bytes
        std::uint64_t size = 0;   ///< bytes
    };

    FrameFormat format{};
    std::uint64_t modifier = 0; ///< DRM_FORMAT_MOD_LINEAR: all that V4L2's plain formats are
    std::uint32_t plane_count = 0;
    std::array<Plane, 3> planes{};
};

/// Describes the frame in @p buffer. Errors: as layout_of(), and (device) a dma-buf shorter than the frame.
/// A compressed frame is one plane without a stride.
[[nodiscard]] Result<DmabufDescriptor> describe(const DmabufBuffer& buffer, const FrameFormat& format);

} // namespace v4l2dma
