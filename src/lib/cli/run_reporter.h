// SPDX-License-Identifier: MIT
#pragma once

#include "cli/stats_line.h"
#include "flow/pump.h"
#include "flow/stamp_verifier.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace v4l2dma {

/// How a command tells, and how it is told to stop.
struct ReportOptions {
    std::string command; ///< "clone"
    bool json = false;
    /// StopSignals', borrowed. Once it is readable, whoever does not read stdout is not waited for. -1: none.
    int stop_fd = -1;
};

/// The summary, also of a run that failed with @p error. @p extra joins the "end" event.
[[nodiscard]] Status report_end(const ReportOptions& options, const PumpResult& result,
                                const std::optional<Error>& error,
                                const nlohmann::ordered_json& extra = nlohmann::ordered_json::object());

/// What --verify found joins the members of an "end" event: "verified", and "stamp" among the "faults".
void add_stamps(nlohmann::ordered_json& end, const StampVerifier& verifier);
/// The same for people.
void say_stamps(std::string_view command, const StampVerifier& verifier);

/// What a command that moves frames says while it runs, for people on stderr or (`--json`) as NDJSON on
/// stdout: one "start", a "stats" per interval, one "end", each an object with its name in "event". A "stats"
/// for which stdout has no room is left out: the frames do not wait for it. The others wait.
class RunReporter final : public PumpListener {
public:
    struct Options {
        ReportOptions report;
        std::chrono::milliseconds interval{1000}; ///< 0: no statistics in between
        std::string waiting; ///< said once if no frame came within the first interval; may be empty
    };

    /// Source and sink are borrowed for their names and the format.
    RunReporter(Options options, const Source& source, const Sink& sink);

    [[nodiscard]] Status started(const Path& path) override;
    [[nodiscard]] Status progress(const Path& path, const StatisticsReport& report) override;
    /// report_end(), after the live line.
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
