// SPDX-License-Identifier: MIT
#include "media/scaler.h"

#include <algorithm>
#include <array>
#include <linux/videodev2.h>
#include <thread>

namespace v4l2dma {

namespace {

std::uint32_t ycbcr_encoding(const Colorimetry& colorimetry) {
    return colorimetry.ycbcr_encoding != V4L2_YCBCR_ENC_DEFAULT
               ? colorimetry.ycbcr_encoding
               : std::uint32_t{V4L2_MAP_YCBCR_ENC_DEFAULT(colorimetry.colorspace)};
}

int matrix_of(const Colorimetry& colorimetry) {
    switch (ycbcr_encoding(colorimetry)) {
    case V4L2_YCBCR_ENC_709:
    case V4L2_YCBCR_ENC_XV709:
        return SWS_CS_ITU709;
    case V4L2_YCBCR_ENC_BT2020:
    case V4L2_YCBCR_ENC_BT2020_CONST_LUM:
        return SWS_CS_BT2020; // the nearest that FFmpeg has
    case V4L2_YCBCR_ENC_SMPTE240M:
        return SWS_CS_SMPTE240M;
    default:
        return SWS_CS_ITU601;
    }
}

bool is_full_range(const Colorimetry& colorimetry) {
    if (colorimetry.quantization != V4L2_QUANTIZATION_DEFAULT)
        return colorimetry.quantization == V4L2_QUANTIZATION_FULL_RANGE;
    return colorimetry.colorspace == V4L2_COLORSPACE_JPEG;
}

/// Small pictures are done before a second thread has woken up.
unsigned thread_count(const ConvertOptions& options, const ScalerSide& from, const ScalerSide& to) {
    constexpr unsigned enough = 8;
    constexpr std::uint64_t small = 320 * 240;
    if (options.threads != 0)
        return options.threads;
    const std::uint64_t pixels =
        std::max(std::uint64_t{from.width} * from.height, std::uint64_t{to.width} * to.height);
    return pixels <= small ? 1 : std::clamp(std::thread::hardware_concurrency(), 1U, enough);
}

bool has_flag(AVPixelFormat format, std::uint64_t flag) {
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    return descriptor != nullptr && (descriptor->flags & flag) != 0;
}

bool is_bayer(AVPixelFormat format) {
    return has_flag(format, AV_PIX_FMT_FLAG_BAYER);
}

/// FFmpeg reads luminance without colours as full range, whatever it is told; sensors give it so, too.
bool is_grey(AVPixelFormat format) {
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    return descriptor != nullptr && descriptor->nb_components == 1;
}

int flags_of(const ConvertOptions& options) {
    const int filter = options.scaling == Scaling::bicubic ? SWS_BICUBIC : SWS_BILINEAR;
    return filter | SWS_ACCURATE_RND | (options.full_chroma ? SWS_FULL_CHR_H_INT : 0);
}

bool set_options(SwsContext* context, const ScalerSide& from, const ScalerSide& to,
                 const ConvertOptions& options) {
    // Neighbours make the colours of a raw sensor's pixel; a thread would not see those of another's rows.
    const unsigned threads = is_bayer(from.pixel_format) ? 1 : thread_count(options, from, to);
    struct Option {
        const char* name;
        std::int64_t value;
    };
    return std::ranges::all_of(std::array{Option{"srcw", from.width}, Option{"srch", from.height},
                                          Option{"src_format", from.pixel_format}, Option{"dstw", to.width},
                                          Option{"dsth", to.height}, Option{"dst_format", to.pixel_format},
                                          Option{"src_range", from.full_range ? 1 : 0},
                                          Option{"dst_range", to.full_range ? 1 : 0},
                                          Option{"sws_flags", flags_of(options)}, Option{"threads", threads}},
                               [&](const Option& option) {
                                   return ffmpeg().av_opt_set_int(context, option.name, option.value, 0) >= 0;
                               });
}

/// Prepares @p context. The shortcuts that libswscale takes where the size stays forget the last row or
/// column of an odd one (FFmpeg 5.1: YUYV to YU12); a filter, even one that changes nothing, keeps it from
/// taking them.
bool initialise(SwsContext* context, const ScalerSide& from) {
    std::array<double, 3> nothing{0, 1, 0};
    SwsVector vector{.coeff = nothing.data(), .length = nothing.size()};
    SwsFilter filter{.lumH = &vector, .lumV = &vector, .chrH = &vector, .chrV = &vector};
    const bool odd = from.width % 2 != 0 || from.height % 2 != 0;
    return ffmpeg().sws_init_context(context, odd ? &filter : nullptr, nullptr) >= 0;
}

/// A side that is RGB has no matrix; the other's does no harm.
bool set_colours(SwsContext* context, const ScalerSide& from, const ScalerSide& to) {
    constexpr int one = 1 << 16; // contrast and saturation are 16.16
    const int from_matrix = from.matrix != 0 ? from.matrix : to.matrix;
    const int to_matrix = to.matrix != 0 ? to.matrix : from.matrix;
    return ffmpeg().sws_setColorspaceDetails(context, ffmpeg().sws_getCoefficients(from_matrix),
                                             from.full_range ? 1 : 0, ffmpeg().sws_getCoefficients(to_matrix),
                                             to.full_range ? 1 : 0, 0, one, one) >= 0;
}

} // namespace

bool is_rgb(AVPixelFormat format) {
    return has_flag(format, AV_PIX_FMT_FLAG_RGB);
}

ScalerSide scaler_side(const FrameFormat& format, AVPixelFormat pixel_format) {
    const bool rgb = is_rgb(pixel_format);
    return {.pixel_format = pixel_format,
            .width = format.width,
            .height = format.height,
            .matrix = rgb ? 0 : matrix_of(format.colorimetry),
            .full_range = rgb || is_grey(pixel_format) || is_full_range(format.colorimetry)};
}

Result<Scaler> Scaler::create(const ScalerSide& from, const ScalerSide& to, const ConvertOptions& options,
                              std::string_view object) {
    Sws context(ffmpeg().sws_alloc_context());
    if (!context)
        return system_error("convert", object, ENOMEM);
    const bool too_small = is_bayer(from.pixel_format) && (from.width < 2 || from.height < 2);
    if (too_small || !set_options(context.get(), from, to, options) || !initialise(context.get(), from) ||
        !set_colours(context.get(), from, to))
        return make_error(ErrorKind::unsupported, "convert", object, "FFmpeg has no way to do that");
    return Scaler(std::move(context), object);
}

Status Scaler::run(const AVFrame& from, AVFrame& to) {
    if (const int result = ffmpeg().sws_scale_frame(context_.get(), &to, &from); result < 0)
        return av_error("convert", object_, result);
    return {};
}

} // namespace v4l2dma
