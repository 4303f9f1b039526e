# SPDX-License-Identifier: MIT
option(V4L2DMA_WERROR "Treat warnings as errors (CI does)" OFF)

# Not -Wnull-dereference: with GCC 12 and -O2 it sees null pointers inside std::vector<std::string> when CLI11's
# templates are inlined around it, and which file is hit changes with every edit. -fsanitize finds the real ones.
add_library(v4l2dma_warnings INTERFACE)
target_compile_options(v4l2dma_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough
    $<$<BOOL:${V4L2DMA_WERROR}>:-Werror>)
