// SPDX-License-Identifier: MIT
#pragma once

#include "loop/control.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace v4l2dma {

// What `load` and `inspect` say of a loop, in the same words.

/// What a loop is set to.
[[nodiscard]] nlohmann::ordered_json settings_json(const LoopConfig& config);
/// What it does now: slots, openers, writer, readers.
[[nodiscard]] nlohmann::ordered_json state_json(const LoopInfo& loop);
/// "{device, video_nr, card_label, id, ...}", with both of the above.
[[nodiscard]] nlohmann::ordered_json loop_json(const LoopInfo& loop);
/// An array of these.
[[nodiscard]] nlohmann::ordered_json loops_json(const std::vector<LoopInfo>& loops);

/// "/dev/video4", or with split nodes "/dev/video4 -> /dev/video5".
[[nodiscard]] std::string nodes_text(const LoopInfo& loop);
/// "1 of 8 readers, writer mmap streaming"
[[nodiscard]] std::string users_text(const LoopInfo& loop);
/// A line for each loop: its nodes and its name.
[[nodiscard]] std::string loop_lines(const std::vector<LoopInfo>& loops);

} // namespace v4l2dma
