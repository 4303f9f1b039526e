// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/picture_reader.h"
#include "media/picture_writer.h"

#include <string>

namespace v4l2dma {

/// Converts frames to other pixels, another size, or both, straight from the source's memory into the
/// destination's; JPEG frames are decoded first. Colours follow the colorimetry of both sides.
///
/// What libswscale cannot read or write in place goes through memory of the converter's own, which is one
/// copy more: see PictureReader and PictureWriter.
class Converter {
public:
    /// The largest width or height that is converted, in pixels.
    static constexpr std::uint32_t max_size = max_converted_size;

    /// Loads FFmpeg: call it before frames flow. Errors: (unsupported) no FFmpeg, or a format it cannot
    /// convert, with near ones that it can; (usage) a size of nothing or beyond max_size; those of
    /// layout_of().
    [[nodiscard]] static Result<Converter> create(const FrameFormat& from, const FrameFormat& to,
                                                  const ConvertOptions& options = {});

    /// Answers the bytes that were written: the pixels of @p to, and those of every picture in between (a
    /// decoded one, a side's copy). Padding in @p to is left alone. Errors: (system) memory that is too
    /// short, a broken JPEG: one bad frame, the next one may be good.
    [[nodiscard]] Result<std::uint64_t> run(ConstPlanes from, Planes to);

private:
    Converter(PictureReader reader, PictureWriter writer)
        : reader_(std::move(reader)), writer_(std::move(writer)) {}

    PictureReader reader_;
    PictureWriter writer_;
};

} // namespace v4l2dma
