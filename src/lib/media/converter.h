// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/av_format.h"
#include "media/jpeg_decoder.h"
#include "media/picture_writer.h"

#include <optional>
#include <string>

namespace v4l2dma {

/// Converts frames to other pixels, another size, or both, straight from the source's memory into the
/// destination's; JPEG frames are decoded first. Colours follow the colorimetry of both sides.
///
/// libswscale works in steps of a vector, and reads beyond rows that do not end with one. A source whose
/// rows, strides or addresses are no multiples of 32 bytes goes through memory of the converter's own, which
/// is one copy more; so does one of 24-bit RGB that has not 64 bytes more after its last pixel. The
/// destination: see PictureWriter.
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
    explicit Converter(PictureWriter writer, std::string object)
        : object_(std::move(object)), writer_(std::move(writer)) {}

    [[nodiscard]] Status set_up_source(const FrameFormat& from);
    [[nodiscard]] Result<const AVFrame*> decode(ConstPlanes from, std::uint64_t& bytes);
    [[nodiscard]] const AVFrame* source_picture(ConstPlanes from, std::uint64_t& bytes);

    std::string object_; ///< "YUYV 640x480 to NV12 640x480"
    PictureWriter writer_;
    AvFormat format_{}; ///< of the source, as is the layout; not if it is JPEG
    Layout layout_{};
    ScalerSide from_{};                  ///< of a JPEG's pixels it knows before the first one what they mean
    std::optional<JpegDecoder> decoder_; ///< set if the source is JPEG
    AvFrame source_;                     ///< borrows the frame's memory, or staging_'s
    Staging staging_;
};

} // namespace v4l2dma
