// SPDX-License-Identifier: MIT
#include "cli/file_options.h"

#include "cli/flow_options.h"
#include "cli/output_names.h"

#include <charconv>
#include <cmath>

namespace v4l2dma {

std::optional<std::uint64_t> parse_bitrate(std::string_view text) {
    constexpr double least = 1000;
    constexpr double most = 1e11;
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    if (unit == "k" || unit == "K")
        value *= 1e3;
    else if (unit == "M")
        value *= 1e6;
    else if (unit == "G")
        value *= 1e9;
    else if (!unit.empty())
        return std::nullopt;
    if (error != std::errc() || !(value >= least && value <= most)) // also for what is no number
        return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(value));
}

void FileOptions::add_to(CommandLine& line) {
    line.app().add_option("--container", wishes.container,
                          "What to write if the name does not say it: mkv, mp4, ts, y4m, png, raw, ..");
    line.app().add_option(
        "--codec", wishes.codec,
        "Codec or encoder, as FFmpeg calls it: h264, libx265, ffv1, mjpeg, rawvideo, ..; or "
        "copy, for frames that are compressed already");
    line.app()
        .add_option_function<std::string>(
            "--bitrate", [this](const std::string& text) { wishes.bitrate = parse_bitrate(text); },
            "Bits a second: 4M, 800k (default: by quality)")
        ->type_name("BITS")
        ->check(CLI::Validator(
            [](const std::string& text) {
                return parse_bitrate(text) ? std::string()
                                           : "'" + text + "' is not a bit rate from 1k to 100G, such as 4M";
            },
            ""));
    line.app().add_option("--preset", wishes.preset,
                          "How much time to take, as the encoder calls it: fast, slow, ..");
    line.app()
        .add_option("--segment", wishes.segment,
                    "Begin a new file after so many seconds; the name has a %d for its number")
        ->type_name("SECONDS")
        ->check(real_range(0.01, 1e9));
    line.app()
        .add_option("--sdp", wishes.sdp,
                    "Write what players have to know of a stream of --container rtp; they open this file")
        ->type_name("FILE");
    line.app().add_flag("--lossless", wishes.lossless,
                        "Leave no frame out: the source waits for the encoder (films and test:)");
    line.app().add_flag("--force", wishes.force, "Overwrite a file that exists");
}

std::string_view FileOptions::given() const {
    if (wishes.container)
        return "--container";
    if (wishes.codec)
        return "--codec";
    if (wishes.bitrate)
        return "--bitrate";
    if (wishes.preset)
        return "--preset";
    if (wishes.segment)
        return "--segment";
    if (wishes.sdp)
        return "--sdp";
    if (wishes.lossless)
        return "--lossless";
    return wishes.force ? "--force" : "";
}

Status FileOptions::check_names(const std::string& input, std::vector<std::string> files,
                                const std::string& log, bool json) const {
    if (wishes.sdp && files.size() > 1)
        return make_error(ErrorKind::usage, "--sdp", *wishes.sdp,
                          "it describes one stream, and there are several", "Run a command for each");
    if (wishes.sdp)
        files.push_back(*wishes.sdp);
    if (!log.empty())
        files.push_back(log);
    return check_output_names(files, {.input = input, .force = wishes.force, .json = json});
}

} // namespace v4l2dma
