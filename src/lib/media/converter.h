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

/// Converts frames to other pixels, another size, or both, straight from the source's memory into the
/// destination's; JPEG frames are decoded first. Colours follow the colorimetry of both sides.
///
/// libswscale works in steps of a vector, and reads and writes beyond rows that do not end with one. A side
/// whose rows, strides or addresses are no multiples of 32 bytes goes through memory of the converter's own,
/// which is one copy more; so does a destination with padding, and a source of 24-bit RGB that has not 64
/// bytes more after its last pixel.
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
    /// What is known of one side before a frame is there.
    struct Side {
        AvFormat format{};
        Layout layout{};
        ScalerSide scaler{};
    };

    Converter() = default;

    [[nodiscard]] static Result<Side> make_side(const FrameFormat& format);
    [[nodiscard]] Status set_up_source(const FrameFormat& from);
    [[nodiscard]] Status set_up_scaler();
    [[nodiscard]] Status follow_decoded(const AVFrame& picture);
    [[nodiscard]] std::uint64_t copy_in_order(ConstPlanes from, Planes to) const;
    [[nodiscard]] Result<const AVFrame*> decode(ConstPlanes from, std::uint64_t& bytes);
    [[nodiscard]] const AVFrame* source_picture(ConstPlanes from, std::uint64_t& bytes);
    [[nodiscard]] std::unexpected<Error> too_short(std::string_view side) const;

    std::string object_; ///< "YUYV 640x480 to NV12 640x480"
    ConvertOptions options_{};
    Side from_{};
    Side to_{};
    std::optional<JpegDecoder> decoder_; ///< set if the source is JPEG; from_ then says what it decodes to
    std::optional<Scaler> scaler_;       ///< not set before the first JPEG has told its pixels
    AvFrame source_;                     ///< borrows the frame's memory, or source_staging_'s
    AvFrame target_;
    Staging source_staging_;
    Staging target_staging_;
};

} // namespace v4l2dma
