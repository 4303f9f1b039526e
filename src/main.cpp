// SPDX-License-Identifier: MIT
#include "commands/commands.h"

int main() { return v4l2dma::commands().empty() ? 2 : 0; }
