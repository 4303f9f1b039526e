// SPDX-License-Identifier: MIT
#include "support/film_file.h"

#include <cstring>
#include <doctest/doctest.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace v4l2dma::testing {

namespace {

struct FreeContext {
    void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
using Encoder = std::unique_ptr<AVCodecContext, FreeContext>;

struct CloseFile {
    void operator()(AVFormatContext* context) const noexcept {
        avio_closep(&context->pb);
        avformat_free_context(context);
    }
};
using File = std::unique_ptr<AVFormatContext, CloseFile>;

struct FreePacket {
    void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};

Encoder make_encoder(const FilmSpec& spec, bool global_header) {
    const AVCodec* const codec = avcodec_find_encoder_by_name(spec.codec.c_str());
    REQUIRE(codec != nullptr);
    Encoder encoder(avcodec_alloc_context3(codec));
    encoder->width = spec.width;
    encoder->height = spec.height;
    encoder->pix_fmt = spec.pixel_format;
    const bool fixed_rate = spec.codec.starts_with("mpeg");
    encoder->time_base = fixed_rate ? AVRational{1, 25} : AVRational{1, 1000};
    encoder->framerate = {25, 1};
    encoder->sample_aspect_ratio = spec.aspect;
    encoder->color_range = spec.range;
    encoder->colorspace = spec.matrix;
    encoder->thread_count = 1;
    encoder->gop_size = 4;
    if (spec.codec == "libx264") {
        encoder->max_b_frames = 2;
        if (spec.lossless)
            av_opt_set(encoder->priv_data, "qp", "0", 0);
        av_opt_set(encoder->priv_data, "preset", "veryfast", 0);
    }
    if (spec.codec == "libx265")
        av_opt_set(encoder->priv_data, "x265-params", "log-level=none", 0);
    if (spec.interlaced)
        encoder->flags |= AV_CODEC_FLAG_INTERLACED_DCT | AV_CODEC_FLAG_INTERLACED_ME;
    if (global_header)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    REQUIRE(avcodec_open2(encoder.get(), codec, nullptr) >= 0);
    return encoder;
}

/// Takes what the encoder has to the file; nullptr: its end.
void encode(AVCodecContext& encoder, const AVFrame* frame, AVFormatContext& file) {
    REQUIRE(avcodec_send_frame(&encoder, frame) >= 0);
    const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
    while (avcodec_receive_packet(&encoder, packet.get()) >= 0) {
        av_packet_rescale_ts(packet.get(), encoder.time_base, file.streams[0]->time_base);
        packet->stream_index = 0;
        if (packet->duration == 0) // some containers take what lasts no time for not to be shown
            packet->duration = av_rescale_q(40, {1, 1000}, file.streams[0]->time_base);
        REQUIRE(av_interleaved_write_frame(&file, packet.get()) >= 0);
    }
}

void turn(AVStream& stream, int degrees) {
    if (degrees == 0)
        return;
    auto* const matrix = reinterpret_cast<std::int32_t*>(
        av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(std::int32_t)));
    REQUIRE(matrix != nullptr);
    av_display_rotation_set(matrix, degrees);
}

/// A stream that has to be left alone.
void add_sound(AVFormatContext& file) {
    AVStream* const stream = avformat_new_stream(&file, nullptr);
    stream->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
    stream->codecpar->codec_id = AV_CODEC_ID_PCM_S16LE;
    stream->codecpar->sample_rate = 8000;
    stream->codecpar->bits_per_coded_sample = 16;
    av_channel_layout_default(&stream->codecpar->ch_layout, 1);
}

void write_sound(AVFormatContext& file) {
    const std::unique_ptr<AVPacket, FreePacket> packet(av_packet_alloc());
    REQUIRE(av_new_packet(packet.get(), 1600) >= 0);
    std::memset(packet->data, 0, 1600);
    packet->stream_index = 1;
    packet->pts = packet->dts = 0;
    packet->flags |= AV_PKT_FLAG_KEY;
    REQUIRE(av_interleaved_write_frame(&file, packet.get()) >= 0);
}

} // namespace

FilmFrame film_picture(const FilmSpec& spec, int number) {
    FilmFrame frame(av_frame_alloc());
    frame->format = spec.pixel_format;
    frame->width = spec.width;
    frame->height = spec.height;
    frame->color_range = spec.range;
    REQUIRE(av_frame_get_buffer(frame.get(), 0) >= 0);
    for (int plane = 0; plane < 4 && frame->data[plane] != nullptr; ++plane) {
        const int bytes = av_image_get_linesize(spec.pixel_format, spec.width, plane);
        const bool chroma = plane == 1 || plane == 2;
        const AVPixFmtDescriptor& descriptor = *av_pix_fmt_desc_get(spec.pixel_format);
        const int rows = chroma ? AV_CEIL_RSHIFT(spec.height, descriptor.log2_chroma_h) : spec.height;
        for (int y = 0; y < rows; ++y)
            for (int x = 0; x < bytes; ++x)
                frame->data[plane][y * frame->linesize[plane] + x] =
                    static_cast<std::uint8_t>(64 + (7 * number + x / 3 + 2 * y + 5 * plane) % 128);
    }
    return frame;
}

bool same_pixels(const AVFrame& a, const AVFrame& b) {
    if (a.width != b.width || a.height != b.height)
        return false;
    const auto format = static_cast<AVPixelFormat>(b.format);
    const AVPixFmtDescriptor& descriptor = *av_pix_fmt_desc_get(format);
    for (int plane = 0; plane < 4 && b.data[plane] != nullptr; ++plane) {
        const auto bytes = static_cast<std::size_t>(av_image_get_linesize(format, b.width, plane));
        const bool chroma = plane == 1 || plane == 2;
        const int rows = chroma ? AV_CEIL_RSHIFT(b.height, descriptor.log2_chroma_h) : b.height;
        for (int y = 0; y < rows; ++y)
            if (std::memcmp(a.data[plane] + y * a.linesize[plane], b.data[plane] + y * b.linesize[plane],
                            bytes) != 0)
                return false;
    }
    return true;
}

void make_film(const std::string& path, const FilmSpec& spec) {
    av_log_set_level(AV_LOG_QUIET);
    AVFormatContext* context = nullptr;
    REQUIRE(avformat_alloc_output_context2(&context, nullptr, nullptr, path.c_str()) >= 0);
    const File file(context);
    const bool global_header = (file->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    Encoder encoder = make_encoder(spec, global_header);
    AVStream* const stream = avformat_new_stream(file.get(), nullptr);
    REQUIRE(avcodec_parameters_from_context(stream->codecpar, encoder.get()) >= 0);
    stream->time_base = encoder->time_base;
    stream->sample_aspect_ratio = spec.aspect;
    turn(*stream, spec.rotation);
    if (spec.audio)
        add_sound(*file);
    REQUIRE(avio_open(&file->pb, path.c_str(), AVIO_FLAG_WRITE) >= 0);
    REQUIRE(avformat_write_header(file.get(), nullptr) >= 0);
    if (spec.audio)
        write_sound(*file);
    FilmSpec now = spec;
    for (int i = 0; i < static_cast<int>(spec.times_ms.size()); ++i) {
        if (i == spec.width_from) { // what an encoder begins anew is another film in the same file
            encode(*encoder, nullptr, *file);
            now.width /= 2;
            now.height /= 2;
            encoder = make_encoder(now, false);
        }
        const FilmFrame frame = film_picture(now, i);
        frame->pts = av_rescale_q(spec.times_ms[static_cast<std::size_t>(i)], {1, 1000}, encoder->time_base);
        frame->interlaced_frame = spec.interlaced ? 1 : 0;
        frame->top_field_first = 1;
        encode(*encoder, frame.get(), *file);
    }
    encode(*encoder, nullptr, *file);
    REQUIRE(av_write_trailer(file.get()) >= 0);
}

} // namespace v4l2dma::testing
