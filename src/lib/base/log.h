// SPDX-License-Identifier: MIT
#pragma once

#include <spdlog/spdlog.h>
#include <string_view>

namespace v4l2dma {

enum class ColorMode { automatic, always, never };

/// Back to the first column of a terminal, whose line is empty then.
inline constexpr std::string_view erase_line = "\r\x1b[K";

/// Sends the process's log to stderr, one plain sentence a line, on a terminal in place of what stands in the
/// line by then (statistics). Called once, by main().
///
/// error: the command ends because of this. warning: it goes on, but not as asked.
/// info: what the user wants to know anyway. debug (-v): what was tried and why it was not taken.
void init_log(ColorMode color, bool verbose);

} // namespace v4l2dma
