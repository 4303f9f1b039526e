// SPDX-License-Identifier: MIT
#include "cli/file_options.h"

#include "cli/flow_options.h"
#include "media/network.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

/// Where a name leads to that may also be a URL of a file, or "-".
std::string path_of(const std::string& name, const char* standard) {
    return name == "-" ? standard : without_file_scheme(name);
}

std::optional<struct stat> look_at(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct Place {
    std::string folder;
    std::string_view file;
};

Place place_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos
               ? Place{".", path}
               : Place{std::string(path.substr(0, slash + 1)), path.substr(slash + 1)};
}

bool is_same_folder(const Place& a, const Place& b) {
    const std::optional<struct stat> one = look_at(a.folder);
    const std::optional<struct stat> other = look_at(b.folder);
    return one && other ? is_same(*one, *other) : a.folder == b.folder;
}

bool is_same_place(std::string_view a, std::string_view b) {
    const Place one = place_of(a);
    const Place other = place_of(b);
    return one.file == other.file && is_same_folder(one, other);
}

/// Whether @p path is where one of the files will be that are called @p numbered: its name begins and ends
/// so.
bool could_be_numbered(std::string_view path, std::string_view numbered) {
    const Place one = place_of(path);
    const Place other = place_of(numbered);
    const std::size_t percent = other.file.find('%');
    const std::size_t letter = other.file.find('d', percent);
    if (percent == std::string_view::npos || letter == std::string_view::npos)
        return false;
    return is_same_folder(one, other) && one.file.starts_with(other.file.substr(0, percent)) &&
           one.file.ends_with(other.file.substr(letter + 1));
}

/// Whether two outputs would write over each other, or into each other. A terminal takes all that comes, but
/// for standard output said twice.
bool is_same_output(const std::string& a, const std::string& b) {
    if (a == "-" && b == "-")
        return true;
    const std::string path = path_of(a, "/dev/stdout");
    const std::string other_path = path_of(b, "/dev/stdout");
    const std::optional<struct stat> one = look_at(path);
    const std::optional<struct stat> other = look_at(other_path);
    if (!one || !other) // one will be there once it is written
        return is_same_place(path, other_path) || could_be_numbered(path, other_path) ||
               could_be_numbered(other_path, path);
    return !S_ISCHR(one->st_mode) && is_same(*one, *other);
}

/// Whether a film would be written over while it is read. One of many files may be it by its number, and
/// nobody knows how many there will be.
bool is_written_over(const std::string& input, const std::string& output, bool force) {
    const std::string path = path_of(input, "/dev/stdin");
    const std::optional<struct stat> read = look_at(path);
    const std::string written = path_of(output, "/dev/stdout");
    if (!read && force && could_be_numbered(path, written)) // a sequence of pictures
        return true;
    if (!read || !S_ISREG(read->st_mode))
        return false;
    const std::optional<struct stat> there = look_at(written);
    return (there && is_same(*read, *there)) || (force && could_be_numbered(path, written));
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

Status FileOptions::check_names(const std::string& input, std::vector<std::string> files,
                                const std::string& log, bool json) const {
    if (wishes.sdp && files.size() > 1)
        return make_error(ErrorKind::usage, "--sdp", *wishes.sdp,
                          "it describes one stream, and there are several", "Run a command for each");
    if (wishes.sdp)
        files.push_back(*wishes.sdp);
    if (!log.empty())
        files.push_back(log);
    if (json)
        files.emplace_back("-"); // its events
    for (auto name = files.begin(); name != files.end(); ++name) {
        const bool twice = std::any_of(files.begin(), name, std::bind_front(is_same_output, *name));
        if (twice && *name == "-")
            return make_error(ErrorKind::usage, "write", *name,
                              json ? "--json and this both write to standard output"
                                   : "two outputs both write to standard output");
        if (twice)
            return make_error(ErrorKind::usage, "write", *name, "it is an output twice");
        if (is_written_over(input, *name, wishes.force))
            return make_error(ErrorKind::usage, "write", *name, "it is both the input and the output");
    }
    return {};
}

} // namespace v4l2dma
