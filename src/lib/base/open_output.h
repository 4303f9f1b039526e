// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "base/write_bytes.h"

#include <string>

namespace v4l2dma {

/// What the reader of a pipe that a user named as a file has, before he counts as gone.
inline constexpr WritePatience reader_patience{.limit = std::chrono::seconds(5)};

/// Opens @p path for writing with O_CLOEXEC and @p flags (O_CREAT, O_TRUNC, ...; mode 0666 less the umask).
///
/// Never sleeps, as open() does for a pipe that nobody reads: that is an error (ENXIO). The fd is
/// non-blocking; write_bytes() knows how to wait. Errors are of the kind system.
[[nodiscard]] Result<UniqueFd> open_output(const std::string& path, int flags);

} // namespace v4l2dma
