// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer.h"
#include "format/frame_format.h"

#include <array>
#include <cstdint>
#include <span>

namespace v4l2dma {

/// One memory plane of a buffer, as its owner shows it to others: as a dma-buf, as addresses, or both. All
/// borrowed. Where there is a dma-buf the CPU goes through it (DMA_BUF_IOCTL_SYNC); its addresses are for
/// USERPTR.
struct PlaneMemory {
    DmabufBuffer* dmabuf = nullptr;
    std::span<std::byte> bytes{};
};

/// The memory that one buffer's frames lie in. A plain value.
struct BufferMemory {
    std::uint32_t plane_count = 1;
    std::array<PlaneMemory, FrameFormat::max_planes> planes{};

    [[nodiscard]] std::span<PlaneMemory> used() noexcept { return std::span(planes).first(plane_count); }
    [[nodiscard]] std::span<const PlaneMemory> used() const noexcept {
        return std::span(planes).first(plane_count);
    }
};

} // namespace v4l2dma
