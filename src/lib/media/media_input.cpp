// SPDX-License-Identifier: MIT
#include "media/media_input.h"

#include "base/numbered_name.h"
#include "base/suggest.h"
#include "media/av_format.h"
#include "media/convert_options.h"
#include "media/network.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <fcntl.h>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

enum class Kind { pipe, file, url, pattern, device };

bool is_url(std::string_view name) {
    return !scheme_of(name).empty();
}

bool is_pattern(std::string_view name) {
    return NumberedName::parse(name).has_value();
}

/// What demuxers answer that do not like a file, and no system says of one that it has opened.
bool is_refusal(int code) {
    return code == AVERROR(EBUSY) || code == AVERROR(EINVAL) || code == AVERROR(EPERM);
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
                      near.empty() ? "" : fmt::format("Did you mean {}?", fmt::join(near, " or ")));
}

/// What the file itself does not say.
Status set_raw(AvOptions& options, const std::string& name, const MediaInputWishes& wishes) {
    if (!wishes.fourcc || !wishes.width || !wishes.height)
        return make_error(ErrorKind::usage, "open", name, "a raw file does not say what is in it",
                          "Name --format, --width and --height");
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

/// The number that pictures in files begin with. FFmpeg ends at a gap, or fails there: it depends on where
/// the gap is.
Result<unsigned> first_of_sequence(const std::string& name) {
    const NumberedName files = *NumberedName::parse(name);
    const std::vector<unsigned> numbers = files.there();
    if (numbers.empty())
        return make_error(ErrorKind::device, "open", name, "no file is called so, with a number");
    const auto before_gap =
        std::ranges::adjacent_find(numbers, [](unsigned a, unsigned b) { return b != a + 1; });
    if (before_gap == numbers.end())
        return numbers.front();
    return make_error(ErrorKind::device, "open", name,
                      fmt::format("{} is missing between others", files.file(*before_gap + 1)),
                      "The numbers must have no gaps");
}

/// How a name is opened.
struct Opening {
    Kind kind = Kind::file;
    const AVInputFormat* format = nullptr; ///< nullptr: found out by looking
    bool described = false;                ///< a file that tells where the film comes from
};

Result<Opening> find_opening(const std::string& name, const MediaInputWishes& wishes) {
    const Result<const AVInputFormat*> container =
        wishes.container ? find_container(*wishes.container) : Result<const AVInputFormat*>(nullptr);
    const Result<Kind> kind = container && is_device(*container) ? Kind::device : kind_of(name);
    if (!kind)
        return std::unexpected(kind.error());
    if (!container)
        return std::unexpected(container.error());
    Opening opening{.kind = *kind, .format = *container};
    const bool sized_raw = wishes.fourcc && wishes.width && wishes.height && opening.format == nullptr &&
                           (name.ends_with(".raw") || name.ends_with(".yuv"));
    if (sized_raw)
        opening.format = ffmpeg_formats().av_find_input_format("rawvideo");
    if (*kind == Kind::pattern && opening.format == nullptr)
        opening.format = ffmpeg_formats().av_find_input_format("image2");
    opening.described = *kind == Kind::file && is_description(name, wishes);
    if (opening.described)
        opening.format = ffmpeg_formats().av_find_input_format("sdp");
    return opening;
}

Status set_options(AvOptions& options, const Opening& opening, const std::string& name,
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
        const Result<unsigned> first = first_of_sequence(name);
        if (!first)
            return std::unexpected(first.error());
        options.set("start_number", fmt::format("{}", *first)); // FFmpeg looks from 0 to 4 only
    }
    return {};
}

/// A name with a colon is not to be taken for a protocol.
std::string url_of(const std::string& name, Kind kind) {
    const bool relative = kind == Kind::pattern && !name.starts_with('/');
    return kind == Kind::file ? "file:" + name : (relative ? "./" : "") + name;
}

} // namespace

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

Result<std::unique_ptr<MediaInput>> MediaInput::open(const std::string& name, const MediaInputWishes& wishes,
                                                     const Interrupt& interrupt) {
    if (Status status = load_ffmpeg_formats(); !status)
        return std::unexpected(std::move(status.error()));
    std::unique_ptr<MediaInput> input(new MediaInput(without_file_scheme(name), interrupt));
    if (Status status = input->open_context(wishes); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = input->find_stream(); !status)
        return std::unexpected(std::move(status.error()));
    if (wishes.decoder)
        if (Status status = input->choose_decoder(*wishes.decoder); !status)
            return std::unexpected(std::move(status.error()));
    return input;
}

Status MediaInput::open_context(const MediaInputWishes& wishes) {
    const Result<Opening> opening = find_opening(name_, wishes);
    if (!opening)
        return std::unexpected(opening.error());
    AvOptions options;
    if (Status status = set_options(options, *opening, name_, wishes); !status)
        return status;
    local_ = (opening->kind == Kind::file && !opening->described) || opening->kind == Kind::pattern;
    context_.reset(ffmpeg_formats().avformat_alloc_context());
    if (!context_)
        return system_error("open", name_, ENOMEM);
    context_->interrupt_callback = {.callback = [](void* interrupt) -> int {
                                        return static_cast<const Interrupt*>(interrupt)->pending() ? 1 : 0;
                                    },
                                    .opaque = const_cast<Interrupt*>(&interrupt_)};
    if (opening->kind == Kind::pipe) {
        Result<std::unique_ptr<PipeReader>> pipe = PipeReader::open(name_, interrupt_);
        if (!pipe)
            return std::unexpected(std::move(pipe.error()));
        pipe_ = std::move(*pipe);
        context_->pb = pipe_->context();
    }
    AVFormatContext* opened = context_.release(); // FFmpeg frees it when it fails
    const int result = ffmpeg_formats().avformat_open_input(&opened, url_of(name_, opening->kind).c_str(),
                                                            opening->format, options.get());
    context_.reset(opened);
    return result < 0 ? Status(explain("open", result)) : Status{};
}

Status MediaInput::choose_decoder(const std::string& name) {
    const AVCodec* const codec = ffmpeg().avcodec_find_decoder_by_name(name.c_str());
    const AVCodecID wanted = stream_->codecpar->codec_id;
    if (codec != nullptr && codec->id == wanted) {
        decoder_ = codec;
        return {};
    }
    std::vector<std::string_view> names;
    void* position = nullptr;
    while (const AVCodec* const other = ffmpeg().av_codec_iterate(&position))
        if (other->id == wanted && ffmpeg().av_codec_is_decoder(other) != 0)
            names.emplace_back(other->name);
    return make_error(
        codec == nullptr && names.empty() ? ErrorKind::unsupported : ErrorKind::usage, "--decoder", name,
        codec == nullptr ? "this FFmpeg has no such decoder"
                         : fmt::format("it does not decode {}", ffmpeg().avcodec_get_name(wanted)),
        fmt::format("For {} it has {}", ffmpeg().avcodec_get_name(wanted), fmt::join(names, ", ")));
}

Status MediaInput::find_stream() {
    const int result = ffmpeg_formats().avformat_find_stream_info(context_.get(), nullptr);
    if (result < 0 || interrupt_.pending())
        return explain("open", result);
    const int index =
        ffmpeg_formats().av_find_best_stream(context_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder_, 0);
    if (index == AVERROR_DECODER_NOT_FOUND)
        return no_decoder();
    // The picture on a record's sleeve is no film.
    if (index < 0 || (context_->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0)
        return make_error(ErrorKind::device, "open", name_, "there are no pictures in it");
    stream_ = context_->streams[index];
    for (unsigned i = 0; i < context_->nb_streams; ++i)
        context_->streams[i]->discard = context_->streams[i] == stream_ ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
    const AVCodecParameters& parameters = *stream_->codecpar;
    if (std::int64_t{parameters.width} * parameters.height > max_decoded_pixels)
        return make_error(
            ErrorKind::device, "open", name_,
            fmt::format("its pictures of {}x{} are too large", parameters.width, parameters.height));
    return {};
}

std::unexpected<Error> MediaInput::no_decoder() const {
    AVCodecID codec = AV_CODEC_ID_NONE;
    for (unsigned i = 0; i < context_->nb_streams; ++i)
        if (context_->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
            codec = context_->streams[i]->codecpar->codec_id;
    if (codec == AV_CODEC_ID_NONE)
        return make_error(ErrorKind::device, "open", name_, "its pictures are of no kind that FFmpeg knows");
    return make_error(ErrorKind::unsupported, "open", name_,
                      fmt::format("this FFmpeg has no decoder for {}", ffmpeg().avcodec_get_name(codec)));
}

std::unexpected<Error> MediaInput::explain(std::string_view operation, int code) const {
    if (interrupt_.expired())
        return make_error(ErrorKind::system, "wait for", name_, "no picture came in time");
    if (code == AVERROR_EXIT || interrupt_.pending())
        return system_error(operation, name_, ECANCELED);
    if (code == AVERROR_PROTOCOL_NOT_FOUND)
        return unknown_protocol(name_, Direction::read);
    const bool peer = is_network(name_);
    Error error = (peer ? peer_error(operation, name_, code) : av_error(operation, name_, code)).error();
    if (operation == "open" && !peer)
        error.kind = ErrorKind::device;
    if (code == AVERROR_INVALIDDATA || (operation == "open" && local_ && is_refusal(code)))
        error.detail = operation == "open" ? "it is no film that FFmpeg knows" : "its data are damaged";
    else if (code == AVERROR_EOF)
        error.detail = "it is empty";
    if (pipe_ && operation == "open" && code == AVERROR_INVALIDDATA)
        error.remedy = "Some files cannot be read from a pipe: an mp4 that has its index at its end";
    return std::unexpected(std::move(error));
}

AVRational MediaInput::pixel_aspect() const {
    return ffmpeg_formats().av_guess_sample_aspect_ratio(context_.get(), stream_, nullptr);
}

std::optional<double> MediaInput::rate() const {
    const AVRational rate = ffmpeg_formats().av_guess_frame_rate(context_.get(), stream_, nullptr);
    return rate.num > 0 && rate.den > 0 ? std::optional(av_q2d(rate)) : std::nullopt;
}

std::optional<microseconds> MediaInput::interval() const {
    const std::optional<double> pictures = rate();
    return pictures ? std::optional(microseconds(std::llround(1e6 / *pictures))) : std::nullopt;
}

std::optional<microseconds> MediaInput::duration() const {
    if (stream_->duration > 0)
        return microseconds(ffmpeg().av_rescale_q(stream_->duration, stream_->time_base, av_microseconds));
    if (context_->duration > 0)
        return microseconds(ffmpeg().av_rescale_q(context_->duration, {1, AV_TIME_BASE}, av_microseconds));
    return std::nullopt;
}

bool MediaInput::seekable() const {
    if (local_)
        return true;
    // What has no end is live, whatever its server says of its playlist.
    if (pipe_ || (context_->ctx_flags & AVFMTCTX_UNSEEKABLE) != 0 || !duration())
        return false;
    return context_->pb == nullptr || (context_->pb->seekable & AVIO_SEEKABLE_NORMAL) != 0;
}

PipeReader* MediaInput::pipe_after(const AVPacket& packet) const noexcept {
    if (!pipe_ || packet.pos < 0)
        return nullptr;
    const AVIOContext& bytes = *pipe_->context();
    const std::int64_t position = bytes.pos - (bytes.buf_end - bytes.buf_ptr);
    return packet.pos + packet.size == position ? pipe_.get() : nullptr;
}

Result<bool> MediaInput::read(AVPacket& packet) {
    while (true) {
        ffmpeg().av_packet_unref(&packet);
        const int result = ffmpeg_formats().av_read_frame(context_.get(), &packet);
        if (result < 0 && interrupt_.pending()) // some demuxers call that the end
            return system_error("read", name_, ECANCELED);
        if (result == AVERROR_EOF)
            return false;
        if (result == AVERROR(EAGAIN) && !interrupt_.pending()) {
            ::usleep(1000); // only a demuxer of a device says so
            continue;
        }
        if (result < 0)
            return explain("read", result);
        if (packet.stream_index == stream_->index)
            return true;
    }
}

std::int64_t MediaInput::timestamp_at(microseconds time) const {
    const std::int64_t begin = stream_->start_time == AV_NOPTS_VALUE ? 0 : stream_->start_time;
    return begin + ffmpeg().av_rescale_q(time.count(), av_microseconds, stream_->time_base);
}

// A broadcast has no index: FFmpeg lands behind the place as often as before it, and does not find the
// beginning. So it is looked for with a margin, and the beginning by its place in the file.
Status MediaInput::seek(microseconds time) {
    constexpr microseconds margin = std::chrono::seconds(3);
    constexpr std::int64_t any = INT64_MIN;
    const bool indexed = !is_discontinuous();
    const microseconds from = indexed ? time : std::max(time - margin, microseconds(0));
    const std::int64_t target = timestamp_at(from);
    const auto seek_by_time = [&] {
        return ffmpeg_formats().avformat_seek_file(context_.get(), stream_->index, any, target, target, 0);
    };
    const auto seek_to_begin = [&] {
        return ffmpeg_formats().avformat_seek_file(context_.get(), -1, any, 0, 0, AVSEEK_FLAG_BYTE);
    };
    int result = from.count() == 0 && !indexed ? seek_to_begin() : seek_by_time();
    if (result < 0 && from.count() == 0)
        result = indexed ? seek_to_begin() : seek_by_time();
    return result < 0 ? Status(explain("seek in", result)) : Status{};
}

} // namespace v4l2dma
