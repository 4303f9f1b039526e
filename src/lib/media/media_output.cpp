// SPDX-License-Identifier: MIT
#include "media/media_output.h"

#include "base/words.h"
#include "media/encoder_choice.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace v4l2dma {

namespace {

bool is_mp4(const AVOutputFormat& muxer) {
    return is_one_of(muxer.name, {"mp4", "mov", "ismv", "ipod", "3gp", "3g2", "psp", "f4v"});
}

/// What keeps a file playable up to where it broke off. A fragment of mp4 is lost as a whole, as is a cluster
/// of Matroska: neither shall be longer than about a second, or than from one key frame to the next.
void set_options(AvOptions& options, const AVOutputFormat& muxer, const MediaOutput::Stream& stream) {
    if (is_mp4(muxer)) {
        options.set("movflags", stream.intra_only ? "empty_moov+default_base_moof+delay_moov"
                                                  : "empty_moov+default_base_moof+delay_moov+frag_keyframe");
        options.set("frag_duration", "1000000"); // microseconds
        options.set("write_tmcd", "0");          // a track that is no picture
    } else if (is_one_of(muxer.name, {"matroska", "webm"})) {
        options.set("cluster_time_limit", "1000"); // milliseconds
    } else if (is_one_of(muxer.name, {"flv"})) {
        options.set("flvflags", "no_duration_filesize"); // would want to go back in a connection
    }
}

/// A tag that says more than the codec does, as of raw video, unless the container has another one.
unsigned tag_for(const AVOutputFormat& muxer, const AVCodecParameters& parameters) {
    unsigned other = 0;
    const bool suits =
        muxer.codec_tag == nullptr ||
        ffmpeg_formats().av_codec_get_id(muxer.codec_tag, parameters.codec_tag) == parameters.codec_id ||
        ffmpeg_formats().av_codec_get_tag2(muxer.codec_tag, parameters.codec_id, &other) == 0;
    return suits ? parameters.codec_tag : 0;
}

/// What turns pictures when they are shown; containers that have no place for it leave it out.
Status add_display_matrix(AVStream& stream, const std::array<std::int32_t, 9>& matrix) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    AVPacketSideData* const added = ffmpeg().av_packet_side_data_new(
        &stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX,
        sizeof matrix, 0);
    std::uint8_t* const data = added == nullptr ? nullptr : added->data;
#else
    std::uint8_t* const data =
        ffmpeg_formats().av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix);
#endif
    if (data == nullptr)
        return system_error("write", "", ENOMEM);
    std::memcpy(data, matrix.data(), sizeof matrix);
    return {};
}

Status add_stream(AVFormatContext& context, const MediaOutput::Stream& stream) {
    AVStream* const added = ffmpeg_formats().avformat_new_stream(&context, nullptr);
    if (added == nullptr || ffmpeg().avcodec_parameters_copy(added->codecpar, stream.parameters) < 0)
        return system_error("write", context.oformat->name, ENOMEM);
    added->codecpar->codec_tag = tag_for(*context.oformat, *stream.parameters);
    added->time_base = stream.time_base;
    added->avg_frame_rate = stream.rate;
    added->r_frame_rate = stream.rate;
    added->sample_aspect_ratio = to_av(stream.aspect);
    added->codecpar->sample_aspect_ratio = added->sample_aspect_ratio;
    return stream.display_matrix ? add_display_matrix(*added, *stream.display_matrix) : Status{};
}

/// FFmpeg refuses for many reasons, none of which is that nobody takes what it writes: then it is the codec.
Status write_header(AVFormatContext& context, AvOutput& output, const MediaOutput::Stream& stream) {
    const AVOutputFormat& muxer = *context.oformat;
    AvOptions options;
    set_options(options, muxer, stream);
    const bool connects = (muxer.flags & AVFMT_NOFILE) != 0;
    if (connects)
        output.begin_connecting();
    const int result = ffmpeg_formats().avformat_write_header(&context, options.get());
    // -1 is all that FFmpeg's RTP says of a codec that it cannot carry.
    if (result < 0 && (result == -1 || !output.is_hindered()))
        return not_held(muxer, ffmpeg().avcodec_get_name(stream.parameters->codec_id));
    if (result < 0)
        return output.error(connects ? "open" : "write", result);
    if (connects)
        output.end_connecting();
    return {};
}

} // namespace

Result<std::unique_ptr<MediaOutput>>
MediaOutput::create(const AVOutputFormat& muxer, std::unique_ptr<AvOutput> output, const Stream& stream) {
    AVFormatContext* made = nullptr;
    if (ffmpeg_formats().avformat_alloc_output_context2(&made, &muxer, nullptr, output->name().c_str()) < 0)
        return system_error("write", output->name(), ENOMEM);
    AvMuxer context(made);
    context->pb = output->context();
    context->interrupt_callback = output->interrupt();
    context->flags |= AVFMT_FLAG_FLUSH_PACKETS;
    if (output->context() != nullptr)
        context->flags |= AVFMT_FLAG_CUSTOM_IO; // we close it
    if (Status status = add_stream(*context, stream); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = write_header(*context, *output, stream); !status) {
        context.reset();
        output->discard();
        return std::unexpected(std::move(status.error()));
    }
    return std::unique_ptr<MediaOutput>(
        new MediaOutput(std::move(context), std::move(output), stream.time_base));
}

// FFmpeg does not say it of all that have.
bool MediaOutput::has_times(const AVOutputFormat& muxer) {
    if ((muxer.flags & AVFMT_NOTIMESTAMPS) != 0)
        return false;
    return (muxer.flags & AVFMT_VARIABLE_FPS) != 0 || is_mp4(muxer) ||
           is_one_of(muxer.name, {"rtp", "rtp_mpegts", "rtsp"});
}

Status MediaOutput::check(const AVOutputFormat& muxer, const Stream& stream) {
    Result<std::unique_ptr<AvOutput>> nowhere = AvOutput::to_nowhere();
    if (!nowhere)
        return std::unexpected(std::move(nowhere.error()));
    const Result<std::unique_ptr<MediaOutput>> trial = create(muxer, std::move(*nowhere), stream);
    return trial ? Status{} : std::unexpected(trial.error());
}

Result<std::string> MediaOutput::description() const {
    std::string text(1 << 14, '\0');
    AVFormatContext* context = context_.get();
    if (ffmpeg_formats().av_sdp_create(&context, 1, text.data(), static_cast<int>(text.size())) < 0)
        return system_error("describe", name(), ENOMEM);
    text.resize(text.find('\0'));
    return text;
}

Status MediaOutput::write(AVPacket& packet) {
    ffmpeg().av_packet_rescale_ts(&packet, time_base_, context_->streams[0]->time_base);
    const std::int64_t step = std::max(packet.dts - last_dts_.value_or(packet.dts), packet.pts - packet.dts);
    if (is_mp4(*context_->oformat) && step > INT32_MAX)
        return make_error(ErrorKind::system, "write", name(),
                          "the pause between two pictures is longer than this container has a number for",
                          "Matroska has one: name it .mkv");
    last_dts_ = packet.dts;
    packet.stream_index = 0;
    packet.pos = -1;
    packet_bytes_ += static_cast<std::uint64_t>(packet.size);
    output_->begin_operation();
    const int result = ffmpeg_formats().av_interleaved_write_frame(context_.get(), &packet);
    failed_ = result < 0;
    return failed_ ? Status(output_->error("write", result)) : Status{};
}

// A disk that is full takes what goes where bytes are already.
Status MediaOutput::finish() {
    if (failed_)
        output_->forget_error();
    output_->begin_operation();
    const int result = ffmpeg_formats().av_write_trailer(context_.get());
    Status closed = output_->close();
    if (result < 0 && closed)
        return output_->error("write", result);
    return closed;
}

} // namespace v4l2dma
