// SPDX-License-Identifier: MIT
#pragma once

#include <uapi/v4l2dma.h>

/// The counters and the state of the loop under test, from /dev/v4l2dma.
v4l2dma_loop_stats loop_stats();
v4l2dma_loop_info loop_info();
/// The index-th reader now.
v4l2dma_reader_stats reader_stats(unsigned index);

/// How far the counters moved since it was made.
class Counting {
public:
    Counting() : start_(loop_stats()) {}
    [[nodiscard]] auto copies() const { return loop_stats().copies - start_.copies; }
    [[nodiscard]] auto copied_bytes() const { return loop_stats().copied_bytes - start_.copied_bytes; }
    [[nodiscard]] auto frames() const { return loop_stats().frames - start_.frames; }
    [[nodiscard]] auto delivered() const { return loop_stats().delivered - start_.delivered; }
    [[nodiscard]] auto dropped() const { return loop_stats().dropped - start_.dropped; }
    [[nodiscard]] auto reclaimed() const { return loop_stats().reclaimed - start_.reclaimed; }
    [[nodiscard]] auto orphaned() const { return loop_stats().orphaned - start_.orphaned; }

private:
    v4l2dma_loop_stats start_;
};
