// SPDX-License-Identifier: MIT
#pragma once

#include "format/stream_properties.h"
#include "media/ffmpeg.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace v4l2dma {

/// The time base of std::chrono::microseconds.
constexpr AVRational av_microseconds{1, 1'000'000};

// Owners of FFmpeg's objects. All of this is only to be used after load_ffmpeg() succeeded.

struct FreeAvFrame {
    void operator()(AVFrame* frame) const noexcept { ffmpeg().av_frame_free(&frame); }
};
struct FreeAvPacket {
    void operator()(AVPacket* packet) const noexcept { ffmpeg().av_packet_free(&packet); }
};
struct FreeAvCodec {
    void operator()(AVCodecContext* context) const noexcept { ffmpeg().avcodec_free_context(&context); }
};
struct FreeSws {
    void operator()(SwsContext* context) const noexcept { ffmpeg().sws_freeContext(context); }
};
struct FreeAvInput {
    void operator()(AVFormatContext* context) const noexcept {
        ffmpeg_formats().avformat_close_input(&context);
    }
};
struct FreeAvBsf {
    void operator()(AVBSFContext* context) const noexcept { ffmpeg().av_bsf_free(&context); }
};
using AvBsf = std::unique_ptr<AVBSFContext, FreeAvBsf>;
using AvFrame = std::unique_ptr<AVFrame, FreeAvFrame>;
using AvPacket = std::unique_ptr<AVPacket, FreeAvPacket>;
using AvCodec = std::unique_ptr<AVCodecContext, FreeAvCodec>;
using AvInput = std::unique_ptr<AVFormatContext, FreeAvInput>; ///< only after load_ffmpeg_formats()
using Sws = std::unique_ptr<SwsContext, FreeSws>;

/// Options for what FFmpeg opens, freed with those that it did not take.
class AvOptions {
public:
    AvOptions() = default;
    AvOptions(const AvOptions&) = delete;
    AvOptions& operator=(const AvOptions&) = delete;
    ~AvOptions() { ffmpeg().av_dict_free(&dictionary_); }
    void set(const char* name, const std::string& value) {
        ffmpeg().av_dict_set(&dictionary_, name, value.c_str(), 0);
    }
    [[nodiscard]] AVDictionary** get() noexcept { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

/// An Error (system) from FFmpeg's error number.
[[nodiscard]] std::unexpected<Error> av_error(std::string_view operation, std::string_view object, int code);

/// An empty frame. Errors: (system) no memory.
[[nodiscard]] Result<AvFrame> make_av_frame();
/// A frame with the pixels of @p picture in memory of its own. Errors: (system) no memory.
[[nodiscard]] Result<AvFrame> copy_of(const AVFrame& picture);
/// A frame whose pixels are the caller's, to be put into data[] and linesize[] before each use. FFmpeg takes
/// it for a counted one, which it may keep for the length of a call but does not copy. Errors: (system) no
/// memory.
[[nodiscard]] Result<AvFrame> make_borrowing_frame(AVPixelFormat format, std::uint32_t width,
                                                   std::uint32_t height);
/// An empty packet. Errors: (system) no memory.
[[nodiscard]] Result<AvPacket> make_av_packet();
/// A packet with a copy of @p bytes, and the padding that decoders read beyond the end. Errors: (system) no
/// memory, or too many bytes.
[[nodiscard]] Result<AvPacket> copy_to_packet(std::span<const std::byte> bytes);

[[nodiscard]] constexpr AVRational to_av(PixelAspect aspect) noexcept {
    return {static_cast<int>(aspect.width), static_cast<int>(aspect.height)};
}

/// The bytes of a picture's pixels.
[[nodiscard]] std::uint64_t picture_bytes(const AVFrame& picture);

/// Opens @p codec, which is nullptr if this FFmpeg has none; @p configure sets what it needs first.
/// Errors: (unsupported) no such codec; (system) what FFmpeg says.
template <typename Configure>
[[nodiscard]] Result<AvCodec> open_av_codec(const AVCodec* codec, std::string_view name,
                                            Configure configure) {
    if (codec == nullptr)
        return make_error(ErrorKind::unsupported, "codec", name, "this FFmpeg was built without it");
    AvCodec context(ffmpeg().avcodec_alloc_context3(codec));
    if (!context)
        return system_error("codec", name, ENOMEM);
    configure(*context);
    if (const int result = ffmpeg().avcodec_open2(context.get(), codec, nullptr); result < 0)
        return av_error("codec", name, result);
    return context;
}

} // namespace v4l2dma
