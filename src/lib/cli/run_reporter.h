// SPDX-License-Identifier: MIT
#pragma once

#include "cli/stats_line.h"
#include "flow/pump.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace v4l2dma {

/// What a command that moves frames says while it runs, for people on stderr or (`--json`) as NDJSON on
/// stdout: one "start", a "stats" per interval, one "end", each an object with its name in "event".
class RunReporter final : public PumpListener {
public:
    struct Options {
        std::string command; ///< "clone"
        bool json = false;
        std::chrono::milliseconds interval{1000}; ///< 0: no statistics in between
        std::string waiting; ///< said once if no frame came within the first interval; may be empty
    };

    /// Source and sink are borrowed for their names and the format.
    RunReporter(Options options, const Source& source, const Sink& sink);

    [[nodiscard]] Status started(const Strategy& strategy) override;
    [[nodiscard]] Status progress(const Strategy& strategy, const StatisticsReport& report) override;
    /// The summary, also of a run that failed with @p error. @p extra joins the "end" event.
    [[nodiscard]] Status finish(const PumpResult& result, const std::optional<Error>& error,
                                const nlohmann::ordered_json& extra = nlohmann::ordered_json::object());

    /// The interval for PumpOptions: an hour stands for "never".
    [[nodiscard]] std::chrono::microseconds pump_interval() const noexcept;

private:
    Options options_;
    const Source& source_;
    const Sink& sink_;
    StatsLine line_;
    bool waiting_said_ = false;
};

} // namespace v4l2dma
