// SPDX-License-Identifier: MIT
#include "commands/play.h"

#include "base/atomic_file.h"
#include "cli/exit_code.h"
#include "cli/flow_options.h"
#include "cli/run_observers.h"
#include "flow/null_sink.h"
#include "flow/session.h"
#include "flow/snapshot.h"
#include "flow/v4l2_source.h"
#include "loop/control.h"
#include "media/ffmpeg.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

struct PlayOptions {
    std::string input;
    bool dmabuf = false;
    std::optional<std::uint32_t> width;
    std::optional<std::uint32_t> height;
    std::string display = "none";
    std::string snapshot;
    std::uint64_t snapshot_frame = 0;
    RunOptions run;

    void add_to(CommandLine& line);
    [[nodiscard]] Status check_files() const;
};

Status PlayOptions::check_files() const {
    if (!snapshot.empty()) {
        if (Status status = check_writable(snapshot); !status)
            return status;
        if (Status status = load_ffmpeg(); !status)
            return status;
    }
    return run.check_files();
}

void PlayOptions::add_to(CommandLine& line) {
    line.app()
        .add_option("-i,--input", input,
                    "Capture device: path, number, card label, or bus info (default: the first loop, one "
                    "with a writer first)")
        ->type_name("DEV");
    line.app().add_flag("--dmabuf", dmabuf, "Take the frames as dma-bufs, as a GPU or display would");
    add_pixels(line, "--width", width, "The width in pixels that the frames must have");
    add_pixels(line, "--height", height, "The height in pixels that the frames must have");
    line.app()
        .add_option("--display", display, "Where to show the frames: none (count and verify)")
        ->check(CLI::IsMember({"none"}))
        ->capture_default_str();
    CLI::Option* file =
        line.app().add_option("--snapshot", snapshot, "Write a frame to this PNG file")->type_name("FILE");
    line.app()
        .add_option("--snapshot-frame", snapshot_frame, "Which one, counted from 0")
        ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 62))
        ->needs(file)
        ->capture_default_str();
    run.add_to(line);
    line.add_json("Print start, statistics and end as JSON, one object a line");
}

/// Why a node may not be looked at, which may be a loop. Empty if they all may.
std::optional<Error> forbidden_node() {
    for (const std::string& path : real_system().video_nodes()) {
        Result<Device> device = Device::open(path);
        if (device || device.error().code != EACCES)
            continue;
        device.error().detail = "and there is no other loop that can be read";
        return std::move(device.error());
    }
    return std::nullopt;
}

/// The loop to play when the user names none: one with a writer before one without.
Result<Device> find_loop() {
    std::optional<Device> silent;
    std::string unwritten;
    for (Device& device : open_all_devices()) {
        if (!device.capability().is_loop())
            continue;
        if (!device.capability().is_capture()) { // exclusive_caps without a writer
            unwritten = device.path();
            continue;
        }
        if (has_signal(device))
            return std::move(device);
        if (!silent)
            silent.emplace(std::move(device));
    }
    if (silent)
        return std::move(*silent);
    if (!unwritten.empty())
        return make_error(ErrorKind::device, "play", unwritten, "nobody writes into it yet",
                          "Start a writer first, for example `v4l2dma clone`");
    if (std::optional<Error> forbidden = forbidden_node())
        return std::unexpected(std::move(*forbidden));
    return make_error(ErrorKind::device, "play", "", "there is no loop that can be read",
                      "`v4l2dma load` creates one; -i names another device");
}

/// The wish as it was said: "640x360", or one side of it.
std::string size_text(const PlayOptions& options) {
    if (options.width && options.height)
        return fmt::format("{}x{}", *options.width, *options.height);
    return options.width ? fmt::format("with width {}", *options.width)
                         : fmt::format("with height {}", options.height.value_or(0));
}

/// @p kind of the error: what was right when the command began is no wrong usage later.
Status check_size(const PlayOptions& options, const Source& source, ErrorKind kind) {
    const FrameFormat& format = source.format();
    if (options.width.value_or(format.width) == format.width &&
        options.height.value_or(format.height) == format.height)
        return {};
    return make_error(kind, "frames", size_text(options),
                      fmt::format("{} has {}", source.name(), format.text()),
                      "A reader gets what the writer sends; set the size there");
}

Result<std::unique_ptr<V4l2Source>> open_input(const PlayOptions& options) {
    Result<Device> device = options.input.empty() ? find_loop() : Device::open(options.input);
    if (!device)
        return std::unexpected(std::move(device.error()));
    Result<std::unique_ptr<V4l2Source>> source = V4l2Source::open(std::move(*device), {});
    if (!source)
        return source;
    if (Status status = check_size(options, **source, ErrorKind::usage); !status)
        return std::unexpected(std::move(status.error()));
    return source;
}

/// The loop's own counters, which only root may read: without them the end says nothing of them.
class LoopCounters {
public:
    explicit LoopCounters(const Device& device) {
        if (!device.capability().is_loop())
            return;
        Result<ControlNode> control = ControlNode::open();
        if (!control)
            return;
        const Result<std::optional<LoopInfo>> loop = control->find(device.number());
        if (!loop || !*loop)
            return;
        const Result<LoopStats> stats = control->stats((*loop)->id);
        if (!stats)
            return;
        id_ = (*loop)->id;
        begin_ = *stats;
    }

    /// What happened in the loop since the constructor, for all of its readers.
    [[nodiscard]] nlohmann::ordered_json difference() const {
        nlohmann::ordered_json json = nlohmann::ordered_json::object();
        const Result<ControlNode> control = id_ ? ControlNode::open() : std::unexpected(Error{});
        const Result<LoopStats> now = control ? control->stats(*id_) : std::unexpected(Error{});
        if (!now)
            return json;
        json["loop"] = {{"frames", now->frames - begin_.frames},
                        {"dropped", now->dropped - begin_.dropped},
                        {"copies", now->copies - begin_.copies},
                        {"copied_bytes", now->copied_bytes - begin_.copied_bytes}};
        return json;
    }

private:
    std::optional<std::uint32_t> id_;
    LoopStats begin_{};
};

void say_loop(const nlohmann::ordered_json& json) {
    if (json.contains("loop"))
        spdlog::info("play: meanwhile the loop passed on {} frames and copied {} bytes",
                     json["loop"]["frames"].get<std::uint64_t>(),
                     json["loop"]["copied_bytes"].get<std::uint64_t>());
}

/// What the frames themselves were like; an error if they broke a promise.
Status verdict(const NullSink& sink, const RunObservers& observers, const std::optional<Snapshot>& snapshot,
               std::string_view input) {
    if (Status status = sink.verdict(); !status) {
        status.error().object = input;
        return status;
    }
    if (snapshot && !snapshot->taken())
        return make_error(ErrorKind::system, "snapshot", input, "the stream ended before that frame");
    return observers.verdict(input);
}

nlohmann::ordered_json end_members(const NullSink& sink, const LoopCounters& counters) {
    nlohmann::ordered_json json;
    json["faults"] = {{"sequence", sink.faults().sequence},
                      {"timestamp", sink.faults().timestamp},
                      {"size", sink.faults().size}};
    json.update(counters.difference());
    return json;
}

/// What remains to be said at the end.
struct Finish {
    ReportOptions report_options;
    const PumpResult& result;
    const NullSink& sink;
    const LoopCounters& counters;
    const RunObservers& observers;

    [[nodiscard]] int operator()(const Status& outcome) const {
        nlohmann::ordered_json extra = end_members(sink, counters);
        observers.add_to(extra);
        const Status told = report_end(report_options, result,
                                       outcome ? std::nullopt : std::optional(outcome.error()), extra);
        if (!report_options.json) {
            say_loop(extra);
            observers.say("play");
        }
        if (!outcome)
            return report(outcome.error());
        return told ? to_int(ExitCode::done) : report(told.error());
    }
};

/// From the first frame to the last, over every format that the loop's writers choose meanwhile.
int play(const PlayOptions& options, bool json, const StopSignals& signals) {
    if (const Status status = options.check_files(); !status)
        return report(status.error());
    const Result<std::unique_ptr<V4l2Source>> opened = open_input(options);
    if (!opened)
        return report(opened.error());
    V4l2Source& source = **opened;
    RunObservers observers;
    std::optional<Snapshot> snapshot;
    if (!options.snapshot.empty())
        observers.add(snapshot.emplace(options.snapshot, options.snapshot_frame));
    if (const Status status = observers.create(options.run); !status)
        return report(status.error());
    const LoopCounters counters(source.device());
    NullSink sink(options.dmabuf);
    const ReportOptions report_options{.command = "play", .json = json, .stop_fd = signals.fd()};
    RunReporter listener({.report = report_options,
                          .interval = options.run.interval(),
                          .waiting = fmt::format("waiting for the first frame of {}", source.name())},
                         source, sink);
    Session session(
        source, sink,
        {.path = {.zero_copy = options.dmabuf, .buffers = options.run.buffers},
         .pump = options.run.pump_options(listener.pump_interval()),
         .accepts = [&](const FrameFormat&) { return check_size(options, source, ErrorKind::system); }},
        signals, listener, observers.all());
    const Status streamed = session.run();
    listener.clear();
    const Finish finish{report_options, session.result(), sink, counters, observers};
    return finish(streamed ? verdict(sink, observers, snapshot, source.name()) : streamed);
}

} // namespace

int run_play(std::span<char*> arguments) {
    CommandLine line("play", "Take a loop's frames as a consumer does; count and verify them");
    PlayOptions options;
    options.add_to(line);
    if (const std::optional<int> code = line.parse(arguments))
        return *code;
    const Result<StopSignals> signals = StopSignals::create();
    if (!signals)
        return report(signals.error());
    return play(options, line.json(), *signals);
}

} // namespace v4l2dma
