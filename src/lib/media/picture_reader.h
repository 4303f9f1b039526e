// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/av_format.h"
#include "media/jpeg_decoder.h"
#include "media/scaler.h"
#include "media/staging.h"

#include <optional>
#include <string>

namespace v4l2dma {

/// Shows frames of one format to FFmpeg, where they are if that is possible; JPEG frames are decoded.
///
/// libswscale works in steps of a vector, and reads beyond rows that do not end with one. For it, a frame
/// whose rows, strides or addresses are no multiples of 32 bytes is copied to memory of the reader's own, and
/// one of 24-bit RGB that has not 64 bytes more after its last pixel.
class PictureReader {
public:
    /// load_ffmpeg() must have succeeded, and FFmpeg must have a name for @p from, or decode it. @p object is
    /// what errors name. Errors: those of layout_of() and JpegDecoder::create(); (system) no memory.
    [[nodiscard]] static Result<PictureReader> create(const FrameFormat& from, std::string_view object);

    /// What the pictures are. What a JPEG's pixels mean is known after the first one.
    [[nodiscard]] const ScalerSide& side() const noexcept { return side_; }
    [[nodiscard]] bool decodes() const noexcept { return decoder_.has_value(); }

    /// Whether libswscale reads these pixels only with their two kinds of colour in planes of their own.
    [[nodiscard]] bool can_split() const noexcept;
    /// From now on pictures are so, and no frame's memory. Errors: (system) no memory.
    [[nodiscard]] Status split();
    [[nodiscard]] bool splits() const noexcept { return split_ != nullptr; }

    /// The picture, until the next call, or as long as the frame is there. @p keeps_to_rows: whoever gets it
    /// reads nothing beyond them. Adds the bytes that were written on the way to @p bytes. Errors: (system)
    /// memory that is too short, a broken JPEG: one bad frame, the next one may be good.
    [[nodiscard]] Result<const AVFrame*> read(ConstPlanes from, bool keeps_to_rows, std::uint64_t& bytes);

private:
    explicit PictureReader(std::string_view object) : object_(object) {}
    [[nodiscard]] Result<const AVFrame*> decode(ConstPlanes from, std::uint64_t& bytes);

    std::string object_;
    AvFormat format_{}; ///< as is the layout; not if it is JPEG
    Layout layout_{};
    ScalerSide side_{};
    std::optional<JpegDecoder> decoder_; ///< set if the source is JPEG
    AvFrame picture_;                    ///< borrows the frame's memory, or staging_'s
    AvFrame split_;                      ///< after split(); has memory of its own
    Staging staging_;
};

} // namespace v4l2dma
