// SPDX-License-Identifier: MIT
#include "commands/commands.h"

namespace v4l2dma {

std::span<const Command> commands() { return {}; }

} // namespace v4l2dma
