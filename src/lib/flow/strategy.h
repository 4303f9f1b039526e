// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "v4l2/types.h"

#include <optional>
#include <span>
#include <string_view>

namespace v4l2dma {

/// One way for frames to get from a source to a sink.
struct Strategy {
    std::string_view name; ///< short, for statistics and JSON: "sink-exports"
    std::string_view text; ///< for people
    MemoryRole source;
    MemoryRole sink;
    bool zero_copy; ///< moves dma-bufs
    bool copies;    ///< one memcpy a frame
    /// Allocates on both sides and starts the source. What it leaves behind when it fails, the caller
    /// releases.
    Status (*establish)(Source& source, Sink& sink, std::uint32_t buffers);

    /// The V4L2 memory type that the role means for a device of this path; empty if it has no queue there.
    [[nodiscard]] static std::optional<Memory> memory_of(MemoryRole role) noexcept;
};

/// Every strategy, best first.
[[nodiscard]] std::span<const Strategy> strategies();

} // namespace v4l2dma
