// SPDX-License-Identifier: MIT
#include "media/av_format.h"

#include <algorithm>
#include <iterator>

namespace v4l2dma {

namespace {

constexpr bool swapped = true;
constexpr FourCC be(const char (&text)[5]) {
    return FourCC(FourCC(text).value() | 1U << 31);
}

// Formats with an alpha channel that FFmpeg only knows without one (AR12, AR15) are missing: it would leave
// them transparent. Those with fewer bits than FFmpeg's (P012, Y012) have them in the same high places.
// Overruns were measured (FFmpeg 5.1): pixels of three bytes are read four at a time, and those that begin
// with the byte that is no colour are handled as if they ended with it, one byte further on.
constexpr AvFormat table[] = {
    {FourCC("YUYV"), AV_PIX_FMT_YUYV422},
    {FourCC("UYVY"), AV_PIX_FMT_UYVY422},
    {FourCC("YVYU"), AV_PIX_FMT_YVYU422},
    {FourCC("NV12"), AV_PIX_FMT_NV12},
    {FourCC("NV21"), AV_PIX_FMT_NV21},
    {FourCC("NV16"), AV_PIX_FMT_NV16},
    {FourCC("NV24"), AV_PIX_FMT_NV24},
    {FourCC("NV42"), AV_PIX_FMT_NV42},
    {FourCC("YU12"), AV_PIX_FMT_YUV420P},
    {FourCC("YV12"), AV_PIX_FMT_YUV420P, swapped},
    {FourCC("422P"), AV_PIX_FMT_YUV422P},
    {FourCC("NM12"), AV_PIX_FMT_NV12},
    {FourCC("NM21"), AV_PIX_FMT_NV21},
    {FourCC("NM16"), AV_PIX_FMT_NV16},
    {FourCC("YM12"), AV_PIX_FMT_YUV420P},
    {FourCC("YM21"), AV_PIX_FMT_YUV420P, swapped},
    {FourCC("YM16"), AV_PIX_FMT_YUV422P},
    {FourCC("YM61"), AV_PIX_FMT_YUV422P, swapped},
    {FourCC("YM24"), AV_PIX_FMT_YUV444P},
    {FourCC("YM42"), AV_PIX_FMT_YUV444P, swapped},
    {FourCC("P010"), AV_PIX_FMT_P010LE},
    {FourCC("P012"), AV_PIX_FMT_P016LE},
    {FourCC("PM12"), AV_PIX_FMT_P016LE},
    {FourCC("RGB3"), AV_PIX_FMT_RGB24, false, Overrun::reads},
    {FourCC("BGR3"), AV_PIX_FMT_BGR24, false, Overrun::reads},
    {FourCC("XR24"), AV_PIX_FMT_BGR0},
    {FourCC("AR24"), AV_PIX_FMT_BGRA},
    {FourCC("XB24"), AV_PIX_FMT_RGB0},
    {FourCC("AB24"), AV_PIX_FMT_RGBA},
    {FourCC("BX24"), AV_PIX_FMT_0RGB, false, Overrun::reads_and_writes},
    {FourCC("BA24"), AV_PIX_FMT_ARGB, false, Overrun::reads_and_writes},
    {FourCC("BGR4"), AV_PIX_FMT_BGR0},
    {FourCC("RGB4"), AV_PIX_FMT_0RGB, false, Overrun::reads_and_writes},
    {FourCC("RGBP"), AV_PIX_FMT_RGB565LE},
    {FourCC("RGBR"), AV_PIX_FMT_RGB565BE},
    {FourCC("GREY"), AV_PIX_FMT_GRAY8},
    {FourCC("Y10 "), AV_PIX_FMT_GRAY10LE},
    {FourCC("Y12 "), AV_PIX_FMT_GRAY12LE},
    {FourCC("Y012"), AV_PIX_FMT_GRAY16LE},
    {FourCC("Y16 "), AV_PIX_FMT_GRAY16LE},
    {be("Y16 "), AV_PIX_FMT_GRAY16BE},
    {FourCC("BA81"), AV_PIX_FMT_BAYER_BGGR8},
    {FourCC("GBRG"), AV_PIX_FMT_BAYER_GBRG8},
    {FourCC("GRBG"), AV_PIX_FMT_BAYER_GRBG8},
    {FourCC("RGGB"), AV_PIX_FMT_BAYER_RGGB8},
    {FourCC("XR12"), AV_PIX_FMT_RGB444LE},
    {FourCC("XB12"), AV_PIX_FMT_BGR444LE},
    {FourCC("R444"), AV_PIX_FMT_RGB444LE},
    {FourCC("XR15"), AV_PIX_FMT_RGB555LE},
    {FourCC("XB15"), AV_PIX_FMT_BGR555LE},
    {FourCC("RGBO"), AV_PIX_FMT_RGB555LE},
    {FourCC("RGBQ"), AV_PIX_FMT_RGB555BE},
    {be("XR15"), AV_PIX_FMT_RGB555BE},
    {FourCC("RGB1"), AV_PIX_FMT_RGB8},
    {FourCC("RGB6"), AV_PIX_FMT_RGB48LE},
    {FourCC("BGR6"), AV_PIX_FMT_BGR48LE},
    {FourCC("RX24"), AV_PIX_FMT_0BGR, false, Overrun::reads_and_writes},
    {FourCC("RA24"), AV_PIX_FMT_ABGR, false, Overrun::reads_and_writes},
    {FourCC("AR30"), AV_PIX_FMT_X2RGB10LE},
    {FourCC("Y210"), AV_PIX_FMT_Y210LE},
    {FourCC("Y212"), AV_PIX_FMT_Y210LE}, // two bits less
    {FourCC("Y216"), AV_PIX_FMT_Y210LE}, // six bits less
    {FourCC("YUV9"), AV_PIX_FMT_YUV410P},
    {FourCC("YVU9"), AV_PIX_FMT_YUV410P, swapped},
    {FourCC("411P"), AV_PIX_FMT_YUV411P},
    {FourCC("Y14 "), AV_PIX_FMT_GRAY14LE},
    {FourCC("BYR2"), AV_PIX_FMT_BAYER_BGGR16LE},
    {FourCC("GB16"), AV_PIX_FMT_BAYER_GBRG16LE},
    {FourCC("GR16"), AV_PIX_FMT_BAYER_GRBG16LE},
    {FourCC("RG16"), AV_PIX_FMT_BAYER_RGGB16LE},
};

} // namespace

const AvFormat* find_av_format(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &AvFormat::fourcc);
    return entry == std::end(table) ? nullptr : entry;
}

std::optional<FourCC> find_fourcc(AVPixelFormat pixels) {
    std::optional<FourCC> apart;
    for (const PixelFormat& entry : pixel_formats()) {
        const AvFormat* const format = find_av_format(entry.fourcc);
        if (format == nullptr || format->pixel_format != pixels || format->swapped)
            continue;
        if (!entry.apart)
            return entry.fourcc;
        apart = apart.value_or(entry.fourcc);
    }
    return apart;
}

AVPixelFormat av_pixel_format(FourCC fourcc) {
    const AvFormat* entry = find_av_format(fourcc);
    return entry == nullptr ? AV_PIX_FMT_NONE : entry->pixel_format;
}

AVCodecID av_still_codec(FourCC fourcc) {
    return fourcc == FourCC("MJPG") || fourcc == FourCC("JPEG") ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_NONE;
}

AVPixelFormat without_range(AVPixelFormat format) {
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P:
        return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P:
        return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P:
        return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P:
        return AV_PIX_FMT_YUV411P;
    default:
        return format;
    }
}

} // namespace v4l2dma
