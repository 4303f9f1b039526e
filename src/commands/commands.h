// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace v4l2dma {

/// One subcommand. @p run gets the words after the command's name and returns the exit code.
struct Command {
    std::string_view name;
    std::string_view summary; ///< one line of `v4l2dma --help`
    int (*run)(std::span<char*> arguments);
};

/// Every subcommand of this build, in the order of `v4l2dma --help`.
[[nodiscard]] std::span<const Command> commands();

} // namespace v4l2dma
