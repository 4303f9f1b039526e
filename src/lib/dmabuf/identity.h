// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/system.h"

#include <compare>
#include <cstdint>

namespace v4l2dma {

/// Which dma-buf an fd stands for: its inode, the same for every fd on it in every process.
/// Never the fd's number: EXPBUF makes a new one each time, and the kernel gives old ones out again.
struct DmabufIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0; ///< 0: no dma-buf

    friend auto operator<=>(const DmabufIdentity&, const DmabufIdentity&) = default;
};

/// @p fd is borrowed.
[[nodiscard]] Result<DmabufIdentity> identify_dmabuf(int fd, System& system = real_system());

} // namespace v4l2dma
