// SPDX-License-Identifier: MIT
#pragma once

#include "cli/flow_options.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace v4l2dma {

/// What a command that moves frames from a source to a sink is, but for its two ends: how it runs and what it
/// tells. All is borrowed for the run.
struct FlowRun {
    std::string command; ///< "clone"
    bool json = false;
    const RunOptions& options;
    PathWishes path{};
    std::function<void(PumpOptions&)> adjust{};        ///< what the options do not say; may be empty
    std::function<nlohmann::ordered_json()> members{}; ///< that join the "end" event; likewise
    std::function<void()> say{};                       ///< the same for people; likewise
};

/// From the first frame to the last: with the observers that the options ask for, reports on the way, and at
/// the end what the sink and the observers think of the frames. Answers the exit code.
[[nodiscard]] int run_flow(const FlowRun& run, Source& source, Sink& sink, const StopSignals& signals);

/// For an end that could not be opened: report(), or done where the user did not want to wait any longer.
[[nodiscard]] int report_unopened(const Error& error, const StopSignals& signals);

} // namespace v4l2dma
