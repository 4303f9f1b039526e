// SPDX-License-Identifier: MIT
#pragma once

#include "loop/parameters.h"

#include <string>
#include <vector>

namespace v4l2dma {

// What `load` does while the module is loaded, through its control node. Each reports what fails and answers
// the command's exit code.

[[nodiscard]] int add_loop(const LoopParameters& wanted, bool json);
/// @p force: also loops that somebody has open.
[[nodiscard]] int remove_loops(const std::vector<std::string>& names, bool force, bool json);
[[nodiscard]] int change_loop(const std::string& name, const LoopParameters& wanted, bool json);
[[nodiscard]] int list_loops(bool json);

/// The command's exit code once its answer is written. If it could not be, @p done says what is done for all
/// that: who runs the command again must know.
[[nodiscard]] int exit_after(const Status& written, const std::string& done);

/// Every loop there is. The control node is closed again: it would pin the module.
[[nodiscard]] Result<std::vector<LoopInfo>> all_loops();
/// The module takes another number if the wanted one is in use, and goes on with fewer loops if one fails.
/// The user should not have to find that out.
void warn_about_nodes(const std::vector<LoopInfo>& loops, const LoopParameters& wanted);

} // namespace v4l2dma
