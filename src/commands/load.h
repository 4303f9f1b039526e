// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace v4l2dma {

/// `v4l2dma load`: loads, reloads or unloads the kernel module.
[[nodiscard]] int run_load(std::span<char*> arguments);

} // namespace v4l2dma
