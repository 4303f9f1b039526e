// SPDX-License-Identifier: MIT
#include "cli/run_reporter.h"

#include "base/log.h"
#include "cli/output.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

using Json = nlohmann::ordered_json;

std::uint64_t copied_per_frame(const StatisticsReport& report) {
    return report.frames == 0 ? 0 : report.copied_bytes / report.frames;
}

StatsValues values_of(const Path& path, const StatisticsReport& report) {
    StatsValues values;
    values.fps = report.fps;
    values.frames = report.frames;
    values.dropped = report.dropped;
    values.latency_ms = report.latency_ms;
    values.no_signal = report.no_signal;
    values.path = path.strategy->name;
    values.copied_bytes_per_frame = copied_per_frame(report);
    return values;
}

Json event(std::string_view name, const Json& members) {
    Json json;
    json["event"] = name;
    json.update(members);
    return json;
}

Json optional_number(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// Left out where nobody takes it.
Status write_if_taken(const Json& json) {
    Status written = write_json_line(json, {.limit = std::chrono::milliseconds(0)});
    return !written && written.error().code == ETIMEDOUT ? Status{} : written;
}

std::string summary(const PumpResult& result) {
    const StatisticsReport& total = result.total;
    std::string text =
        fmt::format("{} frames in {:.1f} s ({:.1f} fps), {} dropped", total.frames,
                    std::chrono::duration<double>(total.elapsed).count(), total.fps, total.dropped);
    if (total.no_signal > 0)
        text += fmt::format(", {} without a signal", total.no_signal);
    if (total.corrupt > 0)
        text += fmt::format(", {} bad", total.corrupt);
    if (total.latency_ms && total.max_latency_ms)
        text += fmt::format(", latency {:.1f} ms (at most {:.1f})", *total.latency_ms, *total.max_latency_ms);
    if (result.path)
        text += fmt::format(", path {}: {} bytes copied per frame", result.path->strategy->name,
                            copied_per_frame(total));
    return text;
}

} // namespace

RunReporter::RunReporter(Options options, const Source& source, const Sink& sink)
    : options_(std::move(options)), source_(source), sink_(sink), line_(options_.interval) {}

std::chrono::microseconds RunReporter::pump_interval() const noexcept {
    using namespace std::chrono_literals;
    return options_.interval > 0ms ? options_.interval : 1h;
}

Status RunReporter::started(const Path& path, std::uint64_t copied_bytes) {
    const FrameFormat& format = source_.format();
    const Strategy& strategy = *path.strategy;
    const Conversion* const conversion = sink_.conversion();
    const FrameFormat& output = conversion == nullptr ? format : conversion->to;
    if (options_.report.json)
        return tell("start", {{"command", options_.report.command},
                              {"source", source_.name()},
                              {"sink", sink_.name()},
                              {"format", format.fourcc.text()},
                              {"width", format.width},
                              {"height", format.height},
                              {"bytesperline", format.bytesperline()},
                              {"sizeimage", format.sizeimage()},
                              {"output_format", output.fourcc.text()},
                              {"output_width", output.width},
                              {"output_height", output.height},
                              {"path", strategy.name},
                              {"zero_copy", path.zero_copy()},
                              {"copied_bytes_per_frame", copied_bytes}});
    const std::string change =
        output.text() == format.text() ? "" : fmt::format(", converted to {}", output.text());
    spdlog::info("{}: {} from {} to {}{}, {} ({}): {} bytes copied per frame", options_.report.command,
                 format.text(), source_.name(), sink_.name(), change, strategy.name, strategy.text,
                 copied_bytes);
    return {};
}

Status RunReporter::tell(std::string_view name, const Json& members) const {
    return write_json_line(event(name, members), {.limit = {}, .stop_fd = options_.report.stop_fd});
}

Status RunReporter::interrupted(std::string_view why) {
    line_.clear();
    if (options_.report.json)
        return tell("interrupted", {{"reason", why}});
    spdlog::warn("{}: {}", options_.report.command, why);
    return {};
}

Status RunReporter::awaits(std::string_view what) {
    line_.clear();
    if (options_.report.json)
        return tell("waiting", {{"for", what}});
    spdlog::info("{}: waiting for {}", options_.report.command, what);
    return {};
}

// Whoever waits for a picture must not be left to guess. One or two bad frames are no news.
void RunReporter::say_if_all_bad(const StatisticsReport& report) {
    constexpr std::uint64_t many = 3;
    if (report.frames != frames_before_) {
        frames_before_ = report.frames;
        corrupt_before_ = report.corrupt;
        only_bad_said_ = false;
    } else if (!only_bad_said_ && report.corrupt >= corrupt_before_ + many) {
        only_bad_said_ = true;
        spdlog::warn("{}: every frame of {} is bad now ({} so far)", options_.report.command, source_.name(),
                     report.corrupt);
    }
}

Status RunReporter::progress(const Path& path, const StatisticsReport& report) {
    say_if_all_bad(report);
    if (report.frames == 0 && report.corrupt == 0 && !waiting_said_ && !options_.waiting.empty()) {
        waiting_said_ = true;
        spdlog::info("{}", options_.waiting);
    }
    if (options_.interval.count() == 0 || (report.frames == 0 && !options_.report.json))
        return {};
    const StatsValues values = values_of(path, report);
    if (options_.report.json)
        return write_if_taken(event("stats", stats_json(values)));
    line_.update(values);
    return {};
}

Status RunReporter::finish(const PumpResult& result, const std::optional<Error>& error, const Json& extra) {
    line_.clear();
    return report_end(options_.report, result, error, extra);
}

void add_stamps(Json& end, const StampVerifier& verifier) {
    end["verified"] = verifier.verified();
    end["faults"]["stamp"] = verifier.faults();
}

void say_stamps(std::string_view command, const StampVerifier& verifier) {
    if (verifier.verified() == 0)
        spdlog::warn("{}: no frame had a stamp to verify", command);
    else
        spdlog::info("{}: {} stamps were right", command, verifier.verified());
}

Status report_end(const ReportOptions& options, const PumpResult& result, const std::optional<Error>& error,
                  const Json& extra) {
    const StatisticsReport& total = result.total;
    if (!options.json) {
        // A run that never got a frame through has nothing to sum up but its error.
        if (total.frames > 0 || !error)
            spdlog::info("{}: {}", options.command, summary(result));
        return {};
    }
    Json json = event("end", {{"frames", total.frames},
                              {"dropped", total.dropped},
                              {"corrupt", total.corrupt},
                              {"no_signal", total.no_signal},
                              {"copied_bytes", total.copied_bytes},
                              {"seconds", std::chrono::duration<double>(total.elapsed).count()},
                              {"fps", total.fps},
                              {"latency_ms", optional_number(total.latency_ms)},
                              {"max_latency_ms", optional_number(total.max_latency_ms)},
                              {"interrupted", result.interrupted}});
    json["path"] = result.path ? Json(result.path->strategy->name) : Json(nullptr);
    json.update(extra);
    json["error"] = error ? Json(error->message()) : Json(nullptr);
    WritePatience patience{.limit = {}, .stop_fd = options.stop_fd};
    if (result.interrupted) // the signal has been taken
        patience.limit = patience.hurried;
    return write_json_line(json, patience);
}

} // namespace v4l2dma
