// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer.h"
#include "format/frame_format.h"
#include "v4l2/queue.h"

#include <cstdint>
#include <optional>
#include <span>

namespace v4l2dma {

/// One frame on its way from a source to a sink: a plain descriptor, everything in it is borrowed.
///
/// Contract: Source::take() hands a frame out; from then on its memory keeps still until
/// Source::give_back(index), which must follow exactly once. The pointers are valid as long as that.
struct Frame {
    std::uint32_t index = 0;             ///< the source's number of the buffer, for give_back()
    const FrameFormat* format = nullptr; ///< never null
    BufferMetadata metadata{};           ///< bytesused, sequence, timestamp, field, flags
    DmabufBuffer* dmabuf = nullptr;      ///< set on the paths that move dma-bufs
    std::span<const std::byte> mapped{}; ///< the source's mapping, on the paths that have one
};

/// The payload of a frame for the CPU to read, however it is to be reached. Lives no longer than the frame.
class FrameBytes {
public:
    /// Errors: what mmap or DMA_BUF_IOCTL_SYNC of the frame's dma-buf say; (system) a payload that is longer
    /// than the memory it is said to be in.
    [[nodiscard]] static Result<FrameBytes> of(const Frame& frame);

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
    FrameBytes(std::optional<CpuAccess> access, std::span<const std::byte> bytes) noexcept
        : access_(std::move(access)), bytes_(bytes) {}

    std::optional<CpuAccess> access_;
    std::span<const std::byte> bytes_;
};

/// Somebody who looks at every frame that passes: a log, a snapshot. Looking is diagnosis: it is not counted
/// as a copy.
class FrameObserver {
public:
    FrameObserver() = default;
    FrameObserver(const FrameObserver&) = delete;
    FrameObserver& operator=(const FrameObserver&) = delete;
    virtual ~FrameObserver() = default;
    /// Called between take() and put(). An error ends the run.
    [[nodiscard]] virtual Status observe(const Frame& frame) = 0;
};

} // namespace v4l2dma
