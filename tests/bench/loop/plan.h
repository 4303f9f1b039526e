// SPDX-License-Identifier: MIT
#pragma once

#include "results.h"

/// What is measured, and how long.
struct Plan {
    std::vector<Size> sizes;
    std::vector<Size> camera_sizes;
    std::vector<unsigned> readers;
    unsigned rounds;
    unsigned counted; ///< frames
    Effort cost;
    Effort latency;
    double flow_seconds;
};

/// Minutes, also on an emulated machine.
Plan full_plan(unsigned rounds);
/// Small pictures, a few frames: whether it works, and the counts.
Plan quick_plan();

/// Where frames come from.
struct Sources {
    std::string exporter; ///< as Exporter has it
    std::string camera;   ///< its node; empty: without one
};

/// The results refer to @p modules. Throws std::runtime_error.
Results measure(const Plan& plan, const std::vector<Module>& modules, const Sources& sources);
