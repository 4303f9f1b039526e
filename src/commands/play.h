// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace v4l2dma {

/// `v4l2dma play`: takes frames as a consumer does, counts and verifies them.
[[nodiscard]] int run_play(std::span<char*> arguments);

} // namespace v4l2dma
