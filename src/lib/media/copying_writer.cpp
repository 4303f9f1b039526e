// SPDX-License-Identifier: MIT
#include "media/copying_writer.h"

#include "media/av_colorimetry.h"
#include "media/encoder_choice.h"
#include "media/stream_codec.h"

#include <algorithm>
#include <cstring>

namespace v4l2dma {

namespace {

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

/// All but what is in the packets. A film's own words where there are some: V4L2 has not all of them.
void describe(AVCodecParameters& stream, const FrameFormat& format,
              const std::optional<CodedPictures>& coded) {
    stream.codec_type = AVMEDIA_TYPE_VIDEO;
    stream.codec_id = codec_of_packets(format.fourcc);
    stream.width = static_cast<int>(format.width);
    stream.height = static_cast<int>(format.height);
    const bool jpeg = stream.codec_id == AV_CODEC_ID_MJPEG;
    const AvColours colours = to_av_colours(format);
    stream.color_primaries = coded ? static_cast<AVColorPrimaries>(coded->primaries) : colours.primaries;
    stream.color_trc = coded ? static_cast<AVColorTransferCharacteristic>(coded->transfer) : colours.transfer;
    stream.color_space = coded ? static_cast<AVColorSpace>(coded->matrix) : colours.matrix;
    stream.color_range = jpeg ? AVCOL_RANGE_JPEG : colours.range;
    if (coded && !jpeg)
        stream.color_range = !coded->full_range   ? AVCOL_RANGE_UNSPECIFIED
                             : *coded->full_range ? AVCOL_RANGE_JPEG
                                                  : AVCOL_RANGE_MPEG;
    stream.format = jpeg ? AV_PIX_FMT_YUVJ422P : AV_PIX_FMT_YUV420P;
    if (!coded)
        return;
    if (!coded->pixels.empty())
        stream.format = ffmpeg().av_get_pix_fmt(coded->pixels.c_str());
    stream.profile = coded->profile.value_or(stream.profile);
    stream.level = coded->level.value_or(stream.level);
}

} // namespace

bool loses_order(const StreamProperties& properties, const AVOutputFormat& muxer) {
    const std::string_view name = muxer.name;
    const bool only_shown =
        name == "rtp" || name == "rtsp"; // no times of decoding, which receivers then miss
    const bool none = !MediaOutput::has_times(muxer) && (muxer.flags & AVFMT_NOTIMESTAMPS) == 0;
    return properties.reorders && (only_shown || none);
}

Status CopyingWriter::check(const FrameWriterSettings& settings) {
    const AVCodecID codec = codec_of_packets(settings.source.fourcc);
    const Holding held = holds(*settings.target.muxer, codec);
    if (held == Holding::no)
        return not_held(*settings.target.muxer, ffmpeg().avcodec_get_name(codec));
    if (loses_order(settings.properties, *settings.target.muxer))
        return make_error(ErrorKind::usage, "container", settings.target.muxer->name,
                          "it has no times for packets that come in another order than their pictures",
                          "mkv, mp4 and ts have; without --codec copy they are encoded anew");
    // A header may want parameter sets, which the packets have; some containers ask the connection.
    if (held == Holding::yes || settings.target.url)
        return {};
    Result<AvParameters> parameters = make_av_parameters();
    if (!parameters)
        return std::unexpected(std::move(parameters.error()));
    describe(**parameters, settings.source, settings.properties.coded);
    return MediaOutput::check(*settings.target.muxer, {.parameters = parameters->get(),
                                                       .time_base = av_microseconds,
                                                       .rate = {25, 1},
                                                       .intra_only = is_intra_only(codec)});
}

Result<std::unique_ptr<FrameWriter>> CopyingWriter::create(const FrameWriterSettings& settings,
                                                           OutputFiles* files) {
    if (Status status = check(settings); !status)
        return std::unexpected(std::move(status.error()));
    Result<PacketWriter> packets = PacketWriter::create(settings, files);
    Result<AvPacket> packet = make_av_packet();
    if (!packets || !packet)
        return std::unexpected(packets ? packet.error() : packets.error());
    return std::unique_ptr<FrameWriter>(new CopyingWriter(settings.source, settings.properties.coded,
                                                          std::move(*packets), std::move(*packet)));
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
    describe(stream, format_, coded_);
    if (Status status = extract_parameters(stream, *packet_); !status)
        return status;
    const bool counted = !MediaOutput::has_times(packets_.muxer());
    packets_.begin({.parameters = std::move(*parameters),
                    .time_base = counted ? AVRational{rate_.den, rate_.num} : av_microseconds,
                    .rate = rate_,
                    .intra_only = is_intra_only(codec_)});
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
        last_count_ = std::max(ffmpeg().av_rescale_q(order.count(), av_microseconds, step), last_count_ + 1);
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
