// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer_memory.h"
#include "format/frame_format.h"
#include "v4l2/queue.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace v4l2dma {

/// One frame on its way from a source to a sink: a plain descriptor, everything in it is borrowed.
///
/// Contract: Source::take() hands a frame out; from then on its memory keeps still until
/// Source::give_back(index), which must follow exactly once. The pointers are valid as long as that.
struct Frame {
    std::uint32_t index = 0;              ///< the source's number of the buffer, for give_back()
    const FrameFormat* format = nullptr;  ///< never null
    BufferMetadata metadata{};            ///< payload, sequence, timestamp, field, flags
    const BufferMemory* memory = nullptr; ///< never null: where it lies
    std::uint64_t copied_bytes = 0;       ///< that the CPU moved for the frame to get here: read()
};

/// The payload of a frame for the CPU to read, however it is to be reached. Lives no longer than the frame.
class FrameBytes {
public:
    using Planes = std::span<const std::span<const std::byte>>;

    /// Errors: what mmap or DMA_BUF_IOCTL_SYNC of the frame's dma-bufs say; (system) a payload that is longer
    /// than the memory it is said to be in.
    [[nodiscard]] static Result<FrameBytes> of(const Frame& frame);

    /// One for each memory plane, from the first byte of the frame to the last.
    [[nodiscard]] Planes planes() const noexcept { return std::span(planes_).first(plane_count_); }
    /// Of all planes.
    [[nodiscard]] std::uint64_t size() const noexcept;

private:
    FrameBytes() = default;

    std::uint32_t plane_count_ = 0;
    std::array<std::span<const std::byte>, FrameFormat::max_planes> planes_{};
    std::array<std::optional<CpuAccess>, FrameFormat::max_planes> accesses_{};
};

/// A buffer's memory for the CPU to write a frame into, plane by plane. Lives no longer than the memory.
class WritableBytes {
public:
    /// Errors: what mmap or DMA_BUF_IOCTL_SYNC of the dma-bufs say.
    [[nodiscard]] static Result<WritableBytes> of(const BufferMemory& memory);

    [[nodiscard]] std::span<const std::span<std::byte>> planes() const noexcept {
        return std::span(planes_).first(plane_count_);
    }

private:
    WritableBytes() = default;

    std::uint32_t plane_count_ = 0;
    std::array<std::span<std::byte>, FrameFormat::max_planes> planes_{};
    std::array<std::optional<CpuWriteAccess>, FrameFormat::max_planes> accesses_{};
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
