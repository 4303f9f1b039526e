// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"

#include <array>
#include <optional>

extern "C" {
#include <libavcodec/codec_id.h>
#include <libavutil/frame.h>
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
/// The format of the table with these pixels and its planes in FFmpeg's order, in one piece of memory if
/// there is such a one; empty if there is none.
[[nodiscard]] std::optional<FourCC> find_fourcc(AVPixelFormat pixels);
/// FFmpeg's name of an uncompressed format, AV_PIX_FMT_NONE if it has none.
[[nodiscard]] AVPixelFormat av_pixel_format(FourCC fourcc);
/// FFmpeg's decoder of a compressed format whose every frame stands alone, AV_CODEC_ID_NONE for all others.
[[nodiscard]] AVCodecID av_still_codec(FourCC fourcc);
/// The pixels of a format whose name also says that they are full range.
[[nodiscard]] AVPixelFormat without_range(AVPixelFormat format);

/// Makes @p frame show these rows. FFmpeg has no const frames; nobody writes to one that is read from.
template <typename Byte>
void point_at(AVFrame& frame, const std::array<Rows<Byte>, 3>& planes, const AvFormat& format) {
    for (std::size_t i = 0; i < planes.size(); ++i) {
        const std::size_t plane = format.swapped && i > 0 ? 3 - i : i;
        frame.data[plane] = reinterpret_cast<std::uint8_t*>(
            const_cast<std::byte*>(static_cast<const std::byte*>(planes[i].begin)));
        frame.linesize[plane] = static_cast<int>(planes[i].stride);
    }
}

} // namespace v4l2dma
