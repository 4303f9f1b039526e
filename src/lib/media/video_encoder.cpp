// SPDX-License-Identifier: MIT
#include "media/video_encoder.h"

#include "base/suggest.h"
#include "base/words.h"
#include "media/stream_codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <string_view>
#include <thread>
#include <vector>

namespace v4l2dma {

namespace {

/// The nearest rate that the codec has a number for.
AVRational nearest_rate(const AVCodec& codec, AVRational wanted) {
    if (codec.supported_framerates == nullptr)
        return wanted;
    const double rate = av_q2d(wanted);
    AVRational best = codec.supported_framerates[0];
    for (const AVRational* known = codec.supported_framerates; known->den != 0 && known->num != 0; ++known)
        if (std::abs(av_q2d(*known) - rate) < std::abs(av_q2d(best) - rate))
            best = *known;
    return best;
}

/// As fine as microseconds, unless the codec counts in pictures, or in ticks of 16 bits.
AVRational time_base_for(const VideoEncoder::Settings& settings, AVRational rate) {
    if (settings.constant_rate || settings.codec->supported_framerates != nullptr)
        return {rate.den, rate.num};
    constexpr std::array coarse{AV_CODEC_ID_MPEG4, AV_CODEC_ID_H263,      AV_CODEC_ID_H263P,
                                AV_CODEC_ID_FLV1,  AV_CODEC_ID_MSMPEG4V2, AV_CODEC_ID_MSMPEG4V3,
                                AV_CODEC_ID_WMV1,  AV_CODEC_ID_WMV2};
    constexpr AVRational ticks{1, 60'000}; // whole ones for all usual rates
    return std::ranges::find(coarse, settings.codec->id) != coarse.end() ? ticks : av_microseconds;
}

/// FFmpeg's own encoders either work on a picture with several threads, or on several pictures, which they
/// keep for that: two fewer than may be borrowed, so that the next ones can be, too.
void set_threads(AVCodecContext& context, const VideoEncoder::Settings& settings) {
    context.thread_count = 0; // as many as there are processors
    if (settings.codec->wrapper_name != nullptr)
        return; // another library: it knows best, and copies pictures
    context.thread_type = FF_THREAD_SLICE;
    if ((settings.codec->capabilities & AV_CODEC_CAP_SLICE_THREADS) != 0)
        return;
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    context.thread_type = FF_THREAD_FRAME;
    context.thread_count =
        static_cast<int>(std::clamp(std::max(settings.most_borrowed, 3U) - 2, 1U, processors));
}

Status set_option(AVCodecContext& context, const char* name, const char* value) {
    const int result = ffmpeg().av_opt_set(context.priv_data, name, value, 0);
    return result < 0 ? Status(av_error(name, value, result)) : Status{};
}

void try_option(AVCodecContext& context, const char* name, const char* value) {
    if (context.priv_data != nullptr)
        (void)ffmpeg().av_opt_set(context.priv_data, name, value, 0); // older versions have not all of them
}

/// Good to look at, and small, where nobody said how large it may be.
void set_quality(AVCodecContext& context, const VideoEncoder::Settings& settings) {
    const std::string_view name = settings.codec->name;
    if (settings.bitrate) {
        context.bit_rate = static_cast<std::int64_t>(*settings.bitrate);
        return;
    }
    context.bit_rate = 0;
    if (is_one_of(name, {"libvpx", "libvpx-vp9"})) {
        try_option(context, "crf", name == "libvpx" ? "10" : "31");
        context.bit_rate = name == "libvpx" ? 20'000'000 : 0; // its most, for VP8
    } else if (settings.codec->wrapper_name == nullptr || is_one_of(name, {"libtheora", "libxvid"})) {
        const int fine = name == "libtheora" ? 7 : 3; // of 10, the most; else of 31, the least
        context.flags |= AV_CODEC_FLAG_QSCALE;
        context.global_quality = FF_QP2LAMBDA * fine;
    }
}

/// Who watches waits for each picture that the encoder looks ahead to, and pictures in another order than
/// they are shown have no times in some protocols.
void set_live(AVCodecContext& context) {
    const std::string_view name = context.codec->name;
    context.max_b_frames = 0;
    if (is_one_of(name, {"libx264", "libx264rgb", "libx265"}))
        try_option(context, "tune", "zerolatency");
    else if (is_one_of(name, {"libvpx", "libvpx-vp9", "libaom-av1"}))
        try_option(context, "lag-in-frames", "0");
}

/// The names that an encoder has for its option: those that FFmpeg lists, and x264's and x265's own.
std::vector<std::string_view> names_of(const AVCodecContext& context, std::string_view option) {
    if (is_one_of(context.codec->name, {"libx264", "libx264rgb", "libx265"}))
        return {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                "medium",    "slow",      "slower",   "veryslow", "placebo"};
    std::vector<std::string_view> names;
    std::string_view unit;
    const AVOption* entry = nullptr;
    while (context.priv_data != nullptr &&
           (entry = ffmpeg().av_opt_next(context.priv_data, entry)) != nullptr)
        if (entry->type != AV_OPT_TYPE_CONST && entry->name == option && entry->unit != nullptr)
            unit = entry->unit;
        else if (entry->type == AV_OPT_TYPE_CONST && entry->unit != nullptr && entry->unit == unit)
            names.emplace_back(entry->name);
    return names;
}

std::unexpected<Error> unknown_preset(const AVCodecContext& context, const std::string& preset,
                                      std::string_view option) {
    const std::vector<std::string_view> known = names_of(context, option);
    std::vector<std::string_view> near = near_matches(preset, known, 3);
    if (near.empty())
        near = known;
    return make_error(
        ErrorKind::usage, "--preset", preset,
        fmt::format("{} has {}", context.codec->name,
                    known.empty() ? "numbers for it, or nothing of the kind" : "no such preset"),
        near.empty() ? "" : fmt::format("There are: {}, ..", fmt::join(near, ", ")));
}

/// x264 and x265 look their names up when they are opened, and then say only that something was wrong.
bool may_be_preset(const AVCodecContext& context, const std::string& preset) {
    const bool number =
        !preset.empty() && std::ranges::all_of(preset, [](char c) { return c >= '0' && c <= '9'; });
    const std::vector<std::string_view> known = names_of(context, "preset");
    return number || known.empty() || std::ranges::find(known, std::string_view(preset)) != known.end();
}

/// Fast enough for a camera on a small machine, unless the user chooses.
Status set_preset(AVCodecContext& context, const VideoEncoder::Settings& settings) {
    const std::string_view name = settings.codec->name;
    const bool vpx = is_one_of(name, {"libvpx", "libvpx-vp9"});
    if (name == "libx265")
        try_option(context, "x265-params", "log-level=error"); // it does not ask FFmpeg
    if (settings.preset) {
        const char* const option = vpx || name == "libaom-av1" ? "cpu-used"
                                   : name == "librav1e"        ? "speed"
                                                               : "preset";
        const bool known = context.priv_data != nullptr && may_be_preset(context, *settings.preset);
        if (!known || !set_option(context, option, settings.preset->c_str()))
            return unknown_preset(context, *settings.preset, option);
        return {};
    }
    if (is_one_of(name, {"libx264", "libx264rgb", "libx265"}))
        return set_option(context, "preset", "veryfast");
    if (vpx) {
        try_option(context, "deadline", "realtime");
        try_option(context, "cpu-used", "8");
        try_option(context, "row-mt", "1");
    } else if (name == "libaom-av1") {
        try_option(context, "usage", "realtime");
        try_option(context, "cpu-used", "8");
        try_option(context, "row-mt", "1");
    } else if (name == "libsvtav1" || name == "librav1e") {
        try_option(context, name == "libsvtav1" ? "preset" : "speed", "10");
    }
    return {};
}

void set_picture(AVCodecContext& context, const VideoEncoder::Settings& settings) {
    context.width = static_cast<int>(settings.width);
    context.height = static_cast<int>(settings.height);
    context.pix_fmt = settings.pixel_format;
    context.sample_aspect_ratio = to_av(settings.aspect);
    context.color_primaries = settings.colours.primaries;
    context.color_trc = settings.colours.transfer;
    context.colorspace = settings.colours.matrix;
    context.color_range = settings.colours.range;
    context.framerate = nearest_rate(*settings.codec, settings.rate);
    context.time_base = time_base_for(settings, context.framerate);
    if (settings.global_header)
        context.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
}

/// Key frames come by time (send()); this is for when the rate is much higher than was thought.
void set_key_frames(AVCodecContext& context) {
    constexpr int most = 600;
    if ((context.codec->id == AV_CODEC_ID_FFV1)) {
        context.gop_size = 1; // each picture can be read without the others
        return;
    }
    const double seconds = 2;
    context.gop_size = std::clamp(static_cast<int>(std::ceil(av_q2d(context.framerate) * seconds)), 1, most);
    try_option(context, "forced-idr", "1");
}

/// What FFmpeg says of that is "Invalid argument", and the reason is in its log at best.
Error refused(Error error, const VideoEncoder::Settings& settings) {
    if (error.kind != ErrorKind::system)
        return error;
    if (settings.preset) {
        error.kind = ErrorKind::usage; // presets are looked up when it is opened
        error.detail += fmt::format(" (it may have no preset '{}')", *settings.preset);
    } else {
        error.remedy = fmt::format(
            "It may not be made for {}x{} at this rate: see --codec, --output-width, --output-height, --fps",
            settings.width, settings.height);
    }
    return error;
}

} // namespace

Result<VideoEncoder> VideoEncoder::open(const Settings& settings) {
    Status configured;
    Result<AvCodec> context = open_av_codec(settings.codec, settings.codec->name, [&](AVCodecContext& raw) {
        set_picture(raw, settings);
        set_threads(raw, settings);
        set_quality(raw, settings);
        set_key_frames(raw);
        configured = set_preset(raw, settings);
        if (settings.live)
            set_live(raw);
        if (settings.codec->id == AV_CODEC_ID_FFV1)
            raw.level = 3; // with checksums, and slices that are lost alone
    });
    if (!configured)
        return std::unexpected(std::move(configured.error()));
    if (!context)
        return std::unexpected(refused(std::move(context.error()), settings));
    return VideoEncoder(std::move(*context));
}

bool VideoEncoder::may_stay_unused(const AVCodec& codec) {
    return !is_one_of(codec.name, {"libsvtav1"});
}

// Found by pictures that end where memory ends (tests/unit/media/frame_writer_test.cpp). libx264rgb reads
// beyond.
bool VideoEncoder::keeps_to_rows(const AVCodec& codec) {
    return is_one_of(codec.name, {"libx264", "ffv1", "rawvideo"});
}

bool VideoEncoder::intra_only() const noexcept {
    return context_->gop_size <= 1 || is_intra_only(context_->codec_id);
}

std::chrono::microseconds VideoEncoder::time_of(std::int64_t timestamp) const noexcept {
    return std::chrono::microseconds(ffmpeg().av_rescale_q(timestamp, context_->time_base, av_microseconds));
}

// Two pictures in one tick are shown one after the other.
Status VideoEncoder::send(AVFrame& picture, std::chrono::microseconds time, bool key) {
    std::int64_t pts = ffmpeg().av_rescale_q(time.count(), av_microseconds, context_->time_base);
    if (last_pts_)
        pts = std::max(pts, *last_pts_ + 1);
    last_pts_ = pts;
    picture.pts = pts;
    picture.pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    picture.quality = context_->global_quality;
    const int result = ffmpeg().avcodec_send_frame(context_.get(), &picture);
    return result < 0 ? Status(av_error("encode", context_->codec->name, result)) : Status{};
}

Status VideoEncoder::end() {
    const int result = ffmpeg().avcodec_send_frame(context_.get(), nullptr);
    return result < 0 && result != AVERROR_EOF ? Status(av_error("encode", context_->codec->name, result))
                                               : Status{};
}

Result<bool> VideoEncoder::receive(AVPacket& packet) {
    const int result = ffmpeg().avcodec_receive_packet(context_.get(), &packet);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF)
        return false;
    if (result < 0)
        return av_error("encode", context_->codec->name, result);
    return true;
}

} // namespace v4l2dma
