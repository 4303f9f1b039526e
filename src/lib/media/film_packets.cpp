// SPDX-License-Identifier: MIT
// A film that is not decoded: its packets, as devices and files have them.
#include "media/film.h"
#include "media/stream_codec.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

} // namespace

std::optional<FourCC> Film::packet_format() const {
    const StreamCodec* entry = find_stream_codec(input_->stream().codecpar->codec_id);
    return entry == nullptr ? std::nullopt : std::optional(entry->fourcc);
}

CodedPictures Film::coded() const {
    const AVCodecParameters& stream = *input_->stream().codecpar;
    CodedPictures coded{
        .primaries = stream.color_primaries, .transfer = stream.color_trc, .matrix = stream.color_space};
    if (stream.color_range != AVCOL_RANGE_UNSPECIFIED)
        coded.full_range = stream.color_range == AVCOL_RANGE_JPEG;
    if (stream.profile != FF_PROFILE_UNKNOWN)
        coded.profile = stream.profile;
    if (stream.level != FF_LEVEL_UNKNOWN)
        coded.level = stream.level;
    if (const char* pixels = ffmpeg().av_get_pix_fmt_name(static_cast<AVPixelFormat>(stream.format)))
        coded.pixels = pixels;
    return coded;
}

Status Film::play_packets(bool wanted) {
    packets_ = wanted;
    converter_.reset();
    const AVStream& stream = input_->stream();
    const StreamCodec* const entry = find_stream_codec(stream.codecpar->codec_id);
    if (!wanted || entry == nullptr || entry->to_device == nullptr)
        return {};
    const AVBitStreamFilter* const filter = ffmpeg().av_bsf_get_by_name(entry->to_device);
    if (filter == nullptr)
        return make_error(ErrorKind::unsupported, "convert packets of", input_->name(),
                          fmt::format("this FFmpeg was built without {}", entry->to_device));
    AVBSFContext* context = nullptr;
    int result = ffmpeg().av_bsf_alloc(filter, &context);
    converter_.reset(context);
    if (result >= 0)
        result = ffmpeg().avcodec_parameters_copy(converter_->par_in, stream.codecpar);
    if (result >= 0) {
        converter_->time_base_in = stream.time_base;
        result = ffmpeg().av_bsf_init(converter_.get());
    }
    return result < 0 ? Status(av_error("convert packets of", input_->name(), result)) : Status{};
}

Status Film::keep_for_packets() {
    constexpr std::size_t most = std::size_t{64} << 20; // a peer may go on for long without a picture
    looked_at_bytes_ += static_cast<std::size_t>(std::max(packet_->size, 0));
    first_packets_lost_ = looked_at_bytes_ > most;
    if (first_packets_lost_) {
        looked_at_.clear();
        return {};
    }
    Result<AvPacket> kept = make_av_packet();
    if (!kept)
        return std::unexpected(std::move(kept.error()));
    if (ffmpeg().av_packet_ref(kept->get(), packet_.get()) < 0)
        return system_error("packet", "", ENOMEM);
    looked_at_.push_back(std::move(*kept));
    return {};
}

// The picture that was looked at is in them.
void Film::begin_packets() {
    first_.reset();
    zero_.reset();
    last_.reset();
    last_step_.reset();
    in_round_ = 0;
}

Result<std::optional<FilmPicture>> Film::next_packet() {
    const Result<bool> there = converter_ ? read_converted() : read_packet();
    if (!there)
        return std::unexpected(there.error());
    if (!*there)
        return std::nullopt;
    Result<AvPacket> packet = make_av_packet();
    if (!packet)
        return std::unexpected(std::move(packet.error()));
    FilmPicture picture;
    // In the order of decoding: pictures' own times would go back and forth.
    picture.time = time_of(decode_timestamp(*packet_));
    if (zero_ && packet_->pts != AV_NOPTS_VALUE)
        picture.shown = std::max(picture.time, microseconds(to_microseconds(packet_->pts) - *zero_));
    // One that seems damaged is not left out: a decoder makes more of it than of none.
    ffmpeg().av_packet_move_ref(packet->get(), packet_.get());
    picture.packet = std::move(*packet);
    return picture;
}

Result<bool> Film::read_converted() {
    while (true) {
        const int result = ffmpeg().av_bsf_receive_packet(converter_.get(), packet_.get());
        if (result >= 0)
            return true;
        if (result == AVERROR_EOF)
            return false;
        const Result<bool> there = read_packet();
        if (!there)
            return there;
        at_end_ = !*there;
        // What it cannot convert is left out.
        static_cast<void>(ffmpeg().av_bsf_send_packet(converter_.get(), *there ? packet_.get() : nullptr));
    }
}

// Demuxers that know only when pictures are shown leave the time of decoding away at the beginning: it is as
// many pictures earlier as the decoder holds back.
std::int64_t Film::decode_timestamp(const AVPacket& packet) const {
    if (packet.dts != AV_NOPTS_VALUE || packet.pts == AV_NOPTS_VALUE)
        return packet.dts;
    if (!reorders_)
        return packet.pts;
    if (zero_)
        return AV_NOPTS_VALUE; // the next one
    const AVStream& stream = input_->stream();
    const std::int64_t delay = stream.codecpar->video_delay * step().count();
    return packet.pts - ffmpeg().av_rescale_q(delay, av_microseconds, stream.time_base);
}

} // namespace v4l2dma
