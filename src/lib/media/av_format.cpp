// SPDX-License-Identifier: MIT
#include "media/av_format.h"

#include <algorithm>
#include <iterator>

namespace v4l2dma {

namespace {

struct Entry {
    FourCC fourcc;
    AVPixelFormat pixel_format;
};

constexpr Entry table[] = {
    {FourCC("YUYV"), AV_PIX_FMT_YUYV422},
    {FourCC("UYVY"), AV_PIX_FMT_UYVY422},
    {FourCC("YVYU"), AV_PIX_FMT_YVYU422},
    {FourCC("NV12"), AV_PIX_FMT_NV12},
    {FourCC("NV21"), AV_PIX_FMT_NV21},
    {FourCC("NV16"), AV_PIX_FMT_NV16},
    {FourCC("NV24"), AV_PIX_FMT_NV24},
    {FourCC("NV42"), AV_PIX_FMT_NV42},
    {FourCC("YU12"), AV_PIX_FMT_YUV420P},
    {FourCC("YV12"), AV_PIX_FMT_YUV420P}, // planes 1 and 2 swapped
    {FourCC("422P"), AV_PIX_FMT_YUV422P},
    {FourCC("NM12"), AV_PIX_FMT_NV12},
    {FourCC("NM21"), AV_PIX_FMT_NV21},
    {FourCC("NM16"), AV_PIX_FMT_NV16},
    {FourCC("YM12"), AV_PIX_FMT_YUV420P},
    {FourCC("YM21"), AV_PIX_FMT_YUV420P}, // planes 1 and 2 swapped, here and in YM61 and YM42
    {FourCC("YM16"), AV_PIX_FMT_YUV422P},
    {FourCC("YM61"), AV_PIX_FMT_YUV422P},
    {FourCC("YM24"), AV_PIX_FMT_YUV444P},
    {FourCC("YM42"), AV_PIX_FMT_YUV444P},
    {FourCC("P010"), AV_PIX_FMT_P010LE},
    {FourCC("RGB3"), AV_PIX_FMT_RGB24},
    {FourCC("BGR3"), AV_PIX_FMT_BGR24},
    {FourCC("XR24"), AV_PIX_FMT_BGR0},
    {FourCC("AR24"), AV_PIX_FMT_BGRA},
    {FourCC("XB24"), AV_PIX_FMT_RGB0},
    {FourCC("AB24"), AV_PIX_FMT_RGBA},
    {FourCC("BX24"), AV_PIX_FMT_0RGB},
    {FourCC("BA24"), AV_PIX_FMT_ARGB},
    {FourCC("BGR4"), AV_PIX_FMT_BGR0},
    {FourCC("RGB4"), AV_PIX_FMT_0RGB},
    {FourCC("RGBP"), AV_PIX_FMT_RGB565LE},
    {FourCC("GREY"), AV_PIX_FMT_GRAY8},
    {FourCC("Y10 "), AV_PIX_FMT_GRAY10LE},
    {FourCC("Y12 "), AV_PIX_FMT_GRAY12LE},
    {FourCC("Y16 "), AV_PIX_FMT_GRAY16LE},
    {FourCC("BA81"), AV_PIX_FMT_BAYER_BGGR8},
    {FourCC("GBRG"), AV_PIX_FMT_BAYER_GBRG8},
    {FourCC("GRBG"), AV_PIX_FMT_BAYER_GRBG8},
    {FourCC("RGGB"), AV_PIX_FMT_BAYER_RGGB8},
    {FourCC("XR12"), AV_PIX_FMT_RGB444LE},
    {FourCC("XB12"), AV_PIX_FMT_BGR444LE},
    {FourCC("XR15"), AV_PIX_FMT_RGB555LE},
    {FourCC("XB15"), AV_PIX_FMT_BGR555LE},
    {FourCC("RGB1"), AV_PIX_FMT_RGB8},
    {FourCC("RGB6"), AV_PIX_FMT_RGB48LE},
    {FourCC("BGR6"), AV_PIX_FMT_BGR48LE},
    {FourCC("RX24"), AV_PIX_FMT_0BGR},
    {FourCC("RA24"), AV_PIX_FMT_ABGR},
    {FourCC("Y210"), AV_PIX_FMT_Y210LE},
    {FourCC("YUV9"), AV_PIX_FMT_YUV410P},
    {FourCC("YVU9"), AV_PIX_FMT_YUV410P},
    {FourCC("411P"), AV_PIX_FMT_YUV411P},
    {FourCC("Y14 "), AV_PIX_FMT_GRAY14LE},
    {FourCC("BYR2"), AV_PIX_FMT_BAYER_BGGR16LE},
    {FourCC("GB16"), AV_PIX_FMT_BAYER_GBRG16LE},
    {FourCC("GR16"), AV_PIX_FMT_BAYER_GRBG16LE},
    {FourCC("RG16"), AV_PIX_FMT_BAYER_RGGB16LE},
};

} // namespace

AVPixelFormat av_pixel_format(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &Entry::fourcc);
    return entry == std::end(table) ? AV_PIX_FMT_NONE : entry->pixel_format;
}

AVCodecID av_still_codec(FourCC fourcc) {
    return fourcc == FourCC("MJPG") || fourcc == FourCC("JPEG") ? AV_CODEC_ID_MJPEG : AV_CODEC_ID_NONE;
}

} // namespace v4l2dma
