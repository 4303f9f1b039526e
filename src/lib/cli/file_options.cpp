// SPDX-License-Identifier: MIT
#include "cli/file_options.h"

#include "cli/flow_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

/// Whether @p name begins and ends as the pattern @p numbered does around its number.
bool could_be_numbered(std::string_view name, std::string_view numbered) {
    const std::size_t percent = numbered.find('%');
    const std::size_t letter = numbered.find('d', percent);
    return percent != std::string_view::npos && letter != std::string_view::npos &&
           name.starts_with(numbered.substr(0, percent)) && name.ends_with(numbered.substr(letter + 1));
}

bool is_file(const std::string& name) {
    struct stat status {};
    return ::stat(name.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// Whether two outputs would write over each other. Not what takes all that comes, as a terminal.
bool is_same_file(const std::string& a, const std::string& b) {
    struct stat one {};
    struct stat other {};
    if (::stat(a.c_str(), &one) != 0 || ::stat(b.c_str(), &other) != 0)
        return a == b;
    return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

} // namespace

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

Status FileOptions::check_names(const std::string& input, std::vector<std::string> files, bool json) const {
    if (wishes.sdp && files.size() > 1)
        return make_error(ErrorKind::usage, "--sdp", *wishes.sdp,
                          "it describes one stream, and there are several", "Run a command for each");
    if (wishes.sdp)
        files.push_back(*wishes.sdp);
    if (json)
        files.emplace_back("-"); // its events
    for (auto name = files.begin(); name != files.end(); ++name) {
        const bool twice = std::any_of(files.begin(), name, std::bind_front(is_same_file, *name));
        if (twice && *name == "-")
            return make_error(ErrorKind::usage, "write", *name,
                              json ? "--json and this both write to standard output"
                                   : "two outputs both write to standard output");
        if (twice)
            return make_error(ErrorKind::usage, "write", *name, "it is an output twice");
        // One of many files may be the input by its number, and nobody knows how many there will be.
        if (is_file(input) &&
            (is_same_file(input, *name) || (wishes.force && could_be_numbered(input, *name))))
            return make_error(ErrorKind::usage, "write", *name, "it is both the input and the output");
    }
    return {};
}

} // namespace v4l2dma
