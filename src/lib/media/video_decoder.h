// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_objects.h"
#include "media/decode_target.h"
#include "media/decoding_device.h"
#include "media/scaler.h"

#include <memory>

namespace v4l2dma {

/// Decodes a stream's packets, on as many threads as the codec can use; into a DecodeTarget's memory where
/// that fits, and else into memory of FFmpeg's. One thread calls it.
class VideoDecoder {
public:
    /// By @p device (borrowed for the call) unless it is nullptr, as far as it knows the codec's profile.
    /// Errors: (unsupported) @p codec is nullptr; (system) what FFmpeg says.
    [[nodiscard]] static Result<std::unique_ptr<VideoDecoder>> create(const AVCodec* codec,
                                                                      const AVCodecParameters& parameters,
                                                                      AVRational time_base,
                                                                      const DecodingDevice* device = nullptr);
    VideoDecoder(const VideoDecoder&) = delete;
    VideoDecoder& operator=(const VideoDecoder&) = delete;

    /// What may be decoded into the target: pictures of exactly this format. @p target is borrowed until the
    /// decoder and every picture is gone; a decoder may keep some for as long as it lives, whatever it is
    /// told.
    void set_target(DecodeTarget& target, const FrameFormat& format);
    /// Whether this codec's decoder works in memory of this format, mapped in whole pages: lines must begin
    /// where vectors do, and there be room behind the last one for what it reads beyond. The sides must be
    /// whole blocks; the height need not where component planes lie apart, with room for these: see
    /// make_room().
    [[nodiscard]] static bool can_use_target(const AVCodec& codec, const FrameFormat& format) noexcept;
    /// Makes the memory planes of @p format long enough for that, if each is one component plane.
    static void make_room(const AVCodec& codec, FrameFormat& format) noexcept;
    /// Pictures that it looks back at, reorders, or has in work.
    [[nodiscard]] std::uint32_t kept_pictures() const noexcept;

    /// Whether the lines that it decodes are no longer than what is to be seen of them, as far as it knows by
    /// now.
    [[nodiscard]] bool decodes_no_wider() const noexcept { return context_->coded_width <= context_->width; }
    /// Likewise whether there are no more of them.
    [[nodiscard]] bool decodes_no_higher() const noexcept {
        return context_->coded_height <= context_->height;
    }
    /// Whether pictures come out in another order than their packets go in.
    [[nodiscard]] bool reorders() const noexcept { return context_->has_b_frames > 0; }

    enum class Sent { taken, full, bad };
    /// nullptr: there is no more. full: receive() first. bad: damaged, and skipped.
    [[nodiscard]] Result<Sent> send(const AVPacket* packet);
    enum class Received { picture, nothing, end, bad };
    /// nothing: it wants packets. bad: a damaged one was skipped.
    [[nodiscard]] Result<Received> receive(AVFrame& frame);
    /// Forgets what came so far: after seeking.
    void flush() noexcept;

private:
    VideoDecoder() = default;
    [[nodiscard]] bool offer_place(AVFrame& frame) noexcept;
    static AVPixelFormat choose_format(AVCodecContext* context, const AVPixelFormat* offered) noexcept;
    static int get_buffer(AVCodecContext* context, AVFrame* frame, int flags) noexcept;

    AvCodec context_;
    AVPixelFormat device_format_ = AV_PIX_FMT_NONE; ///< of a device's pictures; none: the CPU decodes
    DecodeTarget* target_ = nullptr;
    AVPixelFormat pixel_format_ = AV_PIX_FMT_NONE; ///< of the target, as are the sides
    int width_ = 0;
    int height_ = 0;
    int rows_ = 0; ///< that each picture may have in the target: its height, or whole blocks of it
};

} // namespace v4l2dma
