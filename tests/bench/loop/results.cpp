// SPDX-License-Identifier: MIT
#include "results.h"

#include <algorithm>
#include <numeric>

double Figure::at(double share) const {
    if (rounds.empty())
        return 0;
    std::vector<double> sorted = rounds;
    std::ranges::sort(sorted);
    return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

std::uint64_t Case::expected_bytes() const {
    const unsigned copies = strategy->copies * (strategy->shared ? 1 : readers);
    return std::uint64_t{copies} * size.bytes();
}

std::uint64_t Case::copied_bytes(const Counted& counted) const {
    const std::uint64_t by_module = module->ours ? counted.copied_bytes / counted.frames : expected_bytes();
    return by_module + std::uint64_t{strategy->own_copies} * size.bytes();
}

namespace {

std::string name_of(const Case& of) {
    return of.module->name + " " + of.strategy->name + " " + of.size.name() + " with " +
           std::to_string(of.readers) + " reader(s)";
}

std::uint64_t calls(const Cost& cost, const std::string& name) {
    const auto found = cost.counted.calls.find(name);
    return found == cost.counted.calls.end() ? 0 : found->second;
}

std::uint64_t all_calls(const Cost& cost) {
    return std::accumulate(cost.counted.calls.begin(), cost.counted.calls.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& each) { return sum + each.second; });
}

Finding bytes_are_right(const Cost& cost) {
    const std::uint64_t expected = cost.of.expected_bytes() * cost.counted.frames;
    return {name_of(cost.of) + ": " + std::to_string(cost.counted.copied_bytes) + " bytes copied of " +
                std::to_string(cost.counted.frames) + " frames, " + std::to_string(expected) + " expected",
            cost.counted.frames > 0 && cost.counted.copied_bytes == expected};
}

/// No device's, kernel's or process' mapping of the frame is made or flushed, and none of its pages is
/// touched for the first time: nothing is left that could grow with it.
Finding nothing_can_grow(const Cost& cost) {
    return {name_of(cost.of) + ": " + std::to_string(all_calls(cost)) +
                " calls that work on the dma-buf and " + std::to_string(cost.counted.faults) +
                " page faults, none expected",
            all_calls(cost) == 0 && cost.counted.faults == 0};
}

/// What is counted above can be counted at all: here it does happen.
Finding calls_are_counted(const Cost& cost, const std::string& name) {
    return {name_of(cost.of) + ": " + std::to_string(calls(cost, name)) + " calls of " + name + " for " +
                std::to_string(cost.counted.frames) + " frames, at least one each expected",
            calls(cost, name) >= cost.counted.frames};
}

} // namespace

std::vector<Finding> check(const Results& results) {
    std::vector<Finding> findings;
    for (const auto* list : {&results.costs, &results.camera_costs, &results.reader_costs})
        for (const Cost& cost : *list)
            if (cost.of.module->ours)
                findings.push_back(bytes_are_right(cost));
    // Further readers are part of it; a camera is not, it maps what it fills.
    for (const Cost& cost : results.reader_costs)
        if (cost.of.module->ours && cost.of.strategy->copies == 0)
            findings.push_back(nothing_can_grow(cost));
    for (const Cost& cost : results.costs) {
        if (!cost.of.module->ours)
            continue;
        if (cost.of.strategy->reading == Reading::remapped)
            findings.push_back(calls_are_counted(cost, "mmap"));
        else if (cost.of.strategy->copies == 0)
            findings.push_back(nothing_can_grow(cost));
        else if (cost.of.strategy->writing == Writing::import)
            findings.push_back(calls_are_counted(cost, "vmap"));
    }
    return findings;
}
