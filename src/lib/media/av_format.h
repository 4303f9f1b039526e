// SPDX-License-Identifier: MIT
#pragma once

#include "format/fourcc.h"

extern "C" {
#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>
}

namespace v4l2dma {

/// FFmpeg's name of an uncompressed format, AV_PIX_FMT_NONE if it has none.
[[nodiscard]] AVPixelFormat av_pixel_format(FourCC fourcc);
/// FFmpeg's decoder of a compressed format whose every frame stands alone, AV_CODEC_ID_NONE for all others.
[[nodiscard]] AVCodecID av_still_codec(FourCC fourcc);

} // namespace v4l2dma
