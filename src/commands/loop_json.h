// SPDX-License-Identifier: MIT
#pragma once

#include "loop/control.h"

#include <nlohmann/json.hpp>

namespace v4l2dma {

/// What a loop is set to, as `load` and `inspect` print it.
[[nodiscard]] nlohmann::ordered_json settings_json(const LoopConfig& config);
/// What it does now: slots, openers, writer, readers.
[[nodiscard]] nlohmann::ordered_json state_json(const LoopInfo& loop);

} // namespace v4l2dma
