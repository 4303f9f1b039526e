// SPDX-License-Identifier: MIT
#include "media/media_input.h"

#include "media/convert_options.h"
#include "media/network.h"

#include <algorithm>
#include <cmath>
#include <spdlog/fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

/// Of a pipe: nothing came.
bool is_empty(const std::string& name) {
    struct stat status {};
    return ::stat(name.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0;
}

/// What demuxers answer that do not like a file, and no system says of one that it has opened.
bool is_refusal(int code) {
    return code == AVERROR(EBUSY) || code == AVERROR(EINVAL) || code == AVERROR(EPERM);
}

} // namespace

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
    const Result<MediaOpening> opening = find_opening(name_, wishes);
    if (!opening)
        return std::unexpected(opening.error());
    local_ = opening->local();
    if (Status status = allocate(); !status)
        return status;
    if (opening->kind == MediaOpening::Kind::pipe) {
        Result<std::unique_ptr<PipeReader>> pipe = PipeReader::open(name_, interrupt_);
        if (!pipe)
            return std::unexpected(std::move(pipe.error()));
        pipe_ = std::move(*pipe);
        context_->pb = pipe_->context();
    }
    Status status = open_as(*opening, wishes);
    if (status && opening->unsized_raw && is_shapeless())
        return sizeless(name_);
    const bool found_out = status && local_ && opening->format == nullptr;
    if (!found_out || (context_->iformat->flags & AVFMT_NOFILE) == 0)
        return status;
    // A picture in a file: it would be read from where looking at it ended, and only once.
    MediaOpening known = *opening;
    known.format = context_->iformat;
    status = allocate();
    return status ? open_as(known, wishes) : status;
}

/// FFmpeg takes any file for a raw picture that is called so, and only then asks for its size.
bool MediaInput::is_shapeless() const {
    const AVCodecParameters* const first =
        context_->nb_streams == 0 ? nullptr : context_->streams[0]->codecpar;
    return first != nullptr && first->codec_id == AV_CODEC_ID_RAWVIDEO &&
           (first->format == AV_PIX_FMT_NONE || container() == "rawvideo");
}

Status MediaInput::allocate() {
    context_.reset(ffmpeg_formats().avformat_alloc_context());
    if (!context_)
        return system_error("open", name_, ENOMEM);
    context_->interrupt_callback = {.callback = [](void* interrupt) -> int {
                                        return static_cast<const Interrupt*>(interrupt)->pending() ? 1 : 0;
                                    },
                                    .opaque = const_cast<Interrupt*>(&interrupt_)};
    return {};
}

Status MediaInput::open_as(const MediaOpening& opening, const MediaInputWishes& wishes) {
    AvOptions options;
    if (Status status = set_options(options, opening, name_, wishes); !status)
        return status;
    AVFormatContext* opened = context_.release(); // FFmpeg frees it when it fails
    const int result =
        ffmpeg_formats().avformat_open_input(&opened, opening.url.c_str(), opening.format, options.get());
    context_.reset(opened);
    const bool refused = is_refusal(result) || result == AVERROR_INVALIDDATA;
    if (opening.unsized_raw && refused && !is_network(name_) && !interrupt_.pending())
        return sizeless(name_);
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
        error.detail = is_empty(name_) ? "it is empty" : "there are no pictures in it";
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
