// SPDX-License-Identifier: MIT
#include "commands/clone.h"

#include "cli/exit_code.h"
#include "cli/file_options.h"
#include "cli/flow_run.h"
#include "dmabuf/allocator.h"
#include "flow/fan_out_sink.h"
#include "flow/open_endpoint.h"
#include "media/export_target.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

struct CloneOptions {
    std::string input;
    std::vector<std::string> outputs;
    bool dmabuf = false;
    CaptureOptions capture;
    OutputOptions conversion;
    FileOptions file;
    RunOptions run;
    MemoryOption memory;
    MemoryOption output_memory;
    std::string strategy;
    std::string heap;
    bool on_demand = false;

    void add_to(CommandLine& line);
    [[nodiscard]] PathWishes path_wishes() const;
};

void CloneOptions::add_to(CommandLine& line) {
    line.app()
        .add_option(
            "-i,--input", input,
            "Capture device: path, number, card label, or bus info; a film: file, URL, or - for standard "
            "input; or test:PATTERN[,WxH][,FORMAT][,FPS]")
        ->required()
        ->type_name("SRC");
    line.app()
        .add_option("-o,--output", outputs,
                    "Output device (a loop): path, number, card label, or bus info; or null:, or "
                    "a file as of export (film.mkv, ..). Repeatable: "
                    "each output gets every frame, where possible without a copy")
        ->required()
        ->allow_extra_args(false)
        ->type_name("DEV");
    capture.add_to(line);
    add_playback(line, capture.wishes.playback);
    line.app().add_flag("--reconnect", capture.wishes.reconnect,
                        "Wait for a capture device that is unplugged, and go on when it is back");
    line.app().add_flag("--on-demand", on_demand,
                        "Run the capture device only while somebody reads an output (loops of v4l2dma.ko)");
    conversion.add_to(line);
    file.add_to(line);
    run.add_to(line);
    line.app().add_flag("--dmabuf", dmabuf, "Demand zero-copy: fail with exit code 4 where it cannot be had");
    memory.add_to(line, "--memory", "capture device", "read");
    output_memory.add_to(line, "--output-memory", "output device", "write");
    add_strategy(line, strategy);
    line.app().add_flag("--fixed-bindings", conversion.wishes.fixed_bindings,
                        "Where loops import frames: let readers map them without a copy, until clone ends");
    line.app()
        .add_option("--heap", heap,
                    "Whose dma-bufs to take where neither side has memory: system, udmabuf, drm, ..")
        ->type_name("NAME");
    line.add_json("Print start, statistics and end as JSON, one object a line");
}

PathWishes CloneOptions::path_wishes() const {
    return {.zero_copy = dmabuf,
            .source_method = memory.method(),
            .sink_method = output_memory.method(),
            .heap = heap,
            .strategy = strategy,
            .buffers = run.buffers};
}

// The two ends, opened. The sink borrows nothing from the source.
struct Ends {
    std::unique_ptr<Source> source;
    std::unique_ptr<Sink> sink;
};

using Outputs = std::vector<std::unique_ptr<Sink>>;

// In the user's order.
Result<Outputs> open_outputs(const CloneOptions& options) {
    Outputs outputs;
    OutputWishes wishes = options.conversion.wishes;
    wishes.file = options.file.wishes;
    wishes.file.lossless |= options.capture.wishes.playback.unpaced; // who does not hurry can wait
    wishes.file.frames = options.run.frames;
    wishes.file.patience = options.run.patience();
    for (const std::string& name : options.outputs) {
        Result<std::unique_ptr<Sink>> output = open_sink(name, true, wishes);
        if (!output)
            return std::unexpected(std::move(output.error()));
        const dev_t number = (*output)->device_number();
        if (number != 0 && std::ranges::find(outputs, number, &Sink::device_number) != outputs.end())
            return make_error(ErrorKind::usage, "clone", (*output)->name(), "it is an output twice",
                              "It has one writer");
        outputs.push_back(std::move(*output));
    }
    return outputs;
}

// A loop as the input. With split nodes its two sides are two devices.
Status check_loop(const CloneOptions& options, const Device& input) {
    if (options.conversion.wishes.fixed_bindings)
        return make_error(ErrorKind::usage, "clone", input.path(),
                          "a loop's frames come in whatever memory its writer has",
                          "Leave --fixed-bindings away");
    for (const std::string& name : options.outputs) {
        const Result<Device> output = Device::open(name);
        if (output && output->capability().is_loop() &&
            output->capability().bus_info() == input.capability().bus_info())
            return make_error(ErrorKind::usage, "clone", output->path(),
                              fmt::format("it is the other end of the loop that {} is", input.path()),
                              "Its own frames would go round in it");
    }
    return {};
}

Status check_input(const CloneOptions& options, const Outputs& outputs) {
    const Result<Device> input = Device::open(options.input);
    if (!input)
        return {};
    if (std::ranges::find(outputs, input->number(), &Sink::device_number) != outputs.end())
        return make_error(ErrorKind::usage, "clone", input->path(), "it is both the input and the output",
                          "A loop's reader and writer are different programs");
    return input->capability().is_loop() ? check_loop(options, *input) : Status{};
}

std::unique_ptr<Sink> join(Outputs outputs, const CloneOptions& options) {
    if (outputs.size() == 1)
        return std::move(outputs.front());
    return std::make_unique<FanOutSink>(
        std::move(outputs),
        FanOutWishes{.zero_copy = options.dmabuf, .method = options.output_memory.method()});
}

Result<Ends> open_ends(const CloneOptions& options) {
    // The outputs first: nothing is set on the camera for one that cannot be had.
    Result<Outputs> outputs = open_outputs(options);
    if (!outputs)
        return std::unexpected(std::move(outputs.error()));
    if (Status status = check_input(options, *outputs); !status)
        return std::unexpected(std::move(status.error()));
    Result<std::unique_ptr<Source>> source = open_source(options.input, options.capture.wishes);
    if (!source)
        return std::unexpected(std::move(source.error()));
    return Ends{.source = std::move(*source), .sink = join(std::move(*outputs), options)};
}

int clone(const CloneOptions& options, bool json) {
    const Result<StopSignals> signals = StopSignals::create();
    if (!signals)
        return report(signals.error());
    if (const Status status = check_allocator_name(options.heap); !status)
        return report(status.error());
    if (const Status status = options.run.check_files(); !status)
        return report(status.error());
    std::vector<std::string> files;
    std::ranges::copy_if(options.outputs, std::back_inserter(files), is_export_name);
    if (const Status status =
            options.file.check_names(options.input, std::move(files), options.run.frame_log, json);
        !status)
        return report(status.error());
    const Result<Ends> ends = open_ends(options);
    if (!ends)
        return report_unopened(ends.error(), *signals);
    return run_flow({.command = "clone",
                     .json = json,
                     .options = options.run,
                     .path = options.path_wishes(),
                     .adjust = [&](PumpOptions& pump) { pump.on_demand = options.on_demand; }},
                    *ends->source, *ends->sink, *signals);
}

} // namespace

int run_clone(std::span<char*> arguments) {
    CommandLine line(
        "clone",
        "Send a capture device's frames, or a film's, into an output device, without copies where possible");
    CloneOptions options;
    options.add_to(line);
    if (const std::optional<int> code = line.parse(arguments))
        return *code;
    options.capture.wishes.playback.patience = options.run.patience();
    if (options.dmabuf && options.memory.method() == IoMethod::mmap &&
        options.output_memory.method() == IoMethod::mmap)
        return line.usage_error("--dmabuf contradicts mmap memory on both sides");
    if (options.outputs.size() > FanOutSink::most_outputs)
        return line.usage_error(fmt::format("--output: at most {} of them", FanOutSink::most_outputs));
    const bool files = std::ranges::any_of(options.outputs, is_export_name);
    if (const std::string_view option = options.file.given(); !files && !option.empty())
        return line.usage_error(fmt::format("{}: no output is a file, as film.mkv", option));
    if (options.file.wishes.lossless && options.outputs.size() > 1)
        return line.usage_error("--lossless: of several outputs none is waited for");
    options.capture.wishes.waits = options.file.wishes.lossless;
    return clone(options, line.json());
}

} // namespace v4l2dma
