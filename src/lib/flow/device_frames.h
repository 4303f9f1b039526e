// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"
#include "media/device_picture.h"

#include <span>
#include <vector>

namespace v4l2dma {

/// Frames whose pictures a device has in memory of its own: by index the dma-bufs that one came in, which are
/// others with each picture.
class DeviceFrames {
public:
    explicit DeviceFrames(System& system) : system_(system) {}

    /// Forgets all, and has room for so many.
    void set(std::uint32_t count);
    /// By index; without memory where there is no frame.
    [[nodiscard]] std::span<BufferMemory> memory() noexcept { return memory_; }
    /// @p picture, which must be in a device and lie as @p layout says, is the frame of that index from now
    /// on; @p metadata gets its payload. Errors: (system) it lies otherwise, or what the kernel says.
    [[nodiscard]] Status put(std::uint32_t index, const AVFrame& picture, const DeviceLayout& layout,
                             BufferMetadata& metadata);
    void drop(std::uint32_t index) noexcept;

private:
    System& system_;
    std::vector<std::vector<DmabufBuffer>> dmabufs_; ///< by index, then memory plane
    std::vector<BufferMemory> memory_;               ///< by index; points into dmabufs_
};

} // namespace v4l2dma
