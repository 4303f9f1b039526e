// SPDX-License-Identifier: MIT
#include "commands/export.h"

#include "cli/exit_code.h"
#include "cli/file_options.h"
#include "cli/flow_run.h"
#include "flow/media_sink.h"
#include "flow/open_endpoint.h"
#include "media/media_opening.h"

#include <cmath>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

struct ExportOptions {
    std::string input;
    std::string output;
    CaptureOptions capture;
    OutputOptions conversion;
    FileOptions file;
    std::optional<double> duration; ///< seconds
    RunOptions run;

    void add_to(CommandLine& line);
    [[nodiscard]] OutputWishes wishes() const;
    [[nodiscard]] CaptureWishes source_wishes(const ExportTarget& target) const;
    [[nodiscard]] Packets packets_wish(const ExportTarget& target) const;
};

void ExportOptions::add_to(CommandLine& line) {
    line.app()
        .add_option(
            "-i,--input", input,
            "Capture device: path, number, card label, or bus info; a film: file, URL, or - for standard "
            "input; or test:PATTERN[,WxH][,FORMAT][,FPS]")
        ->required()
        ->type_name("SRC");
    line.app()
        .add_option(
            "-o,--output", output,
            "File to write, by its extension: a film (.mkv, .mp4, .ts, ..), .png, .y4m, or raw frames "
            "(.raw, .yuv, .nv12, ..); a URL; or - for standard output")
        ->required()
        ->type_name("FILE");
    file.add_to(line);
    line.app()
        .add_option("--duration", duration, "Stop after so many seconds of frames, by their timestamps")
        ->type_name("SECONDS")
        ->check(real_range(0.001, 1e9));
    capture.add_to(line);
    add_playback(line, capture.wishes.playback);
    line.app().add_flag("--reconnect", capture.wishes.reconnect,
                        "Wait for a capture device that is unplugged; goes on with the next file (%d)");
    conversion.add_to(line);
    run.buffers = 10; // an encoder is not always as fast
    run.add_to(line);
    line.add_json("Print start, statistics and end as JSON, one object a line");
}

OutputWishes ExportOptions::wishes() const {
    OutputWishes wishes = conversion.wishes;
    wishes.file = file.wishes;
    wishes.file.fps = capture.wishes.fps; // one rate for both ends
    wishes.file.patience = run.patience();
    wishes.file.frames = run.frames;
    wishes.file.duration = duration;
    wishes.file.lossless = file.wishes.lossless || is_media_name(input); // a film can wait
    return wishes;
}

/// A film is read as fast as it can be written, but for who watches meanwhile; and as it is compressed, where
/// nothing has to be done with its pictures.
CaptureWishes ExportOptions::source_wishes(const ExportTarget& target) const {
    CaptureWishes wishes = capture.wishes;
    wishes.waits = file.wishes.lossless;
    if (!is_media_name(input))
        return wishes;
    wishes.playback.patience = run.patience();
    wishes.playback.unpaced = wishes.playback.unpaced || !target.url;
    wishes.playback.decode_times = target.kind == ExportKind::container;
    wishes.playback.packets = packets_wish(target);
    if (wishes.playback.packets == Packets::demanded)
        wishes.playback.keep_pixels = true; // how they are to be shown is noted in the file
    return wishes;
}

Packets ExportOptions::packets_wish(const ExportTarget& target) const {
    if (target.kind != ExportKind::container || capture.wishes.any_format() || capture.wishes.fps)
        return Packets::never;
    if (capture.wishes.playback.hwaccel || capture.wishes.playback.decoder) // to be decoded
        return Packets::never;
    if (file.wishes.codec == "copy")
        return Packets::demanded;
    const bool encoded =
        conversion.wishes.any() || file.wishes.bitrate || file.wishes.preset || file.wishes.codec;
    return encoded ? Packets::never : Packets::preferred;
}

bool is_one_picture(const MediaSink& sink) {
    return sink.target().kind == ExportKind::png && !sink.target().numbered;
}

/// The two ends, opened. The sink borrows nothing from the source.
struct Ends {
    std::unique_ptr<MediaSink> sink;
    std::unique_ptr<Source> source;
};

// The file first: nothing is set on a camera for one that cannot be written.
Result<Ends> open_ends(const ExportOptions& options) {
    if (Status status = options.run.check_files(); !status)
        return std::unexpected(std::move(status.error()));
    Result<std::unique_ptr<MediaSink>> sink = MediaSink::open(options.output, options.wishes());
    if (!sink)
        return std::unexpected(std::move(sink.error()));
    if (is_one_picture(**sink) && options.run.frames.value_or(1) > 1)
        return make_error(ErrorKind::usage, "--frames", options.output, "one picture has one frame",
                          "Put a %d into the name, as in picture-%03d.png");
    Result<std::unique_ptr<Source>> source =
        open_source(options.input, options.source_wishes((*sink)->target()));
    if (!source)
        return std::unexpected(std::move(source.error()));
    return Ends{.sink = std::move(*sink), .source = std::move(*source)};
}

nlohmann::ordered_json written_members(const MediaSink& sink) {
    const ExportSummary& summary = sink.summary();
    nlohmann::ordered_json json;
    json["written"] = {{"name", sink.name()},
                       {"container", summary.container},
                       {"codec", summary.codec},
                       {"files", summary.files},
                       {"frames", summary.frames},
                       {"bytes", summary.bytes},
                       {"seconds", std::chrono::duration<double>(summary.duration).count()},
                       {"unreadable", sink.unreadable()}};
    return json;
}

void say_written(const MediaSink& sink) {
    const ExportSummary& summary = sink.summary();
    if (summary.files == 0)
        return;
    spdlog::info("export: {}: {} frames, {:.3f} s, {} bytes{}, {}{}{}", sink.name(), summary.frames,
                 std::chrono::duration<double>(summary.duration).count(), summary.bytes,
                 summary.files > 1 ? fmt::format(" in {} files", summary.files) : "", summary.container,
                 summary.codec == summary.container ? "" : " " + summary.codec,
                 sink.unreadable() > 0 ? fmt::format(", {} unreadable left out", sink.unreadable()) : "");
}

void adjust(PumpOptions& pump, const ExportOptions& options, const MediaSink& sink) {
    if (options.duration)
        pump.time_limit = std::chrono::microseconds(std::llround(*options.duration * 1e6));
    if (is_one_picture(sink)) // ends by itself, with the first that can be read
        pump.frame_limit.reset();
}

void say_what_players_need(const MediaSink& sink) {
    const ExportTarget& target = sink.target();
    if (target.kind == ExportKind::container && target.container() == "rtp" && !target.sdp)
        spdlog::info("export: {}: players need a description of this stream; --sdp FILE writes it",
                     sink.name());
}

int export_frames(const ExportOptions& options, bool json) {
    const Result<StopSignals> signals = StopSignals::create();
    if (!signals)
        return report(signals.error());
    if (const Status status =
            options.file.check_names(options.input, {options.output}, options.run.frame_log, json);
        !status)
        return report(status.error());
    const Result<Ends> ends = open_ends(options);
    if (!ends)
        return report_unopened(ends.error(), *signals);
    MediaSink& sink = *ends->sink;
    say_what_players_need(sink);
    return run_flow({.command = "export",
                     .json = json,
                     .options = options.run,
                     .path = {.buffers = options.run.buffers},
                     .adjust = [&](PumpOptions& pump) { adjust(pump, options, sink); },
                     .members = [&] { return written_members(sink); },
                     .say = [&] { say_written(sink); }},
                    *ends->source, sink, *signals);
}

} // namespace

int run_export(std::span<char*> arguments) {
    CommandLine line("export", "Write a source's frames to a film, a picture, or as they are");
    ExportOptions options;
    options.add_to(line);
    if (const std::optional<int> code = line.parse(arguments))
        return *code;
    const PlaybackWishes& playback = options.capture.wishes.playback;
    if (options.file.wishes.codec == "copy" && (playback.hwaccel || playback.decoder))
        return line.usage_error("--codec copy decodes nothing: leave --hwaccel and --decoder away");
    return export_frames(options, line.json());
}

} // namespace v4l2dma
