// SPDX-License-Identifier: MIT
#pragma once

#include "format/fourcc.h"
#include "media/ffmpeg.h"

#include <cstddef>
#include <span>

namespace v4l2dma {

/// A compressed format that devices and containers hold.
struct StreamCodec {
    FourCC fourcc;
    AVCodecID codec = AV_CODEC_ID_NONE;
    /// FFmpeg's filter from how containers have the packets to how devices have them, with all that a decoder
    /// must know in the stream itself; nullptr: they are so.
    const char* to_device = nullptr;
};

/// nullptr: packets of @p codec are in no pixel format, or need what a container says beside them.
[[nodiscard]] const StreamCodec* find_stream_codec(AVCodecID codec);

/// AV_CODEC_ID_NONE: not one that containers hold.
[[nodiscard]] AVCodecID codec_of_packets(FourCC fourcc);

/// Whether a frame can be read without those before it. What does not tell counts as one that can.
[[nodiscard]] bool is_key_frame(AVCodecID codec, std::span<const std::byte> payload);

/// Whether that holds for all frames of the codec, as of JPEG. load_ffmpeg() must have succeeded.
[[nodiscard]] bool is_intra_only(AVCodecID codec);

} // namespace v4l2dma
