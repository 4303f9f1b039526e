// SPDX-License-Identifier: MIT
#include "media/copying_writer.h"

#include "media/av_colorimetry.h"
#include "media/encoder_choice.h"

#include <algorithm>
#include <cstring>

namespace v4l2dma {

namespace {

constexpr AVRational microseconds{1, 1'000'000};

struct StreamCodec {
    FourCC fourcc;
    AVCodecID codec;
};
constexpr StreamCodec table[] = {
    {FourCC("MJPG"), AV_CODEC_ID_MJPEG}, {FourCC("JPEG"), AV_CODEC_ID_MJPEG},
    {FourCC("H264"), AV_CODEC_ID_H264},  {FourCC("HEVC"), AV_CODEC_ID_HEVC},
    {FourCC("VP80"), AV_CODEC_ID_VP8},   {FourCC("VP90"), AV_CODEC_ID_VP9},
    {FourCC("MPG4"), AV_CODEC_ID_MPEG4}, {FourCC("MPG2"), AV_CODEC_ID_MPEG2VIDEO},
};

/// 0 beyond the end.
unsigned number_at(std::span<const std::byte> bytes, std::size_t position) {
    return position < bytes.size() ? std::to_integer<unsigned>(bytes[position]) : 0;
}

/// Calls @p visit with all that follows each start code, until it answers true.
template <typename Visit> bool any_unit(std::span<const std::byte> payload, Visit visit) {
    for (std::size_t i = 0; i + 3 < payload.size(); ++i)
        if (payload[i] == std::byte{0} && payload[i + 1] == std::byte{0} && payload[i + 2] == std::byte{1} &&
            visit(payload.subspan(i + 3)))
            return true;
    return false;
}

/// Whether H.264's supplemental information says that decoding can begin here, though this is no IDR picture.
/// It is messages, each with a type and a length, both in bytes of which 255 goes on.
bool announces_recovery(std::span<const std::byte> sei) {
    constexpr unsigned recovery_point = 6;
    constexpr unsigned end_of_unit = 0x80;
    constexpr unsigned more = 255;
    std::size_t position = 0;
    const auto number = [&] {
        unsigned sum = 0;
        while (number_at(sei, position) == more)
            sum += number_at(sei, position++);
        return sum + number_at(sei, position++);
    };
    while (position + 1 < sei.size() && number_at(sei, position) != end_of_unit) {
        if (number() == recovery_point)
            return true;
        const unsigned length = number();
        position += length;
    }
    return false;
}

/// The first bits of a frame: a marker, the profile, whether it only shows another one, whether it is no key.
bool is_vp9_key(std::span<const std::byte> payload) {
    const unsigned head = number_at(payload, 0);
    const bool reserved_bit = (head >> 4 & 3) == 3; // of profile 3
    const unsigned rest = reserved_bit ? head << 1 : head;
    return head >> 6 == 2 && (rest >> 3 & 1) == 0 && (rest >> 2 & 1) == 0;
}

/// The parameter sets that are in a key frame, which containers want in their header.
Status extract_parameters(AVCodecParameters& parameters, const AVPacket& packet) {
    const AVBitStreamFilter* filter = ffmpeg().av_bsf_get_by_name("extract_extradata");
    AVBSFContext* made = nullptr;
    if (filter == nullptr || ffmpeg().av_bsf_alloc(filter, &made) < 0)
        return {};
    const AvBsf context(made);
    Result<AvPacket> copy = make_av_packet();
    if (!copy || ffmpeg().avcodec_parameters_copy(context->par_in, &parameters) < 0)
        return system_error("codec", "", ENOMEM);
    if (ffmpeg().av_bsf_init(context.get()) < 0) // a codec that has none
        return {};
    if (ffmpeg().av_packet_ref(copy->get(), &packet) < 0 ||
        ffmpeg().av_bsf_send_packet(context.get(), copy->get()) < 0 ||
        ffmpeg().av_bsf_receive_packet(context.get(), copy->get()) < 0)
        return {};
    std::size_t size = 0;
    const std::uint8_t* data =
        ffmpeg().av_packet_get_side_data(copy->get(), AV_PKT_DATA_NEW_EXTRADATA, &size);
    if (data == nullptr)
        return {};
    auto* const extradata =
        static_cast<std::uint8_t*>(ffmpeg().av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
    if (extradata == nullptr)
        return system_error("codec", "", ENOMEM);
    std::memcpy(extradata, data, size);
    parameters.extradata = extradata;
    parameters.extradata_size = static_cast<int>(size);
    return {};
}

} // namespace

AVCodecID stream_codec(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &StreamCodec::fourcc);
    return entry == std::end(table) ? AV_CODEC_ID_NONE : entry->codec;
}

bool loses_order(const StreamProperties& properties, const AVOutputFormat& muxer) {
    const std::string_view name = muxer.name;
    const bool only_shown =
        name == "rtp" || name == "rtsp"; // no times of decoding, which receivers then miss
    const bool none = !MediaOutput::has_times(muxer) && (muxer.flags & AVFMT_NOTIMESTAMPS) == 0;
    return properties.reorders && (only_shown || none);
}

bool is_key_frame(AVCodecID codec, std::span<const std::byte> payload) {
    if (codec == AV_CODEC_ID_H264)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            constexpr unsigned idr_slice = 5;
            constexpr unsigned sei = 6;
            const unsigned type = number_at(unit, 0) & 0x1f;
            return type == idr_slice || (type == sei && announces_recovery(unit.subspan(1)));
        });
    if (codec == AV_CODEC_ID_HEVC)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            const unsigned type = number_at(unit, 0) >> 1 & 0x3f;
            return type >= 16 && type <= 21; // BLA, IDR, CRA
        });
    if (codec == AV_CODEC_ID_VP8)
        return !payload.empty() && (payload[0] & std::byte{1}) == std::byte{0};
    if (codec == AV_CODEC_ID_VP9)
        return is_vp9_key(payload);
    if (codec == AV_CODEC_ID_MPEG4)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            return number_at(unit, 0) == 0xb0 || number_at(unit, 0) == 0x20; // VOS, VOL
        });
    if (codec == AV_CODEC_ID_MPEG2VIDEO)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            return number_at(unit, 0) == 0xb3; // sequence header
        });
    return true;
}

Result<std::unique_ptr<FrameWriter>> CopyingWriter::create(const FrameWriterSettings& settings,
                                                           OutputFiles* files) {
    const AVCodecID codec = stream_codec(settings.source.fourcc);
    if (!may_hold(*settings.target.muxer, codec))
        return not_held(*settings.target.muxer, ffmpeg().avcodec_get_name(codec));
    if (loses_order(settings.properties, *settings.target.muxer))
        return make_error(ErrorKind::usage, "container", settings.target.muxer->name,
                          "it has no times for packets that come in another order than their pictures",
                          "mkv, mp4 and ts have; without --codec copy they are encoded anew");
    Result<PacketWriter> packets = PacketWriter::create(settings, files);
    Result<AvPacket> packet = make_av_packet();
    if (!packets || !packet)
        return std::unexpected(packets ? packet.error() : packets.error());
    return std::unique_ptr<FrameWriter>(
        new CopyingWriter(settings.source, std::move(*packets), std::move(*packet)));
}

Status CopyingWriter::begin(const Beginning& beginning) {
    constexpr int finest = 1001'000;
    rate_ = ffmpeg().av_d2q(beginning.rate, finest);
    return {};
}

Status CopyingWriter::start_stream() {
    Result<AvParameters> parameters = make_av_parameters();
    if (!parameters)
        return std::unexpected(std::move(parameters.error()));
    AVCodecParameters& stream = **parameters;
    stream.codec_type = AVMEDIA_TYPE_VIDEO;
    stream.codec_id = codec_;
    stream.width = static_cast<int>(format_.width);
    stream.height = static_cast<int>(format_.height);
    stream.format = codec_ == AV_CODEC_ID_MJPEG ? AV_PIX_FMT_YUVJ422P : AV_PIX_FMT_YUV420P;
    const AvColours colours = to_av_colours(format_);
    stream.color_primaries = colours.primaries;
    stream.color_trc = colours.transfer;
    stream.color_space = colours.matrix;
    stream.color_range = codec_ == AV_CODEC_ID_MJPEG ? AVCOL_RANGE_JPEG : colours.range;
    if (Status status = extract_parameters(stream, *packet_); !status)
        return status;
    const bool counted = !MediaOutput::has_times(packets_.muxer());
    const AVCodecDescriptor* descriptor = ffmpeg().avcodec_descriptor_get(codec_);
    packets_.begin(
        {.parameters = std::move(*parameters),
         .time_base = counted ? AVRational{rate_.den, rate_.num} : microseconds,
         .rate = rate_,
         .intra_only = descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0});
    counted_ = counted;
    stream_started_ = true;
    return {};
}

Result<FrameWritten> CopyingWriter::write(const FrameToWrite& frame) {
    const std::span<const std::byte> payload =
        frame.planes.empty() ? std::span<const std::byte>{} : frame.planes[0];
    const bool key = frame.key ? *frame.key : is_key_frame(codec_, payload);
    if (!stream_started_ && !key)
        return FrameWritten{.bad = true};
    Result<AvPacket> packet = copy_to_packet(payload);
    if (!packet)
        return std::unexpected(std::move(packet.error()));
    packet_ = std::move(*packet);
    if (!stream_started_)
        if (Status status = start_stream(); !status)
            return std::unexpected(std::move(status.error()));
    const std::chrono::microseconds order = frame.decode_time.value_or(frame.time);
    packet_->pts = frame.time.count();
    packet_->dts = order.count();
    if (counted_) {
        const AVRational step{rate_.den, rate_.num};
        last_count_ = std::max(ffmpeg().av_rescale_q(order.count(), microseconds, step), last_count_ + 1);
        packet_->pts = packet_->dts = last_count_;
    }
    packet_->flags = key ? AV_PKT_FLAG_KEY : 0;
    if (Status status = packets_.write(*packet_); !status)
        return std::unexpected(std::move(status.error()));
    last_time_ = std::max(last_time_, frame.time);
    return FrameWritten{.copied_bytes = payload.size()};
}

Status CopyingWriter::finish(bool) {
    return packets_.finish();
}

ExportSummary CopyingWriter::summary() const {
    ExportSummary summary = packets_.summary();
    summary.codec = "copy";
    summary.duration = last_time_;
    return summary;
}

} // namespace v4l2dma
