// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

struct Size {
    unsigned width;
    unsigned height;
    [[nodiscard]] std::size_t bytes() const { return std::size_t{2} * width * height; } // YUYV
    [[nodiscard]] std::string name() const { return std::to_string(width) + "x" + std::to_string(height); }
};

/// A kernel module that is measured.
struct Module {
    std::string name;
    std::string node;
    bool ours; ///< has the control node, and thus counters
};

/// Buffers on each side; with v4l2loopback max_buffers has to be this.
inline constexpr unsigned buffers = 4;
