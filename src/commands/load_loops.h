// SPDX-License-Identifier: MIT
#pragma once

#include "loop/parameters.h"

#include <nlohmann/json.hpp>
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

/// "{device, video_nr, card_label, id, ...}"
[[nodiscard]] nlohmann::ordered_json loop_json(const LoopInfo& loop);
/// A line for each loop: its nodes and its name.
[[nodiscard]] std::string loop_lines(const std::vector<LoopInfo>& loops);

} // namespace v4l2dma
