// SPDX-License-Identifier: MIT
#include "cli/flow_options.h"

#include "base/atomic_file.h"
#include "v4l2/control_settings.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

// A frame's side that fits no driver's 32 bits is nonsense whatever the device; the rest is the device's
// call.
constexpr std::uint32_t most_pixels = 1U << 24;

} // namespace

// CLI::Range compares what must not be, which no "nan" is.
CLI::Validator real_range(double least, double most) {
    return {[=](const std::string& text) {
                double value = 0;
                const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
                const bool number = error == std::errc() && rest == text.data() + text.size();
                return number && value >= least && value <= most
                           ? std::string()
                           : fmt::format("Value {} not in range {:g} to {:g}", text, least, most);
            },
            fmt::format("FLOAT in [{:g} - {:g}]", least, most)};
}

void RunOptions::add_to(CommandLine& line) {
    constexpr std::uint32_t most_buffers = 32; // VIDEO_MAX_FRAME
    line.app()
        .add_option("-b,--buffers", buffers, "Buffers to ask for on each side that allocates")
        ->check(CLI::Range(2U, most_buffers))
        ->capture_default_str();
    line.app()
        .add_option("-n,--frames", frames, "Stop after so many frames")
        ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max() / 2));
    line.app()
        .add_option("--timeout", timeout, "Seconds without a frame after which to give up (default: never)")
        ->type_name("SECONDS")
        ->check(real_range(0.001, 86400));
    line.app()
        .add_option("--stats-interval", stats_interval, "Seconds between two lines of statistics, 0 for none")
        ->check(real_range(0, 86400))
        ->capture_default_str();
    line.app().add_option(
        "--frame-log", frame_log,
        "Diagnosis: write 'sequence timestamp index inode hash' of each frame to this file (the "
        "CPU reads every frame for it; not counted as a copy)");
    line.app().add_flag(
        "--verify", verify,
        "Diagnosis: read the stamp of each generated frame (test:); one that is damaged, or was "
        "there before, is exit code 1");
}

std::chrono::milliseconds RunOptions::interval() const {
    return std::chrono::milliseconds(std::llround(stats_interval * 1000));
}

std::optional<std::chrono::microseconds> RunOptions::patience() const {
    return timeout ? std::optional(std::chrono::microseconds(std::llround(*timeout * 1e6))) : std::nullopt;
}

PumpOptions RunOptions::pump_options(std::chrono::microseconds report_interval) const {
    return {.frame_limit = frames, .report_interval = report_interval, .stall_limit = patience()};
}

Status RunOptions::check_files() const {
    return frame_log.empty() ? Status{} : check_writable(frame_log);
}

void add_pixels(CommandLine& line, const std::string& name, std::optional<std::uint32_t>& pixels,
                const std::string& help) {
    line.app().add_option(name, pixels, help)->check(CLI::Range(1U, most_pixels));
}

void CaptureOptions::add_to(CommandLine& line) {
    add_pixels(line, "--width", wishes.width, "Width in pixels");
    add_pixels(line, "--height", wishes.height, "Height in pixels");
    line.app().add_option("--format", wishes.format, "Pixel format: YUYV, NV12, MJPG, ..");
    line.app().add_option("--fps", wishes.fps, "Frames a second")->check(real_range(0.01, 10000));
    line.app()
        .add_option(
            "--set", wishes.controls,
            "Set a control of the device, for example brightness=10 (repeatable; `v4l2dma inspect DEV` "
            "lists them)")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false)
        ->check(CLI::Validator(
            [](const std::string& text) {
                return parse_control_wish(text) ? std::string() : "'" + text + "' is not NAME=VALUE";
            },
            ""));
}

void add_playback(CommandLine& line, PlaybackWishes& wishes) {
    line.app().add_flag("--loop", wishes.loop, "Play a film again and again");
    line.app()
        .add_option("--seek", wishes.seek, "Begin a film so many seconds after its beginning")
        ->type_name("SECONDS")
        ->check(real_range(0, 1e6));
    line.app().add_flag("--no-pace", wishes.unpaced,
                        "Play a film as fast as the output takes it, not at its pictures' times");
    line.app()
        .add_option("--input-container", wishes.container,
                    "What a film's file is, where that cannot be seen: raw, h264, mpegts, ..; or FFmpeg's "
                    "name of an input device: kmsgrab")
        ->type_name("NAME");
    line.app()
        .add_option("--hwaccel", wishes.hwaccel,
                    "Decode a film by hardware, whose pictures go on as dma-bufs: vaapi, drm, ..")
        ->type_name("NAME[:DEVICE]");
    line.app()
        .add_option("--decoder", wishes.decoder,
                    "Decode a film by this decoder of FFmpeg's: h264_v4l2m2m, libdav1d, ..")
        ->type_name("NAME");
    line.app().add_flag("--as-stored", wishes.keep_pixels,
                        "Neither turn a film's pictures upright nor make its pixels square");
}

void OutputOptions::add_to(CommandLine& line) {
    line.app().add_option("--output-format", wishes.format,
                          "Pixel format of the output: frames in another one are converted");
    const auto add_size = [&](const char* name, std::optional<std::uint32_t>& pixels, const char* help) {
        line.app().add_option(name, pixels, help)->check(CLI::Range(1U, max_converted_size));
    };
    add_size("--output-width", wishes.width, "Width of the output in pixels: others are scaled");
    add_size("--output-height", wishes.height, "Height of the output in pixels");
}

void MemoryOption::add_to(CommandLine& line, const std::string& name, const std::string& side,
                          const std::string& rw) {
    line.app()
        .add_option(name, text,
                    "How the " + side + " moves frames: mmap, dmabuf, userptr, " + rw + " or auto")
        ->check(CLI::IsMember(std::vector<std::string>{"auto", "mmap", "dmabuf", "userptr", "rw", rw}))
        ->capture_default_str();
}

std::optional<IoMethod> MemoryOption::method() const {
    if (text == "auto")
        return std::nullopt;
    for (const IoMethod method : {IoMethod::mmap, IoMethod::dmabuf, IoMethod::userptr})
        if (text == to_text(method))
            return method;
    return IoMethod::rw;
}

void add_strategy(CommandLine& line, std::string& strategy) {
    std::vector<std::string> names;
    for (const Strategy& entry : strategies())
        names.emplace_back(entry.name);
    line.app()
        .add_option("--strategy", strategy, "Only this path of the memory (-v lists them)")
        ->check(CLI::IsMember(names))
        ->type_name("NAME");
}

} // namespace v4l2dma
