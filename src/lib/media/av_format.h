// SPDX-License-Identifier: MIT
#pragma once

#include "format/fourcc.h"

extern "C" {
#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>
}

namespace v4l2dma {

/// How far libswscale keeps to a picture whose rows are whole vectors.
enum class Overrun {
    none,
    reads,            ///< it reads some bytes beyond the last pixel
    reads_and_writes, ///< it writes there, too, and so into whatever follows
};

/// What FFmpeg calls an uncompressed format.
struct AvFormat {
    FourCC fourcc{};
    AVPixelFormat pixel_format = AV_PIX_FMT_NONE;
    bool swapped = false; ///< component planes 1 and 2 lie in the other order (YV12)
    Overrun overrun = Overrun::none;
};

/// The entry of a format that FFmpeg has a name for, nullptr for all others. Lives as long as the program.
[[nodiscard]] const AvFormat* find_av_format(FourCC fourcc);
/// FFmpeg's name of an uncompressed format, AV_PIX_FMT_NONE if it has none.
[[nodiscard]] AVPixelFormat av_pixel_format(FourCC fourcc);
/// FFmpeg's decoder of a compressed format whose every frame stands alone, AV_CODEC_ID_NONE for all others.
[[nodiscard]] AVCodecID av_still_codec(FourCC fourcc);

} // namespace v4l2dma
