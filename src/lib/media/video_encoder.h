// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_colorimetry.h"
#include "media/av_objects.h"
#include "media/export_wishes.h"

#include <chrono>
#include <cstdint>

namespace v4l2dma {

/// An open encoder: pictures go in, packets come out. One thread.
class VideoEncoder {
public:
    struct Settings {
        const AVCodec* codec = nullptr;
        AVPixelFormat pixel_format = AV_PIX_FMT_NONE;
        std::uint32_t width = 0;  ///< pixels
        std::uint32_t height = 0; ///< pixels
        AvColours colours{};
        PixelAspect aspect{};
        AVRational rate{25, 1};     ///< frames a second, as far as is known
        bool constant_rate = false; ///< the container has no times, only this rate
        bool global_header = false; ///< the container wants the codec's parameters in its header
        bool live = false;          ///< somebody watches meanwhile: each picture comes out at once
        unsigned most_borrowed = 1; ///< pictures that it may keep of those whose memory is not its own
        std::optional<std::uint64_t> bitrate{}; ///< bits a second
        std::optional<std::string> preset{};
    };

    /// Errors: (usage) a preset that the encoder does not have; (system) what FFmpeg says.
    [[nodiscard]] static Result<VideoEncoder> open(const Settings& settings);

    /// Whether it may be opened and closed without a picture in between: SVT-AV1 waits for one.
    [[nodiscard]] static bool may_stay_unused(const AVCodec& codec);
    /// Whether pictures may lie in memory that ends with their last pixel: the encoder reads nothing beyond
    /// the rows.
    [[nodiscard]] static bool keeps_to_rows(const AVCodec& codec);

    /// @p time: since the first picture. @p key: it begins anew here. Takes a reference on the picture, and
    /// gives it back when it is done with it, on any thread. Errors: (system) what FFmpeg says.
    [[nodiscard]] Status send(AVFrame& picture, std::chrono::microseconds time, bool key);
    /// There are no more pictures; what is left comes out.
    [[nodiscard]] Status end();
    /// False: none is ready. Errors: (system) what FFmpeg says.
    [[nodiscard]] Result<bool> receive(AVPacket& packet);

    [[nodiscard]] const AVCodecContext& context() const noexcept { return *context_; }
    [[nodiscard]] AVRational time_base() const noexcept { return context_->time_base; }
    /// Of a packet's timestamp in that.
    [[nodiscard]] std::chrono::microseconds time_of(std::int64_t timestamp) const noexcept;
    [[nodiscard]] bool intra_only() const noexcept;

private:
    explicit VideoEncoder(AvCodec context) : context_(std::move(context)) {}

    AvCodec context_;
    std::optional<std::int64_t> last_pts_;
};

} // namespace v4l2dma
