// SPDX-License-Identifier: MIT
#include "cli/run_reporter.h"

#include "base/log.h"
#include "cli/output.h"
#include "cli/table.h"

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
    values.corrupt = report.corrupt;
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

/// What the CPU moves of each frame, as the path turned out.
unsigned copies_of(const Path& path, const Source& source, std::span<const SinkPart> parts) {
    if (parts.empty())
        return path.copies;
    unsigned sum = source.copies(path.strategy->source);
    for (const SinkPart& part : parts)
        sum += part.copies;
    return sum;
}

Json role_of(const SinkPart& part) {
    return part.role ? Json(to_text(*part.role)) : Json(nullptr);
}

std::uint64_t copied_per_frame(const SinkPart& part) {
    return part.frames == 0 ? 0 : part.copied_bytes / part.frames;
}

Json output_members(const FrameFormat& format) {
    return {{"output_format", format.fourcc.text()},
            {"output_width", format.width},
            {"output_height", format.height}};
}

Json begun(std::span<const SinkPart> parts, const FrameFormat& format) {
    Json list = Json::array();
    for (const SinkPart& part : parts) {
        Json members{{"name", part.name}, {"role", role_of(part)}};
        members.update(output_members(part.converted.value_or(format)));
        members["copied_bytes_per_frame"] = part.first_copied_bytes;
        list.push_back(members);
    }
    return list;
}

Json ended(std::span<const SinkPart> parts) {
    Json list = Json::array();
    for (const SinkPart& part : parts)
        list.push_back({{"name", part.name},
                        {"role", role_of(part)},
                        {"frames", part.frames},
                        {"dropped", part.dropped},
                        {"corrupt", part.corrupt},
                        {"copied_bytes", part.copied_bytes},
                        {"error", part.failure ? Json(part.failure->message()) : Json(nullptr)}});
    return list;
}

std::string outcome(const Negotiation::Attempt& attempt) {
    if (attempt.obstacle.empty())
        return "taken";
    return (attempt.tried ? "failed: " : "not tried: ") + attempt.obstacle;
}

std::string summary(const SinkPart& part) {
    return fmt::format("{} frames, {} dropped{}, {}: {} bytes copied per frame", part.frames, part.dropped,
                       part.corrupt > 0 ? fmt::format(", {} bad", part.corrupt) : "",
                       part.role ? to_text(*part.role) : "failed", copied_per_frame(part));
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
    const std::vector<SinkPart> parts = sink_.parts();
    const bool zero_copy = strategy.moves_dmabufs() && copies_of(path, source_, parts) == 0;
    const Conversion* const conversion = parts.empty() ? sink_.conversion() : nullptr;
    const FrameFormat& output = conversion == nullptr ? format : conversion->to;
    if (options_.report.json) {
        Json members{{"command", options_.report.command},
                     {"source", source_.name()},
                     {"sink", sink_.name()},
                     {"format", format.fourcc.text()},
                     {"width", format.width},
                     {"height", format.height},
                     {"bytesperline", format.bytesperline()},
                     {"sizeimage", format.sizeimage()}};
        members.update(output_members(output));
        members.update(
            {{"path", strategy.name}, {"zero_copy", zero_copy}, {"copied_bytes_per_frame", copied_bytes}});
        if (!parts.empty())
            members["sinks"] = begun(parts, format);
        return tell("start", members);
    }
    const std::string change =
        output.text() == format.text() ? "" : fmt::format(", converted to {}", output.text());
    spdlog::info("{}: {} from {} to {}{}, {} ({}): {} bytes copied per frame", options_.report.command,
                 format.text(), source_.name(), sink_.name(), change, strategy.name, strategy.text,
                 copied_bytes);
    for (const SinkPart& part : parts)
        spdlog::info("{}: {} {}{}, {} bytes copied per frame", options_.report.command, part.name,
                     part.role ? to_text(*part.role) : "failed",
                     part.converted ? ", converted to " + part.converted->text() : "",
                     part.first_copied_bytes);
    return {};
}

Status RunReporter::tell(std::string_view name, const Json& members) const {
    return write_json_line(event(name, members), {.limit = {}, .stop_fd = options_.report.stop_fd});
}

void RunReporter::negotiated(std::span<const Negotiation::Attempt> attempts) {
    if (!spdlog::should_log(spdlog::level::debug) || attempts.empty())
        return;
    Table table({"path", "copies", "source", "sink", "what became of it"});
    for (const Negotiation::Attempt& attempt : attempts)
        table.add({std::string(attempt.strategy->name), std::to_string(attempt.copies),
                   std::string(to_text(attempt.strategy->source)),
                   std::string(to_text(attempt.strategy->sink)), outcome(attempt)});
    std::string text = table.text(2);
    text.pop_back(); // the log ends its lines
    spdlog::debug("paths from {} to {}, best first:\n{}", source_.name(), sink_.name(), text);
}

Status RunReporter::demand(bool wanted) {
    if (options_.report.json)
        return tell(wanted ? "awake" : "asleep", Json::object());
    spdlog::info("{}: {}", options_.report.command,
                 wanted ? fmt::format("somebody reads, {} runs", source_.name())
                        : fmt::format("nobody reads, {} sleeps", source_.name()));
    return {};
}

Status RunReporter::interrupted(std::string_view why) {
    if (options_.report.json)
        return tell("interrupted", {{"reason", why}});
    spdlog::warn("{}: {}", options_.report.command, why);
    return {};
}

Status RunReporter::awaits(std::string_view what) {
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
    StatsValues values = values_of(path, report);
    values.progress = source_.progress();
    if (options_.report.json)
        return write_if_taken(event("stats", stats_json(values)));
    line_.update(values);
    return {};
}

Status RunReporter::finish(const PumpResult& result, const std::optional<Error>& error, const Json& extra) {
    line_.clear();
    const std::vector<SinkPart> parts = sink_.parts();
    Json members = extra;
    if (!parts.empty())
        members["sinks"] = ended(parts);
    Status status = report_end(options_.report, result, error, members);
    for (const SinkPart& part : parts)
        if (!options_.report.json && (result.total.frames > 0 || !error))
            spdlog::info("{}: {}: {}", options_.report.command, part.name, summary(part));
    return status;
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
