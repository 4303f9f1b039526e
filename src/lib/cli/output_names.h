// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <span>
#include <string>

namespace v4l2dma {

/// What else is known of a command's outputs.
struct OutputUse {
    std::string input{}; ///< a name that is read
    bool force = false;  ///< files that exist are written over
    bool json = false;   ///< standard output has events
};

/// Of two outputs in one place none would be whole, and a film that is written over while it is read is gone
/// before its first frame. Names may be paths, have a %d, or be "-" or the URL of a file. Errors: (usage) one
/// of @p outputs is the input, or may become it by its number; or another one; two things are on standard
/// output.
[[nodiscard]] Status check_output_names(std::span<const std::string> outputs, const OutputUse& use);

} // namespace v4l2dma
