// SPDX-License-Identifier: MIT
#include "media/picture_reader.h"

#include <cstring>
#include <utility>

namespace v4l2dma {

namespace {

/// libswscale reads to the end of the last row's padding, and of some formats a few bytes more.
bool readable_in_place(ConstPlanes memory, const std::array<Rows<const std::byte>, 3>& planes,
                       const Layout& layout, const AvFormat& format) {
    const std::size_t beyond = format.overrun == Overrun::none ? 0 : 2 * vector_step;
    for (const PlaneLayout& plane : std::span(layout.planes).first(layout.plane_count))
        if (memory[plane.memory_plane].size() < plane.offset + plane.size() + beyond)
            return false;
    return in_vector_steps(planes, layout);
}

/// NV16 to YUV422P.
void split_colours(const AVFrame& from, AVFrame& to) {
    const auto width = static_cast<std::size_t>(from.width);
    for (int y = 0; y < from.height; ++y) {
        std::memcpy(to.data[0] + y * to.linesize[0], from.data[0] + y * from.linesize[0], width);
        const std::uint8_t* pairs = from.data[1] + y * from.linesize[1];
        for (std::size_t x = 0; x < (width + 1) / 2; ++x) {
            (to.data[1] + y * to.linesize[1])[x] = pairs[2 * x];
            (to.data[2] + y * to.linesize[2])[x] = pairs[2 * x + 1];
        }
    }
}

} // namespace

Result<PictureReader> PictureReader::create(const FrameFormat& from, std::string_view object) {
    PictureReader reader(object);
    if (av_still_codec(from.fourcc) != AV_CODEC_ID_NONE) {
        reader.side_ = scaler_side(from, AV_PIX_FMT_NONE);
        Result<JpegDecoder> decoder = JpegDecoder::create(from.width, from.height);
        if (!decoder)
            return std::unexpected(std::move(decoder.error()));
        reader.decoder_ = std::move(*decoder);
        return reader;
    }
    const Result<Layout> layout = layout_of(from);
    if (!layout)
        return std::unexpected(layout.error());
    reader.layout_ = *layout;
    reader.format_ = *find_av_format(from.fourcc);
    reader.side_ = scaler_side(from, reader.format_.pixel_format);
    Result<AvFrame> picture = make_borrowing_frame(reader.format_.pixel_format, from.width, from.height);
    if (!picture)
        return std::unexpected(std::move(picture.error()));
    reader.picture_ = std::move(*picture);
    return reader;
}

/// In the frame's memory, or copied to where rows may be overrun.
Result<const AVFrame*> PictureReader::read(ConstPlanes from, bool keeps_to_rows, std::uint64_t& bytes) {
    if (decoder_)
        return decode(from, bytes);
    if (!holds(from, layout_))
        return make_error(ErrorKind::system, "convert", object_, "the frame is too short");
    const std::array<Rows<const std::byte>, 3> planes = rows_of(from, layout_);
    if (keeps_to_rows || split_ || readable_in_place(from, planes, layout_, format_)) {
        point_at(*picture_, planes, format_);
    } else {
        const std::array<Rows<std::byte>, 3> staged = staging_.planes(layout_);
        bytes += copy_planes(planes, staged, layout_);
        point_at(*picture_, staged, format_);
    }
    if (!split_)
        return picture_.get();
    split_colours(*picture_, *split_);
    bytes += picture_bytes(*split_);
    return split_.get();
}

bool PictureReader::can_split() const noexcept {
    return !decoder_ && format_.pixel_format == AV_PIX_FMT_NV16 &&
           ffmpeg().sws_isSupportedInput(format_.pixel_format) == 0;
}

Status PictureReader::split() {
    Result<AvFrame> picture = make_av_frame();
    if (!picture)
        return std::unexpected(std::move(picture.error()));
    (*picture)->format = AV_PIX_FMT_YUV422P;
    (*picture)->width = picture_->width;
    (*picture)->height = picture_->height;
    if (ffmpeg().av_frame_get_buffer(picture->get(), 0) < 0)
        return system_error("convert", object_, ENOMEM);
    split_ = std::move(*picture);
    side_.pixel_format = AV_PIX_FMT_YUV422P;
    return {};
}

/// A camera may change the subsampling of its JPEGs from one to the next; most never do.
Result<const AVFrame*> PictureReader::decode(ConstPlanes from, std::uint64_t& bytes) {
    const Result<const AVFrame*> picture =
        decoder_->decode(from.empty() ? std::span<const std::byte>{} : from[0]);
    if (!picture)
        return picture;
    side_.pixel_format = static_cast<AVPixelFormat>((*picture)->format);
    // JPEG's own way, unless it says otherwise.
    side_.full_range = (*picture)->color_range != AVCOL_RANGE_MPEG;
    bytes += picture_bytes(**picture);
    return picture;
}

} // namespace v4l2dma
