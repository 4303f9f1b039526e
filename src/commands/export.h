// SPDX-License-Identifier: MIT
#pragma once

#include <span>

namespace v4l2dma {

/// `v4l2dma export`; @p arguments are the words after it. Answers the exit code.
[[nodiscard]] int run_export(std::span<char*> arguments);

} // namespace v4l2dma
