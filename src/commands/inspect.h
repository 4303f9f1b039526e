// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace v4l2dma {

/// `v4l2dma inspect`: what video devices are, and which memory their sides really take.
[[nodiscard]] int run_inspect(std::span<char*> arguments);

} // namespace v4l2dma
