// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

namespace v4l2dma {

/// "rtmp" of "RTMP://host/app", in lower case; empty if @p name is no URL.
[[nodiscard]] std::string scheme_of(std::string_view name);

/// The path in "file://PATH", or @p name as it is.
[[nodiscard]] std::string without_file_scheme(std::string_view name);

/// Whether @p name is a URL behind which somebody else is, and no file of this machine.
[[nodiscard]] bool is_network(std::string_view name);

/// That a URL of those protocols that have no usual port names one. Errors: (usage) it does not.
[[nodiscard]] Status check_port(std::string_view url);

enum class Direction { read, write };

/// That FFmpeg has no protocol of @p url's name, and which are called nearly so. load_ffmpeg_formats() must
/// have succeeded. The error's kind is usage.
[[nodiscard]] std::unexpected<Error> unknown_protocol(std::string_view url, Direction direction);

/// What FFmpeg answered, @p code, when it connected ("open"), read or wrote; with what to do about it.
/// load_ffmpeg() must have succeeded. The error's kind is peer.
[[nodiscard]] std::unexpected<Error> peer_error(std::string_view operation, std::string_view url, int code);

} // namespace v4l2dma
