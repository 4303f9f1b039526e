// SPDX-License-Identifier: MIT
#include "media/export_target.h"

#include "base/suggest.h"
#include "base/words.h"
#include "format/pixel_format.h"
#include "media/ffmpeg.h"
#include "media/network.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

constexpr std::array<std::string_view, 4> raw_extensions{"raw", "yuv", "rgb", "bin"};
// What clone takes for a file without loading FFmpeg; export asks FFmpeg.
constexpr std::array<std::string_view, 20> film_extensions{
    "mkv", "mp4", "mov", "m4v",   "ts",   "m2ts", "avi",  "webm", "flv", "mpg",
    "y4m", "png", "nut", "mjpeg", "h264", "264",  "hevc", "265",  "gif", "ogv"};

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
    return result;
}

std::string extension_of(std::string_view name) {
    const std::string_view file = name.substr(name.find_last_of('/') + 1);
    const std::size_t dot = file.find_last_of('.');
    return dot == std::string_view::npos || dot == 0 ? std::string() : lower(file.substr(dot + 1));
}

/// A pixel format that is called like the extension: nv12, yuyv.
std::optional<FourCC> format_named(std::string_view extension) {
    std::string text(extension);
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    const Result<FourCC> fourcc = FourCC::parse(text);
    const PixelFormat* entry = fourcc ? find_pixel_format(*fourcc) : nullptr;
    return entry == nullptr || entry->compressed() ? std::nullopt : std::optional(*fourcc);
}

bool is_raw(std::string_view extension) {
    return is_one_of(extension, raw_extensions) || format_named(extension);
}

/// The muxer that a protocol is mostly used with. Of RTP the one that players understand by the URL alone.
std::string usual_container(const std::string& scheme) {
    constexpr std::array<std::string_view, 5> bare{"udp", "tcp", "tls", "srt", "rist"};
    if (scheme.starts_with("rtmp"))
        return "flv";
    if (scheme == "rtp")
        return "rtp_mpegts";
    if (scheme == "rtsp")
        return scheme;
    return is_one_of(scheme, bare) ? "mpegts" : "";
}

const AVOutputFormat* find_muxer(std::string_view name) {
    const std::string text = lower(name);
    if (const AVOutputFormat* muxer = ffmpeg_formats().av_guess_format(text.c_str(), nullptr, nullptr))
        return muxer;
    const std::string file = "x." + text;
    return ffmpeg_formats().av_guess_format(nullptr, file.c_str(), nullptr);
}

std::unexpected<Error> unknown_container(std::string_view name) {
    std::vector<std::string> all{"raw", "y4m", "png", "mkv", "ts"};
    void* position = nullptr;
    while (const AVOutputFormat* muxer = ffmpeg_formats().av_muxer_iterate(&position))
        if (muxer->video_codec != AV_CODEC_ID_NONE)
            all.emplace_back(muxer->name);
    const std::vector<std::string_view> known(all.begin(), all.end());
    const std::string text = lower(name);
    std::vector<std::string_view> near = near_matches(text, known, 3);
    if (near.empty())
        near = {"matroska", "mp4", "mpegts", "raw"};
    return make_error(ErrorKind::usage, "container", name, "unknown",
                      fmt::format("There are: {}, ..", fmt::join(near, ", ")));
}

Status set_muxer(ExportTarget& target, std::string_view container) {
    if (Status status = load_ffmpeg_formats(); !status)
        return status;
    target.muxer = find_muxer(container);
    if (target.muxer == nullptr)
        return unknown_container(container);
    if (target.muxer->video_codec == AV_CODEC_ID_NONE)
        return make_error(ErrorKind::usage, "container", target.muxer->name, "it holds no pictures");
    if (std::string_view(target.muxer->name) == "rtp" && !target.url)
        return make_error(ErrorKind::usage, "--container rtp", target.name,
                          "it goes to rtp://HOST:PORT only");
    if ((target.muxer->flags & AVFMT_NOFILE) != 0 && !target.url)
        return make_error(ErrorKind::unsupported, "container", target.muxer->name,
                          "it writes files by itself, which is not supported",
                          "PNG, y4m, raw and all containers that are one file are");
    return {};
}

Status set_kind(ExportTarget& target, std::string_view container) {
    const std::string word = lower(container);
    if (word == "raw" || word == "rawvideo")
        target.kind = ExportKind::raw;
    else if (word == "y4m" || word == "yuv4mpegpipe")
        target.kind = ExportKind::y4m;
    else if (word == "png")
        target.kind = ExportKind::png;
    else
        return set_muxer(target, container);
    return {};
}

Status find_kind(ExportTarget& target, const ExportWishes& wishes) {
    const std::string extension = target.url || target.standard_output ? "" : extension_of(target.name);
    if (is_raw(extension))
        target.fourcc = format_named(extension);
    if (wishes.container)
        return set_kind(target, *wishes.container);
    if (target.standard_output)
        return set_kind(target, "matroska");
    if (target.url) {
        const std::string container = usual_container(scheme_of(target.name));
        if (container.empty())
            return make_error(ErrorKind::usage, "export", target.name, "this protocol does not say in what",
                              "Choose it by --container, for example mpegts");
        return set_kind(target, container);
    }
    if (is_raw(extension)) {
        target.kind = ExportKind::raw;
        return {};
    }
    if (extension.empty())
        return make_error(ErrorKind::usage, "export", target.name,
                          "the name has no extension that says what to write",
                          "Choose it by --container, for example mkv");
    return set_kind(target, extension);
}

Status check(const ExportTarget& target, const ExportWishes& wishes) {
    if (wishes.segment && !target.numbered)
        return make_error(ErrorKind::usage, "--segment", target.name, "all files would have this one name",
                          "Put a %d into it, as in film-%03d.mkv");
    const bool one_file = target.kind != ExportKind::png && !wishes.segment;
    if (wishes.segment && target.kind == ExportKind::png)
        return make_error(ErrorKind::usage, "--segment", target.name, "each picture is a file anyway");
    if (target.standard_output && target.kind == ExportKind::png)
        return make_error(ErrorKind::usage, "export", target.name, "a PNG goes to a file",
                          "Name one: -o picture.png");
    if (wishes.sdp && (target.muxer == nullptr || std::string_view(target.muxer->name) != "rtp"))
        return make_error(ErrorKind::usage, "--sdp", target.name, "players need none for it",
                          "It belongs to rtp://HOST:PORT with --container rtp");
    if (target.url && one_file && target.kind != ExportKind::container)
        return make_error(ErrorKind::usage, "export", target.name, "only containers go to URLs");
    return {};
}

Status check_name(const std::string& name) {
    struct stat status {};
    if (name.empty())
        return make_error(ErrorKind::usage, "export", name, "its name is empty");
    if (::stat(name.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
        return make_error(ErrorKind::usage, "export", name, "it is a folder",
                          "Name a file in it, as in FOLDER/film.mkv");
    return check_port(name);
}

} // namespace

std::string_view ExportTarget::container() const noexcept {
    switch (kind) {
    case ExportKind::raw:
        return "raw";
    case ExportKind::y4m:
        return "y4m";
    case ExportKind::png:
        return "png";
    case ExportKind::container:
        break;
    }
    return muxer->name;
}

std::string ExportTarget::file(unsigned number) const {
    return numbered ? numbered->file(number) : name;
}

unsigned expected_files(const ExportTarget& target, const ExportWishes& wishes) {
    constexpr double most = 1000;
    if (!target.numbered || (target.kind != ExportKind::png && !wishes.segment))
        return 1; // and one for each stream that comes back
    double files = std::min(most, static_cast<double>(wishes.frames.value_or(1000)));
    if (wishes.segment && wishes.duration)
        files = std::min(files, std::ceil(*wishes.duration / *wishes.segment));
    return static_cast<unsigned>(files);
}

bool is_export_name(std::string_view name) {
    const std::string extension = extension_of(name);
    return name == "-" || !scheme_of(name).empty() ||
           (!extension.empty() && (is_raw(extension) || is_one_of(extension, film_extensions)));
}

Result<ExportTarget> resolve_export_target(std::string_view given, const ExportWishes& wishes) {
    const std::string name = without_file_scheme(given);
    if (Status status = check_name(name); !status)
        return std::unexpected(std::move(status.error()));
    ExportTarget target{
        .name = name, .sdp = wishes.sdp, .standard_output = name == "-", .url = !scheme_of(name).empty()};
    if (!target.url)
        target.numbered = NumberedName::parse(name);
    if (Status status = find_kind(target, wishes); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = check(target, wishes); !status)
        return std::unexpected(std::move(status.error()));
    return target;
}

} // namespace v4l2dma
