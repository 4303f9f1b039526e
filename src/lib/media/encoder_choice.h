// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "media/export_wishes.h"
#include "media/ffmpeg.h"

#include <cstdint>

namespace v4l2dma {

// Which encoder a film gets. load_ffmpeg_formats() must have succeeded.

/// The encoder that was wished for, or one that suits the container. Errors: (usage) a name that nobody
/// knows, with near matches; a codec that the container does not take, with some that it takes; (unsupported)
/// a codec that this FFmpeg cannot encode.
[[nodiscard]] Result<const AVCodec*> choose_encoder(const AVOutputFormat& muxer, const ExportWishes& wishes);

/// Of the pixels that @p encoder takes in this size those that @p source loses least as; AV_PIX_FMT_NONE if
/// it takes none in memory.
[[nodiscard]] AVPixelFormat choose_pixels(const AVCodec& encoder, AVPixelFormat source, std::uint32_t width,
                                          std::uint32_t height);

enum class Holding {
    no,
    unknown, ///< writing the header tells
    yes,
};

/// Whether the container takes the codec, so that who reads it finds it.
[[nodiscard]] Holding holds(const AVOutputFormat& muxer, AVCodecID codec);

/// An Error (usage) that names codecs that the container takes.
[[nodiscard]] std::unexpected<Error> not_held(const AVOutputFormat& muxer, std::string_view codec);

} // namespace v4l2dma
