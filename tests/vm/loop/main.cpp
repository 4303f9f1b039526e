// SPDX-License-Identifier: MIT
// V4L2DMA_LOOP names the loop's node, V4L2DMA_EXPORTER a capture node of another driver whose buffers can be
// exported (vivid).
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
