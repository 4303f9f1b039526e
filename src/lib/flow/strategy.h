// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"

#include <optional>
#include <span>
#include <string_view>

namespace v4l2dma {

/// How the user names what a side does about memory: the four ways V4L2 moves frames.
enum class IoMethod { rw, mmap, userptr, dmabuf };

[[nodiscard]] std::string_view to_text(IoMethod method) noexcept;
/// "exports", "copies": the role's name, for logs and JSON.
[[nodiscard]] std::string_view to_text(MemoryRole role) noexcept;
/// The way that a role means.
[[nodiscard]] IoMethod method_of(MemoryRole role) noexcept;

/// One way for frames to get from a source to a sink.
struct Strategy {
    /// Whose buffers the frames lie in.
    enum class Memory {
        sink,   ///< the sink's: the source works in them
        source, ///< the source's: the sink works in them
        both,   ///< each has its own: the frame is copied from one to the other
        dmabuf, ///< a third allocator's dma-bufs: both work in them
        plain,  ///< ordinary memory of this process
    };

    std::string_view name; ///< short, for statistics and JSON: "sink-exports"
    std::string_view text; ///< for people
    Memory memory;
    MemoryRole source;
    MemoryRole sink;

    /// Frames travel as dma-bufs, at least on one side.
    [[nodiscard]] bool moves_dmabufs() const noexcept;
};

/// Every strategy, best first.
[[nodiscard]] std::span<const Strategy> strategies();

/// A strategy between these two ends.
struct Path {
    const Strategy* strategy = nullptr;
    unsigned copies = 0; ///< of each frame, by the CPU
    /// Moves dma-bufs, and copies nothing.
    [[nodiscard]] bool zero_copy() const noexcept { return copies == 0 && strategy->moves_dmabufs(); }
};

[[nodiscard]] Path path_between(const Source& source, const Sink& sink, const Strategy& strategy);

} // namespace v4l2dma
