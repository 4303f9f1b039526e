// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace v4l2dma {

/// How long to wait for whoever takes what is written: counted anew whenever some of it was taken.
struct WritePatience {
    std::optional<std::chrono::milliseconds> limit; ///< empty: without end
    int stop_fd = -1; ///< borrowed; once it is readable, `hurried` is the limit. -1: none
    std::chrono::milliseconds hurried{1000};
    int give_up_fd = -1; ///< borrowed; once it is readable, not even who takes something is waited for
};

/// Writes all of @p bytes to @p fd (borrowed, blocking or not), which @p object names in errors.
///
/// Sleeps in poll() and not in write(), so that a pipe or terminal that nobody drains cannot keep a process
/// whose signals are blocked; ETIMEDOUT when the patience is over, or at its give_up_fd. Up to
/// PIPE_BUF bytes are written whole or not at all. Errors are of the kind system.
[[nodiscard]] Status write_bytes(int fd, std::span<const std::byte> bytes, std::string_view object,
                                 const WritePatience& patience = {});

} // namespace v4l2dma
