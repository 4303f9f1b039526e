// SPDX-License-Identifier: MIT
// V4L2DMA_ALLOCATOR names the allocator under test, V4L2DMA_CAMERA and V4L2DMA_OUTPUT nodes that import
// (vivid).
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
