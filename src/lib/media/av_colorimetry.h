// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"

extern "C" {
#include <libavutil/pixfmt.h>
}

namespace v4l2dma {

/// What FFmpeg says of a picture's colours (ISO/IEC 23091-2 numbers).
struct AvColours {
    AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
    AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
    AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
    AVColorRange range = AVCOL_RANGE_UNSPECIFIED;

    friend bool operator==(const AvColours&, const AvColours&) = default;
};

/// In V4L2's terms. What a film leaves open is what players take it for: BT.709 from 720 lines on, else
/// BT.601; limited range, but for @p rgb.
[[nodiscard]] Colorimetry to_colorimetry(const AvColours& colours, std::uint32_t height, bool rgb);

/// In FFmpeg's terms. V4L2's defaults count as what V4L2 says they are; a colour space of 0 stays
/// unspecified.
[[nodiscard]] AvColours to_av_colours(const FrameFormat& format);

} // namespace v4l2dma
