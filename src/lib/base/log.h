// SPDX-License-Identifier: MIT
#pragma once

#include <spdlog/spdlog.h>

namespace v4l2dma {

enum class ColorMode { automatic, always, never };

/// Sends the process's log to stderr, one plain sentence a line. Called once, by main().
///
/// error: the command ends because of this. warning: it goes on, but not as asked.
/// info: what the user wants to know anyway. debug (-v): what was tried and why it was not taken.
void init_log(ColorMode color, bool verbose);

} // namespace v4l2dma
