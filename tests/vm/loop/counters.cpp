// SPDX-License-Identifier: MIT
// Prints members of the loop's state, for the cases in tests/vm/cases: asked often, in a slow guest, and not
// of the program under test.
//
// Usage: v4l2dma_loop_counters /dev/videoN NAME...
// Prints the values in one line; ends with 1 if there is no such loop, 2 if there is no such name.
#include "find_loop.h"

#include <cstdio>
#include <fcntl.h>
#include <map>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
    const int control = ::open(V4L2DMA_CONTROL_NODE, O_RDWR | O_CLOEXEC);
    const auto info = argc < 3 || control < 0 ? std::nullopt : find_loop(control, argv[1]);
    v4l2dma_loop_stats stats{};
    stats.id = info ? info->id : 0;
    if (!info || ::ioctl(control, V4L2DMA_IOC_STATS, &stats) != 0) {
        std::perror("v4l2dma_loop_counters");
        return 1;
    }
    const std::map<std::string, unsigned long long> values = {
        {"slots", info->slots},
        {"readers", info->readers},
        {"readers_streaming", info->readers_streaming},
        {"writer", info->writer_memory},
        {"frames", stats.frames},
        {"copies", stats.copies},
        {"copied_bytes", stats.copied_bytes},
        {"reclaimed", stats.reclaimed},
        {"openers", info->openers},
        {"dropped", stats.dropped},
        {"delivered", stats.delivered},
        {"placeholders", stats.placeholders},
        {"repeated", stats.repeated},
    };
    for (int argument = 2; argument < argc; ++argument) {
        const auto found = values.find(argv[argument]);
        if (found == values.end()) {
            std::fprintf(stderr, "v4l2dma_loop_counters: there is no '%s'\n", argv[argument]);
            return 2;
        }
        std::printf("%s%llu", argument == 2 ? "" : " ", found->second);
    }
    std::printf("\n");
    ::close(control);
    return 0;
}
