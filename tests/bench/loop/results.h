// SPDX-License-Identifier: MIT
#pragma once

#include "measure.h"
#include "path.h"
#include "strategy.h"

#include <string>
#include <vector>

/// One figure, measured once in each round.
struct Figure {
    std::vector<double> rounds{};
    void add(double value) { rounds.push_back(value); }
    /// @p share: 0 is the least, 0.5 the median, 0.99 the one that 1 of 100 exceeds.
    [[nodiscard]] double at(double share) const;
};

/// What was measured of what.
struct Case {
    const Module* module;
    const Strategy* strategy;
    Size size;
    unsigned readers = 1;

    /// Of one frame, as promised.
    [[nodiscard]] std::uint64_t expected_bytes() const;
    /// As the module counted it, or, of v4l2loopback, as its source says; and by the program that writes.
    [[nodiscard]] std::uint64_t copied_bytes(const Counted& counted) const;
};

struct Cost {
    Case of;
    Counted counted{};
    Figure cpu_us{};
    Figure frames_per_second{};
    std::string refused{}; ///< instead of all else: why it cannot be had
};

struct Flow {
    Case of;
    Figure delivered_per_second{};
    Figure written_per_second{};
    Figure cpu_us{};
};

struct Latency {
    Case of;
    Figure samples{}; ///< microseconds, of all rounds together
};

struct Results {
    std::vector<Size> sizes{};
    std::vector<Size> camera_sizes{}; ///< empty without a camera
    unsigned rounds = 0;
    std::string exporter{};
    std::vector<Cost> costs{};        ///< each strategy, one reader
    std::vector<Cost> camera_costs{}; ///< each strategy with a camera, one reader
    std::vector<Cost> reader_costs{}; ///< some of them, more readers
    std::vector<Flow> flows{};
    std::vector<Latency> latencies{};
};

/// Something that has to hold on any machine, however slow: a count, never a time.
struct Finding {
    std::string what;
    bool good;
};
std::vector<Finding> check(const Results& results);
