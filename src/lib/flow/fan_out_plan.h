// SPDX-License-Identifier: MIT
#pragma once

#include "flow/strategy.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace v4l2dma {

/// What the user wants of every output; as in PathWishes.
struct FanOutWishes {
    bool zero_copy = false;
    std::optional<IoMethod> method{};
};

/// What each of several outputs may do about memory, where the sink that they are together plays one role:
/// what fits where the frames lie then. In dma-bufs (exports, imports), at addresses (lends, borrows), or
/// wherever the CPU can read them (copies, touches).
struct FanOutPlan {
    std::optional<std::size_t> provider{};        ///< the output whose memory the frames lie in
    std::vector<std::vector<MemoryRole>> roles{}; ///< of each output, best first; none of one that is gone
    unsigned copies = 0;    ///< of each frame by the CPU, if nobody refuses the best of its roles
    std::string obstacle{}; ///< why it need not be tried; empty if it can be
};

/// Changes nothing: what the outputs say of themselves, before they are tried. @p outputs: nullptr for those
/// that are gone.
[[nodiscard]] FanOutPlan plan_fan_out(std::span<const Sink* const> outputs, MemoryRole role,
                                      const FanOutWishes& wishes);

/// Why this output cannot play that role for this user; empty if it can be tried.
[[nodiscard]] std::string obstacle_to(MemoryRole role, const Sink& output, const FanOutWishes& wishes);

} // namespace v4l2dma
