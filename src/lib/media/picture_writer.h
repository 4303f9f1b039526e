// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/av_format.h"
#include "media/scaler.h"
#include "media/staging.h"

#include <optional>
#include <string>

namespace v4l2dma {

/// Brings FFmpeg's pictures into the memory of frames of one format, in one pass where that is possible: as a
/// copy of their rows where the pixels are the same, else converted and scaled.
///
/// libswscale works in steps of a vector, and writes beyond rows that do not end with one. Memory whose rows,
/// strides or addresses are no multiples of 32 bytes is written by way of the writer's own, which is one copy
/// more; so is memory with padding.
class PictureWriter {
public:
    /// load_ffmpeg() must have succeeded, and FFmpeg must have a name for @p to. @p object names the
    /// conversion in errors. Errors: those of layout_of(); (system) no memory.
    [[nodiscard]] static Result<PictureWriter> create(const FrameFormat& to, const ConvertOptions& options,
                                                      std::string_view object);

    /// Gets ready for pictures like this; run() does by itself, in the middle of a stream. Errors: those of
    /// Scaler::create().
    [[nodiscard]] Status prepare(const ScalerSide& from);

    /// Answers the bytes that were written: the pixels of the frame, and those of a picture in between.
    /// Padding in @p to is left alone. @p from says what @p picture is. Errors: (system) memory that is too
    /// short; those of prepare().
    [[nodiscard]] Result<std::uint64_t> run(const AVFrame& picture, const ScalerSide& from, Planes to);

    /// Whether such pictures only have to be copied.
    [[nodiscard]] bool only_copies(const ScalerSide& from) const noexcept { return from == scaler_to_; }

private:
    PictureWriter() = default;
    [[nodiscard]] std::uint64_t copy(const AVFrame& picture, Planes to) const;

    std::string object_;
    ConvertOptions options_{};
    AvFormat format_{};
    Layout layout_{};
    ScalerSide scaler_to_{};
    ScalerSide scaler_from_{};
    std::optional<Scaler> scaler_; ///< from scaler_from_
    AvFrame target_;               ///< borrows the frame's memory, or staging_'s
    Staging staging_;
};

} // namespace v4l2dma
