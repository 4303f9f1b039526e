# SPDX-License-Identifier: MIT
option(V4L2DMA_WERROR "Treat warnings as errors (CI does)" OFF)

add_library(v4l2dma_warnings INTERFACE)
target_compile_options(v4l2dma_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough
    $<$<BOOL:${V4L2DMA_WERROR}>:-Werror>)
