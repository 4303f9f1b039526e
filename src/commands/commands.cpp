// SPDX-License-Identifier: MIT
#include "commands/commands.h"

#include "commands/clone.h"
#include "commands/export.h"
#include "commands/inspect.h"
#include "commands/load.h"
#include "commands/play.h"

namespace v4l2dma {

namespace {

constexpr Command table[] = {
    {"load", "Load the kernel module and say which devices came", run_load},
    {"clone", "Send a capture device's frames, or a film's, into an output device", run_clone},
    {"play", "Take a loop's frames as a consumer; count and verify them", run_play},
    {"export", "Write a source's frames to a film, a picture, or as they are", run_export},
    {"inspect", "Show what video devices are, and which memory they really take", run_inspect},
};

} // namespace

std::span<const Command> commands() {
    return table;
}

} // namespace v4l2dma
