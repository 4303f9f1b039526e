// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"
#include "media/av_objects.h"
#include "media/convert_options.h"

#include <cstdint>

namespace v4l2dma {

/// One side of a conversion, in FFmpeg's terms.
struct ScalerSide {
    AVPixelFormat pixel_format = AV_PIX_FMT_NONE;
    std::uint32_t width = 0;  ///< pixels
    std::uint32_t height = 0; ///< pixels
    int matrix = 0;           ///< SWS_CS_*: how YCbCr was made from RGB; 0 if it is RGB
    bool full_range = false;  ///< black is 0 and white is 255

    friend bool operator==(const ScalerSide&, const ScalerSide&) = default;
};

/// The side that @p format is, by its size and colorimetry; V4L2's defaults count as what V4L2 says they are.
/// RGB and greyscale always count as full range.
[[nodiscard]] ScalerSide scaler_side(const FrameFormat& format, AVPixelFormat pixel_format);

/// Whether pixels are red, green and blue; not where they are numbers in a palette.
[[nodiscard]] bool is_rgb(AVPixelFormat format);

/// Converts and scales pictures with libswscale.
class Scaler {
public:
    /// load_ffmpeg() must have succeeded. @p object names the conversion in errors. Errors: (unsupported)
    /// FFmpeg has no way from the one to the other.
    [[nodiscard]] static Result<Scaler> create(const ScalerSide& from, const ScalerSide& to,
                                               const ConvertOptions& options, std::string_view object);

    /// Both must be what was said to create(), counted frames (see make_borrowing_frame()). Errors: (system)
    /// what FFmpeg says.
    [[nodiscard]] Status run(const AVFrame& from, AVFrame& to);

private:
    Scaler(Sws context, std::string_view object) : context_(std::move(context)), object_(object) {}

    Sws context_;
    std::string object_;
};

} // namespace v4l2dma
