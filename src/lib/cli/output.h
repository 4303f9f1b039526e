// SPDX-License-Identifier: MIT
#pragma once

#include "base/write_bytes.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace v4l2dma {

/// Writes all of @p text to standard output (or @p fd, borrowed) at once, unbuffered. A command that blocks
/// its signals gives @p patience an end.
///
/// A reader that went away (EPIPE, with SIGPIPE ignored as main() does) and a full disk are errors like any
/// other: what a script asked for did not reach it, so the command must not end with 0.
[[nodiscard]] Status write_stdout(std::string_view text, const WritePatience& patience = {}, int fd = 1);

/// One JSON value on one line (NDJSON), for streams. Invalid UTF-8 in strings is replaced, not refused.
[[nodiscard]] Status write_json_line(const nlohmann::ordered_json& json, const WritePatience& patience = {},
                                     int fd = 1);

/// One indented JSON document, for commands that answer once.
[[nodiscard]] Status write_json_document(const nlohmann::ordered_json& json);

/// @p text with control characters replaced by '?', so that a name that a driver or another process chose
/// cannot send escape sequences to the terminal.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace v4l2dma
