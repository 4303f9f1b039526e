// SPDX-License-Identifier: MIT
// What a film's first picture says of all of them.
#include "media/av_colorimetry.h"
#include "media/film.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

using DisplayMatrix = std::array<std::int32_t, 9>;

std::optional<DisplayMatrix> matrix_in(const std::uint8_t* data, std::size_t size) {
    DisplayMatrix matrix{};
    if (data == nullptr || size < sizeof matrix)
        return std::nullopt;
    std::memcpy(matrix.data(), data, sizeof matrix);
    return matrix;
}

std::optional<DisplayMatrix> matrix_of(const AVStream& stream, const AVFrame& frame) {
    if (const AVFrameSideData* data = ffmpeg().av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX))
        if (const std::optional<DisplayMatrix> matrix = matrix_in(data->data, data->size))
            return matrix;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData* const all = stream.codecpar->coded_side_data;
    const int count = stream.codecpar->nb_coded_side_data;
#else
    const AVPacketSideData* const all = stream.side_data;
    const int count = stream.nb_side_data;
#endif
    for (int i = 0; i < count; ++i)
        if (all[i].type == AV_PKT_DATA_DISPLAYMATRIX)
            return matrix_in(all[i].data, all[i].size);
    return std::nullopt;
}

/// Widens, or heightens, pictures whose pixels are not square: so nothing is lost. What nobody would have
/// made is taken for an error.
void make_square(FilmShape& shape, AVRational aspect) {
    constexpr double most = 8;
    if (aspect.num <= 0 || aspect.den <= 0 || aspect.num == aspect.den)
        return;
    const double ratio = static_cast<double>(aspect.num) / aspect.den;
    if (ratio > most || ratio < 1 / most)
        return;
    const std::uint32_t width = ratio > 1 ? even(shape.width * ratio) : shape.width;
    const std::uint32_t height = ratio < 1 ? even(shape.height / ratio) : shape.height;
    if (std::max(width, height) > max_converted_size)
        return;
    shape.shown_width = width;
    shape.shown_height = height;
}

std::uint32_t field_of(const AVFrame& frame) {
    if (frame.interlaced_frame == 0)
        return V4L2_FIELD_NONE;
    return frame.top_field_first != 0 ? V4L2_FIELD_INTERLACED_TB : V4L2_FIELD_INTERLACED_BT;
}

bool shows_rgb(AVPixelFormat format) {
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    return is_rgb(format) || (descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_PAL) != 0);
}

} // namespace

std::uint32_t even(double pixels) {
    return std::max(2U, static_cast<std::uint32_t>(std::lround(pixels / 2)) * 2);
}

Status Film::find_shape(const AVFrame& frame) {
    kept_pictures_ = decoder_->kept_pictures();
    decodes_no_wider_ = decoder_->decodes_no_wider();
    decodes_no_higher_ = decoder_->decodes_no_higher();
    reorders_ = decoder_->reorders() || input_->stream().codecpar->video_delay > 0;
    if (Status status = find_device_layout(frame); !status)
        return status;
    shape_.pixel_format = pixels_of(frame);
    shape_.width = static_cast<std::uint32_t>(frame.width);
    shape_.height = static_cast<std::uint32_t>(frame.height);
    shape_.colorimetry = to_colorimetry({.primaries = frame.color_primaries,
                                         .transfer = frame.color_trc,
                                         .matrix = frame.colorspace,
                                         .range = frame.color_range},
                                        shape_.height, shows_rgb(shape_.pixel_format));
    shape_.field = field_of(frame);
    return find_orientation(frame);
}

Status Film::find_orientation(const AVFrame& frame) {
    AVRational aspect = input_->pixel_aspect();
    if (aspect.num > 0 && aspect.den > 0)
        shape_.aspect = {.width = static_cast<std::uint32_t>(aspect.num),
                         .height = static_cast<std::uint32_t>(aspect.den)};
    shape_.display_matrix = matrix_of(input_->stream(), frame);
    const std::optional<Turn> turn =
        shape_.display_matrix && !wishes_.playback.keep_pixels
            ? turn_of(*reinterpret_cast<const std::int32_t(*)[9]>(shape_.display_matrix->data()))
            : std::nullopt;
    if (turn) {
        if (Status status = make_turner(*turn, frame); !status)
            return status;
        if (*turn == Turn::clockwise || *turn == Turn::counterclockwise) {
            std::swap(shape_.width, shape_.height);
            std::swap(aspect.num, aspect.den);
        }
    }
    shape_.shown_width = shape_.width;
    shape_.shown_height = shape_.height;
    if (!wishes_.playback.keep_pixels)
        make_square(shape_, aspect);
    return {};
}

Status Film::find_device_layout(const AVFrame& frame) {
    shape_.in_device = is_in_device(frame);
    if (device_ && !shape_.in_device)
        return make_error(ErrorKind::unsupported, "--hwaccel", *wishes_.playback.hwaccel,
                          fmt::format("it does not decode {}", input_->name()),
                          "Leave --hwaccel away to decode by the CPU");
    if (!shape_.in_device)
        return {};
    const Result<AvFrame> drm = export_as_drm(frame);
    device_layout_ = drm ? layout_of_drm(**drm) : std::unexpected(drm.error());
    return {};
}

Status Film::make_turner(Turn turn, const AVFrame& frame) {
    const Result<AvFrame> mapped = shape_.in_device ? map_device_picture(frame) : Result<AvFrame>(AvFrame());
    if (!mapped)
        return std::unexpected(mapped.error());
    Result<PictureTurner> turner = PictureTurner::create(turn, *mapped ? **mapped : frame);
    if (!turner)
        return std::unexpected(std::move(turner.error()));
    turner_.emplace(std::move(*turner));
    shape_.turned = true;
    return {};
}

} // namespace v4l2dma
