// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace v4l2dma {

/// `v4l2dma clone`: a capture device's frames into an output device.
[[nodiscard]] int run_clone(std::span<char*> arguments);

} // namespace v4l2dma
