// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <cstddef>
#include <span>
#include <string>

namespace v4l2dma {

/// Writes @p bytes to a new file next to @p path and renames it: whoever opens @p path sees the old content
/// or all of the new one. Mode 0666 less the umask. Nothing is left behind when it fails. What is there and
/// is no regular file (/dev/stdout, a named pipe) is written to as it is, not replaced; whoever reads there
/// has reader_patience (base/open_output.h).
[[nodiscard]] Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

/// Whether what is at @p path is neither a regular file nor a folder: a device, a named pipe, a socket.
[[nodiscard]] bool is_special_file(const std::string& path);

/// Whether a file of this name can be written, as far as that can be said without touching it: before a run
/// that would fail over it only at its end.
[[nodiscard]] Status check_writable(const std::string& path);

} // namespace v4l2dma
