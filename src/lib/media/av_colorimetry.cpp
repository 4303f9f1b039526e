// SPDX-License-Identifier: MIT
#include "media/av_colorimetry.h"

#include "format/likeness.h"

#include <algorithm>
#include <iterator>
#include <linux/videodev2.h>

namespace v4l2dma {

namespace {

// Where several of FFmpeg's mean the same to V4L2, the first is what V4L2's becomes.
struct Space {
    AVColorPrimaries av;
    std::uint32_t v4l2;
};
constexpr Space spaces[] = {
    {AVCOL_PRI_BT709, V4L2_COLORSPACE_REC709},
    {AVCOL_PRI_BT709, V4L2_COLORSPACE_SRGB},
    {AVCOL_PRI_BT709, V4L2_COLORSPACE_JPEG},
    {AVCOL_PRI_SMPTE170M, V4L2_COLORSPACE_SMPTE170M},
    {AVCOL_PRI_SMPTE240M, V4L2_COLORSPACE_SMPTE240M},
    {AVCOL_PRI_BT470M, V4L2_COLORSPACE_470_SYSTEM_M},
    {AVCOL_PRI_BT470BG, V4L2_COLORSPACE_470_SYSTEM_BG},
    {AVCOL_PRI_BT2020, V4L2_COLORSPACE_BT2020},
    {AVCOL_PRI_SMPTE431, V4L2_COLORSPACE_DCI_P3},
    {AVCOL_PRI_SMPTE432, V4L2_COLORSPACE_DCI_P3},
};

struct Transfer {
    AVColorTransferCharacteristic av;
    std::uint32_t v4l2;
};
constexpr Transfer transfers[] = {
    {AVCOL_TRC_BT709, V4L2_XFER_FUNC_709},
    {AVCOL_TRC_SMPTE170M, V4L2_XFER_FUNC_709}, // the same curve by another name, as are the next two
    {AVCOL_TRC_BT2020_10, V4L2_XFER_FUNC_709},
    {AVCOL_TRC_BT2020_12, V4L2_XFER_FUNC_709},
    {AVCOL_TRC_IEC61966_2_1, V4L2_XFER_FUNC_SRGB},
    {AVCOL_TRC_SMPTE240M, V4L2_XFER_FUNC_SMPTE240M},
    {AVCOL_TRC_LINEAR, V4L2_XFER_FUNC_NONE},
    {AVCOL_TRC_SMPTE428, V4L2_XFER_FUNC_DCI_P3},
    {AVCOL_TRC_SMPTE2084, V4L2_XFER_FUNC_SMPTE2084},
};

struct Matrix {
    AVColorSpace av;
    std::uint32_t v4l2;
};
constexpr Matrix matrices[] = {
    {AVCOL_SPC_SMPTE170M, V4L2_YCBCR_ENC_601},
    {AVCOL_SPC_BT470BG, V4L2_YCBCR_ENC_601},
    {AVCOL_SPC_FCC, V4L2_YCBCR_ENC_601},
    {AVCOL_SPC_SMPTE170M, V4L2_YCBCR_ENC_XV601},
    {AVCOL_SPC_BT709, V4L2_YCBCR_ENC_709},
    {AVCOL_SPC_BT709, V4L2_YCBCR_ENC_XV709},
    {AVCOL_SPC_BT2020_NCL, V4L2_YCBCR_ENC_BT2020},
    {AVCOL_SPC_BT2020_CL, V4L2_YCBCR_ENC_BT2020_CONST_LUM},
    {AVCOL_SPC_SMPTE240M, V4L2_YCBCR_ENC_SMPTE240M},
};

constexpr std::uint32_t high_definition = 720; // lines

/// @p fallback: for what V4L2 has no name for.
std::uint32_t to_v4l2(const auto& table, auto value, std::uint32_t fallback) {
    const auto* entry = std::ranges::find_if(table, [&](const auto& line) { return line.av == value; });
    return entry == std::end(table) ? fallback : entry->v4l2;
}

template <typename Value> Value to_av(const auto& table, std::uint32_t value, Value fallback) {
    const auto* entry = std::ranges::find_if(table, [&](const auto& line) { return line.v4l2 == value; });
    return entry == std::end(table) ? fallback : entry->av;
}

/// The primaries that a film which only names its matrix most likely has.
AVColorPrimaries likely_primaries(AVColorSpace matrix, std::uint32_t height) {
    switch (matrix) {
    case AVCOL_SPC_BT709:
        return AVCOL_PRI_BT709;
    case AVCOL_SPC_BT470BG:
        return AVCOL_PRI_BT470BG;
    case AVCOL_SPC_SMPTE170M:
    case AVCOL_SPC_FCC:
        return AVCOL_PRI_SMPTE170M;
    case AVCOL_SPC_SMPTE240M:
        return AVCOL_PRI_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return AVCOL_PRI_BT2020;
    default:
        return height >= high_definition ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
    }
}

} // namespace

Colorimetry to_colorimetry(const AvColours& colours, std::uint32_t height, bool rgb) {
    Colorimetry result;
    const AVColorPrimaries primaries = colours.primaries == AVCOL_PRI_UNSPECIFIED
                                           ? likely_primaries(colours.matrix, height)
                                           : colours.primaries;
    result.colorspace = rgb && colours.primaries == AVCOL_PRI_UNSPECIFIED
                            ? std::uint32_t{V4L2_COLORSPACE_SRGB}
                            : to_v4l2(spaces, primaries, V4L2_COLORSPACE_REC709);
    result.transfer_function = to_v4l2(transfers, colours.transfer, V4L2_XFER_FUNC_DEFAULT);
    if (rgb)
        return result; // it has no matrix, and is full range by default
    result.ycbcr_encoding = to_v4l2(matrices, colours.matrix, V4L2_YCBCR_ENC_DEFAULT);
    if (colours.range == AVCOL_RANGE_JPEG)
        result.quantization = V4L2_QUANTIZATION_FULL_RANGE;
    else if (colours.range == AVCOL_RANGE_MPEG)
        result.quantization = V4L2_QUANTIZATION_LIM_RANGE;
    return result;
}

AvColours to_av_colours(const FrameFormat& format) {
    const Colorimetry& colours = format.colorimetry;
    const bool rgb = is_rgb(format.fourcc);
    AvColours result;
    if (rgb)
        result.matrix = AVCOL_SPC_RGB;
    if (rgb && colours.quantization != V4L2_QUANTIZATION_LIM_RANGE)
        result.range = AVCOL_RANGE_JPEG;
    if (colours.colorspace == V4L2_COLORSPACE_DEFAULT || colours.colorspace == V4L2_COLORSPACE_RAW)
        return result;
    result.primaries = to_av(spaces, colours.colorspace, AVCOL_PRI_UNSPECIFIED);
    const std::uint32_t transfer = colours.transfer_function != V4L2_XFER_FUNC_DEFAULT
                                       ? colours.transfer_function
                                       : std::uint32_t{V4L2_MAP_XFER_FUNC_DEFAULT(colours.colorspace)};
    result.transfer = to_av(transfers, transfer, AVCOL_TRC_UNSPECIFIED);
    if (rgb)
        return result;
    const std::uint32_t encoding = colours.ycbcr_encoding != V4L2_YCBCR_ENC_DEFAULT
                                       ? colours.ycbcr_encoding
                                       : std::uint32_t{V4L2_MAP_YCBCR_ENC_DEFAULT(colours.colorspace)};
    result.matrix = to_av(matrices, encoding, AVCOL_SPC_UNSPECIFIED);
    const std::uint32_t quantization =
        colours.quantization != V4L2_QUANTIZATION_DEFAULT
            ? colours.quantization
            : std::uint32_t{V4L2_MAP_QUANTIZATION_DEFAULT(false, colours.colorspace, encoding)};
    result.range = quantization == V4L2_QUANTIZATION_FULL_RANGE ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    return result;
}

} // namespace v4l2dma
