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
/// stdout: a "start" for each stream, a "stats" per interval, an "interrupted" where a stream ends that may
/// go on and a "waiting" for what it takes, one "end", each an object with its name in "event". A "stats" for
/// which stdout has no room is left out: the frames do not wait for it. The others wait.
class RunReporter final : public PumpListener {
public:
    struct Options {
        ReportOptions report;
        std::chrono::milliseconds interval{1000}; ///< 0: no statistics in between
        std::string waiting; ///< said once if no frame came within the first interval; may be empty
    };

    /// Source and sink are borrowed for their names and the format.
    RunReporter(Options options, const Source& source, const Sink& sink);

    [[nodiscard]] Status started(const Path& path, std::uint64_t copied_bytes) override;
    [[nodiscard]] Status progress(const Path& path, const StatisticsReport& report) override;
    /// With -v a table of what was tried, and why it was not taken.
    void negotiated(std::span<const Negotiation::Attempt> attempts) override;
    [[nodiscard]] Status demand(bool wanted) override;
    [[nodiscard]] Status interrupted(std::string_view why) override;
    [[nodiscard]] Status awaits(std::string_view what) override;
    /// Takes the live line off the terminal.
    void clear() { line_.clear(); }
    /// report_end(), after the live line.
    [[nodiscard]] Status finish(const PumpResult& result, const std::optional<Error>& error,
                                const nlohmann::ordered_json& extra = nlohmann::ordered_json::object());

    /// The interval for PumpOptions: an hour stands for "never".
    [[nodiscard]] std::chrono::microseconds pump_interval() const noexcept;

private:
    [[nodiscard]] Status tell(std::string_view name, const nlohmann::ordered_json& members) const;
    void say_if_all_bad(const StatisticsReport& report);

    Options options_;
    const Source& source_;
    const Sink& sink_;
    StatsLine line_;
    bool waiting_said_ = false;
    std::uint64_t frames_before_ = 0;  ///< when a good frame was last seen to have come
    std::uint64_t corrupt_before_ = 0; ///< likewise
    bool only_bad_said_ = false;
};

} // namespace v4l2dma
