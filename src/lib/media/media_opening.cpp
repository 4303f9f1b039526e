// SPDX-License-Identifier: MIT
#include "media/media_opening.h"

#include "base/numbered_name.h"
#include "base/suggest.h"
#include "media/av_format.h"
#include "media/network.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace v4l2dma {

namespace {

using Kind = MediaOpening::Kind;

bool is_url(std::string_view name) {
    return !scheme_of(name).empty();
}

bool is_pattern(std::string_view name) {
    return NumberedName::parse(name).has_value();
}

std::unexpected<Error> open_error(const std::string& name, int code, std::string_view remedy = {}) {
    Error error = system_error("open", name, code).error();
    error.kind = ErrorKind::device;
    error.remedy = remedy;
    return std::unexpected(std::move(error));
}

/// Says in our words what FFmpeg would say of a path.
Result<Kind> kind_of(const std::string& name) {
    if (name == "-")
        return Kind::pipe;
    if (is_url(name)) {
        const Status port = check_port(name);
        return port ? Result<Kind>(Kind::url) : std::unexpected(port.error());
    }
    struct stat status {};
    if (::stat(name.c_str(), &status) != 0)
        return errno == ENOENT && is_pattern(name) ? Result<Kind>(Kind::pattern)
                                                   : Result<Kind>(open_error(name, errno));
    if (S_ISDIR(status.st_mode))
        return open_error(name, EISDIR, "A sequence of pictures is named like 'FOLDER/frame%04d.png'");
    if (S_ISSOCK(status.st_mode))
        return open_error(name, ENXIO);
    if (::access(name.c_str(), R_OK) != 0)
        return open_error(name, errno);
    return S_ISREG(status.st_mode) ? Kind::file : Kind::pipe;
}

std::vector<std::string_view> container_names() {
    std::vector<std::string_view> names{"raw"};
    void* position = nullptr;
    while (const AVInputFormat* format = ffmpeg_formats().av_demuxer_iterate(&position))
        for (std::string_view rest = format->name; !rest.empty();) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            names.push_back(rest.substr(0, comma));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    return names;
}

Result<const AVInputFormat*> find_container(const std::string& name) {
    const AVInputFormat* format =
        ffmpeg_formats().av_find_input_format(name == "raw" ? "rawvideo" : name.c_str());
    if (format == nullptr && load_ffmpeg_devices())
        format = ffmpeg_formats().av_find_input_format(name.c_str());
    if (format != nullptr)
        return format;
    constexpr std::size_t most = 3;
    const std::vector<std::string_view> names = container_names();
    const std::vector<std::string_view> near = near_matches(name, names, most);
    return make_error(ErrorKind::usage, "container", name, "FFmpeg has no such one to read",
                      near.empty() ? "There are: matroska, mp4, mpegts, mjpeg, h264, raw, .."
                                   : fmt::format("Did you mean {}?", fmt::join(near, " or ")));
}

bool is_sized(const MediaInputWishes& wishes) {
    return wishes.fourcc && wishes.width && wishes.height;
}

/// What the file itself does not say.
Status set_raw(AvOptions& options, const std::string& name, const MediaInputWishes& wishes) {
    if (!is_sized(wishes))
        return sizeless(name);
    const AVPixelFormat pixel_format = av_pixel_format(*wishes.fourcc);
    if (pixel_format == AV_PIX_FMT_NONE)
        return make_error(ErrorKind::unsupported, "open", name,
                          fmt::format("FFmpeg reads no raw {}", wishes.fourcc->text()));
    options.set("video_size", fmt::format("{}x{}", *wishes.width, *wishes.height));
    options.set("pixel_format", ffmpeg().av_get_pix_fmt_name(pixel_format));
    return {};
}

/// FFmpeg opens what it is by itself, and so not what @p format would read from a file.
bool is_device(const AVInputFormat* format) {
    return format != nullptr && format->priv_class != nullptr &&
           AV_IS_INPUT_DEVICE(format->priv_class->category);
}

/// What a file says of a stream that comes over the network: by its name or by the user, for that is no
/// harmless thing to be found in a film.
bool is_description(std::string_view name, const MediaInputWishes& wishes) {
    return wishes.container ? *wishes.container == "sdp" : name.ends_with(".sdp");
}

bool takes_rate(const AVInputFormat& format) {
    const std::string_view name = format.name;
    return name == "rawvideo" || name.starts_with("image2") || name.ends_with("_pipe") || is_device(&format);
}

/// The number that pictures in files begin with, if that can be found out. FFmpeg ends at a gap, or fails
/// there: it depends on where the gap is.
Result<std::optional<unsigned>> first_of_sequence(const std::string& name) {
    const NumberedName files = *NumberedName::parse(name);
    const std::optional<std::vector<unsigned>> numbers = files.there();
    if (!numbers)
        return std::nullopt;
    if (numbers->empty())
        return make_error(ErrorKind::device, "open", name, "no file is called so, with a number");
    // One that came while others were looked for is no gap.
    const auto before_gap = std::ranges::adjacent_find(*numbers, [&](unsigned a, unsigned b) {
        return b != a + 1 && ::access(files.file(a + 1).c_str(), F_OK) != 0;
    });
    if (before_gap == numbers->end())
        return numbers->front();
    return make_error(ErrorKind::device, "open", name,
                      fmt::format("{} is missing between others", files.file(*before_gap + 1)),
                      "The numbers must have no gaps");
}

/// A name with a colon is not to be taken for a protocol.
std::string url_of(const std::string& name, Kind kind) {
    const bool relative = kind == Kind::pattern && !name.starts_with('/');
    return kind == Kind::file ? "file:" + name : (relative ? "./" : "") + name;
}

} // namespace

std::unexpected<Error> sizeless(const std::string& name) {
    return make_error(ErrorKind::usage, "open", name, "a raw file does not say what is in it",
                      "Name --format, --width and --height");
}

Result<MediaOpening> find_opening(const std::string& name, const MediaInputWishes& wishes) {
    const Result<const AVInputFormat*> container =
        wishes.container ? find_container(*wishes.container) : Result<const AVInputFormat*>(nullptr);
    const Result<Kind> kind = container && is_device(*container) ? Kind::device : kind_of(name);
    if (!kind)
        return std::unexpected(kind.error());
    if (!container)
        return std::unexpected(container.error());
    MediaOpening opening{.url = url_of(name, *kind), .kind = *kind, .format = *container};
    const bool called_raw = opening.format == nullptr && (name.ends_with(".raw") || name.ends_with(".yuv"));
    if (called_raw && is_sized(wishes))
        opening.format = ffmpeg_formats().av_find_input_format("rawvideo");
    opening.unsized_raw = called_raw && !is_sized(wishes);
    if (*kind == Kind::pattern && opening.format == nullptr)
        opening.format = ffmpeg_formats().av_find_input_format("image2");
    opening.described = *kind == Kind::file && is_description(name, wishes);
    if (opening.described)
        opening.format = ffmpeg_formats().av_find_input_format("sdp");
    return opening;
}

Status set_options(AvOptions& options, const MediaOpening& opening, const std::string& name,
                   const MediaInputWishes& wishes) {
    const AVInputFormat* const format = opening.format;
    if (format != nullptr && std::string_view(format->name) == "rawvideo")
        if (Status status = set_raw(options, name, wishes); !status)
            return status;
    if (opening.described) // else a file could make us talk to whom it likes
        options.set("protocol_whitelist", "file,crypto,data,rtp,udp");
    if (wishes.fps && format != nullptr && takes_rate(*format))
        options.set("framerate", fmt::format("{}", *wishes.fps));
    if (opening.kind == Kind::device)
        options.set("device", name); // where the name itself is not looked at: kmsgrab
    if (scheme_of(name) == "udp")
        options.set("overrun_nonfatal", "1"); // an output that is slow loses pictures, not the connection
    if (opening.kind == Kind::file)
        options.set("pattern_type", "none"); // a file that is called like a pattern
    if (opening.kind == Kind::pattern) {
        const Result<std::optional<unsigned>> first = first_of_sequence(name);
        if (!first)
            return std::unexpected(first.error());
        if (*first)
            options.set("start_number", fmt::format("{}", **first)); // FFmpeg looks from 0 to 4 only
    }
    return {};
}

bool is_input_device(const std::string& container) {
    const Result<const AVInputFormat*> format =
        load_ffmpeg_formats() ? find_container(container) : Result<const AVInputFormat*>(nullptr);
    return format && is_device(*format);
}

bool is_media_name(std::string_view name) {
    constexpr std::array<std::string_view, 24> endings{".mkv", ".mp4",  ".m4v", ".mov",  ".avi",  ".webm",
                                                       ".ts",  ".m2ts", ".mpg", ".mpeg", ".flv",  ".ogv",
                                                       ".nut", ".h264", ".265", ".hevc", ".mjpg", ".mjpeg",
                                                       ".y4m", ".yuv",  ".raw", ".png",  ".jpg",  ".gif"};
    if (name == "-" || is_url(name))
        return true;
    if (std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c) != 0; }))
        return false; // a device's number, whatever files there are
    struct stat status {};
    if (::stat(std::string(name).c_str(), &status) == 0)
        return S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) ||
               (S_ISDIR(status.st_mode) && name.find('/') != std::string_view::npos);
    return is_pattern(name) ||
           std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

} // namespace v4l2dma
