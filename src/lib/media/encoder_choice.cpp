// SPDX-License-Identifier: MIT
#include "media/encoder_choice.h"

#include "base/suggest.h"
#include "base/words.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <vector>

namespace v4l2dma {

namespace {

template <typename Visit> void each_video_encoder(Visit visit) {
    void* position = nullptr;
    while (const AVCodec* codec = ffmpeg().av_codec_iterate(&position))
        if (codec->type == AVMEDIA_TYPE_VIDEO && ffmpeg().av_codec_is_encoder(codec) != 0)
            visit(*codec);
}

std::unexpected<Error> unknown_codec(const std::string& name) {
    std::vector<std::string_view> known{"copy"};
    each_video_encoder([&](const AVCodec& codec) {
        for (const char* const text : {codec.name, ffmpeg().avcodec_get_name(codec.id)})
            if (std::ranges::find(known, std::string_view(text)) == known.end())
                known.emplace_back(text);
    });
    std::vector<std::string_view> near = near_matches(name, known, 3);
    if (near.empty())
        near = {"h264", "ffv1", "mjpeg", "rawvideo"};
    return make_error(ErrorKind::usage, "codec", name, "unknown",
                      fmt::format("There are: {}, ..", fmt::join(near, ", ")));
}

Result<const AVCodec*> find_encoder(const std::string& name) {
    if (const AVCodec* codec = ffmpeg().avcodec_find_encoder_by_name(name.c_str());
        codec != nullptr && codec->type == AVMEDIA_TYPE_VIDEO)
        return codec;
    const AVCodecDescriptor* descriptor = ffmpeg().avcodec_descriptor_get_by_name(name.c_str());
    if (descriptor == nullptr || descriptor->type != AVMEDIA_TYPE_VIDEO)
        return unknown_codec(name);
    if (const AVCodec* codec = ffmpeg().avcodec_find_encoder(descriptor->id))
        return codec;
    return make_error(ErrorKind::unsupported, "codec", name, "this FFmpeg knows it, but cannot encode it");
}

/// What a container calls its own is often older than what it is used for.
bool is_old(AVCodecID codec) {
    return codec == AV_CODEC_ID_MPEG4 || codec == AV_CODEC_ID_MPEG2VIDEO || codec == AV_CODEC_ID_FLV1;
}

/// What FFmpeg's tables have not, or have wrong. Some muxers write the header of any codec; what is in the
/// file is then found by nobody, or by luck.
Holding holds_by_experience(const AVOutputFormat& muxer, AVCodecID codec) {
    constexpr std::array mpeg{AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4};
    const std::string_view name = muxer.name;
    const bool has_mpeg = std::ranges::find(mpeg, codec) != mpeg.end();
    const bool has_newer = codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC;
    if (is_one_of(name, {"mpegts", "rtp_mpegts"}))
        return has_mpeg || has_newer ? Holding::yes : Holding::no;
    if (is_one_of(name, {"mpeg", "vob", "svcd", "dvd", "vcd"}))
        return has_mpeg ? Holding::yes : Holding::no;
    if (is_one_of(name, {"rtp", "rtsp"}) && has_newer)
        return Holding::yes;
    if (is_one_of(name, {"mov", "3gp", "3g2", "ipod", "psp", "f4v"}) &&
        (codec == AV_CODEC_ID_VP8 || codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1))
        return Holding::no; // of its family only mp4 has them
    const bool bare = (muxer.flags & AVFMT_NOTIMESTAMPS) != 0 && muxer.video_codec != AV_CODEC_ID_NONE;
    return bare && name != "rawvideo" ? Holding::no : Holding::unknown; // .h264 holds H.264
}

/// AVI has no times: pictures that come in another order than they are shown do not suit it.
bool suits_h264(const AVOutputFormat& muxer) {
    return muxer.video_codec == AV_CODEC_ID_H264 ||
           (is_old(muxer.video_codec) && std::string_view(muxer.name) != "avi" &&
            holds(muxer, AV_CODEC_ID_H264) == Holding::yes);
}

Result<const AVCodec*> usual_encoder(const AVOutputFormat& muxer) {
    if (suits_h264(muxer))
        if (const AVCodec* codec = ffmpeg().avcodec_find_encoder_by_name("libx264"))
            return codec;
    const AVCodecID guess =
        ffmpeg_formats().av_guess_codec(&muxer, nullptr, nullptr, nullptr, AVMEDIA_TYPE_VIDEO);
    for (const AVCodecID id : {guess, AV_CODEC_ID_MPEG4, AV_CODEC_ID_FFV1, AV_CODEC_ID_MJPEG})
        if (id != AV_CODEC_ID_NONE && holds(muxer, id) != Holding::no)
            if (const AVCodec* codec = ffmpeg().avcodec_find_encoder(id))
                return codec;
    return make_error(ErrorKind::unsupported, "container", muxer.name,
                      "this FFmpeg has no encoder for what it usually holds", "Choose one by --codec");
}

bool in_memory(AVPixelFormat format) {
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    return descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_HWACCEL) == 0;
}

/// FFmpeg's JPEG takes limited range only by a special wish, and few players look for the note that says so.
bool is_full_range_name(AVPixelFormat format) {
    return format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P || format == AV_PIX_FMT_YUVJ444P;
}

/// Some encoders want whole samples of colour.
bool fits(const AVCodec& encoder, AVPixelFormat format, std::uint32_t width, std::uint32_t height) {
    const std::string_view name = encoder.name;
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    if ((name != "libx264" && name != "libx265") || descriptor == nullptr)
        return true;
    return width % (1U << descriptor->log2_chroma_w) == 0 && height % (1U << descriptor->log2_chroma_h) == 0;
}

} // namespace

Holding holds(const AVOutputFormat& muxer, AVCodecID codec) {
    const int answer = ffmpeg_formats().avformat_query_codec(&muxer, codec, FF_COMPLIANCE_NORMAL);
    const bool own = codec == muxer.video_codec && answer > 0;
    const Holding known = own ? Holding::yes : holds_by_experience(muxer, codec);
    if (known != Holding::unknown || answer < 0)
        return known;
    return answer == 0 ? Holding::no : Holding::yes;
}

std::unexpected<Error> not_held(const AVOutputFormat& muxer, std::string_view codec) {
    constexpr std::size_t enough = 5;
    std::vector<std::string_view> names;
    const auto add = [&](AVCodecID id) {
        const std::string_view name = ffmpeg().avcodec_get_name(id);
        if (names.size() < enough && std::ranges::find(names, name) == names.end() &&
            holds(muxer, id) == Holding::yes && ffmpeg().avcodec_find_encoder(id) != nullptr)
            names.push_back(name);
    };
    for (const AVCodecID id :
         {muxer.video_codec, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_MJPEG, AV_CODEC_ID_FFV1})
        add(id);
    each_video_encoder([&](const AVCodec& encoder) { add(encoder.id); });
    return make_error(ErrorKind::usage, "container", muxer.name, fmt::format("it does not take {}", codec),
                      names.empty() ? "" : fmt::format("It takes: {}, ..", fmt::join(names, ", ")));
}

Result<const AVCodec*> choose_encoder(const AVOutputFormat& muxer, const ExportWishes& wishes) {
    if (!wishes.codec)
        return usual_encoder(muxer);
    return find_encoder(*wishes.codec); // MediaOutput::check() knows more than the container's table
}

AVPixelFormat choose_pixels(const AVCodec& encoder, AVPixelFormat source, std::uint32_t width,
                            std::uint32_t height) {
    if (encoder.pix_fmts == nullptr)
        return source;
    std::vector<AVPixelFormat> taken;
    for (const AVPixelFormat* format = encoder.pix_fmts; *format != AV_PIX_FMT_NONE; ++format)
        if (in_memory(*format) && fits(encoder, *format, width, height) &&
            (encoder.id != AV_CODEC_ID_MJPEG || is_full_range_name(*format)))
            taken.push_back(*format);
    if (taken.empty())
        return AV_PIX_FMT_NONE;
    if (std::ranges::find(taken, source) != taken.end())
        return source;
    taken.push_back(AV_PIX_FMT_NONE);
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(source);
    const bool alpha = descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
    return ffmpeg().avcodec_find_best_pix_fmt_of_list(taken.data(), source, alpha ? 1 : 0, nullptr);
}

} // namespace v4l2dma
