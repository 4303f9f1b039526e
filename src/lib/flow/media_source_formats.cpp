// SPDX-License-Identifier: MIT
// What a film's frames may be, and what they are.
#include "flow/media_source.h"

#include "base/log.h"
#include "format/likeness.h"
#include "media/av_colorimetry.h"

#include <algorithm>
#include <cmath>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

/// A film's own pixels need no conversion.
bool can_become(const AvFormat& format, AVPixelFormat own) {
    return format.pixel_format == own || ffmpeg().sws_isSupportedOutput(format.pixel_format) != 0;
}

bool in_one_piece(FourCC fourcc) {
    const PixelFormat* const entry = find_pixel_format(fourcc);
    return entry != nullptr && entry->memory_planes() == 1;
}

/// Formats that a film's pictures can be brought to.
std::vector<FourCC> writable_fourccs(AVPixelFormat own) {
    std::vector<FourCC> fourccs;
    for (const PixelFormat& entry : pixel_formats())
        if (const AvFormat* const format = find_av_format(entry.fourcc);
            format != nullptr && can_become(*format, own))
            fourccs.push_back(entry.fourcc);
    return fourccs;
}

} // namespace

Status MediaSource::choose_format() {
    const FilmShape& shape = film_->shape();
    const double ratio = static_cast<double>(shape.shown_width) / shape.shown_height;
    width_ = wishes_.width.value_or(wishes_.height ? even(*wishes_.height * ratio) : shape.shown_width);
    height_ = wishes_.height.value_or(wishes_.width ? even(*wishes_.width / ratio) : shape.shown_height);
    const std::optional<FrameFormat> packets = packet_format();
    const std::optional<FrameFormat> as_it_is = device_format();
    if (as_it_is && (!wished_ || *wished_ == as_it_is->fourcc))
        return set_format(*as_it_is);
    if (!wished_) {
        const std::string obstacle = why_not_copied(shape);
        const bool demanded = wishes_.playback.packets == Packets::demanded;
        if (demanded && film_->hides_pictures())
            spdlog::warn("{} hides pictures at its beginning, which are seen in the copy", name_);
        const bool preferred = wishes_.playback.packets == Packets::preferred && !film_->hides_pictures();
        if ((demanded || preferred) && obstacle.empty())
            return set_format(*packets);
        if (demanded)
            return make_error(ErrorKind::usage, "--codec copy", name_, obstacle,
                              "Leave --codec away: then it is decoded and encoded");
        const Result<FourCC> fourcc = natural_fourcc();
        return fourcc ? set_raw_format(*fourcc) : std::unexpected(fourcc.error());
    }
    if (packets && packets->fourcc == *wished_)
        return set_format(*packets);
    const AvFormat* const entry = find_av_format(*wished_);
    if (entry == nullptr || !can_become(*entry, shape.pixel_format))
        return make_error(ErrorKind::usage, "--format", wished_->text(),
                          fmt::format("{} cannot be brought to this format", name_),
                          packets ? fmt::format("As it is compressed it is {}", packets->fourcc.text()) : "");
    return set_raw_format(*wished_);
}

Status MediaSource::set_raw_format(FourCC fourcc) {
    const Result<FrameFormat> format = raw_format(fourcc);
    return format ? set_format(*format) : std::unexpected(format.error());
}

// What is to be done with its pictures cannot be done with packets. Empty: they can be had.
std::string MediaSource::why_not_copied(const FilmShape& shape) const {
    if (!finds_packets())
        return "it is read from its beginning on: the place is found by decoding";
    if (!packet_format())
        return "packets of its codec are in no pixel format";
    if (shape.turned || shape.width != shape.shown_width || shape.height != shape.shown_height)
        return "its pictures have to be turned or made square; --as-stored copies them as they are";
    if (film_->reorders() && !wishes_.playback.decode_times)
        return "its packets come in another order than its pictures";
    return film_->reorders() && !film_->tells_both_times() ? "its packets do not say when they are shown"
                                                           : "";
}

bool MediaSource::finds_packets() const noexcept {
    if (wishes_.playback.seek)
        return film_->seekable() && !film_->begins_untimed();
    return film_->has_first_packets();
}

bool MediaSource::tells_decode_times() const noexcept {
    return is_packets() && wishes_.playback.decode_times;
}

// Decoded pictures are upright and their pixels square, unless the user wants them as they are.
StreamProperties MediaSource::properties() const {
    const FilmShape& shape = film_->shape();
    StreamProperties properties{.rate = wishes_.fps ? wishes_.fps : film_->rate(),
                                .keeps_rate = true,
                                .reorders = tells_decode_times() && film_->reorders()};
    const bool as_stored = wishes_.playback.keep_pixels && width_ == shape.width && height_ == shape.height;
    if (is_packets())
        properties.coded = film_->coded();
    if (is_packets() || as_stored) {
        properties.aspect = shape.aspect;
        properties.display_matrix = shape.display_matrix;
    }
    return properties;
}

// The film's own pixels if V4L2 has a name for them, else what loses least.
Result<FourCC> MediaSource::natural_fourcc() const {
    const AVPixelFormat pixels = film_->shape().pixel_format;
    std::vector<AVPixelFormat> known;
    for (const FourCC fourcc : writable_fourccs(pixels))
        if (in_one_piece(fourcc))
            known.push_back(av_pixel_format(fourcc));
    known.push_back(AV_PIX_FMT_NONE); // ends the list
    const AVPixelFormat best = ffmpeg().avcodec_find_best_pix_fmt_of_list(known.data(), pixels, 0, nullptr);
    if (const std::optional<FourCC> fourcc = find_fourcc(best))
        return *fourcc;
    return make_error(ErrorKind::unsupported, "open", name_, "no pixel format is like its own");
}

Result<FrameFormat> MediaSource::raw_format(FourCC fourcc) const {
    for (const std::uint32_t side : {width_, height_})
        if (side == 0 || side > max_converted_size)
            return make_error(ErrorKind::usage, "picture", name_,
                              fmt::format("{}x{} is not a size from 1x1 to {}x{}", width_, height_,
                                          max_converted_size, max_converted_size));
    Result<FrameFormat> format = tight_format(fourcc, width_, height_);
    if (!format)
        return format;
    film_->make_room(*format);
    // Lines that are scaled belong to no field any more.
    format->field = height_ == film_->shape().height ? film_->shape().field : std::uint32_t{V4L2_FIELD_NONE};
    format->colorimetry = film_->shape().colorimetry;
    // RGB is full range, and what comes from it is not, unless the film says so.
    if (is_rgb(fourcc)) {
        format->colorimetry.ycbcr_encoding = V4L2_YCBCR_ENC_DEFAULT;
        format->colorimetry.quantization = V4L2_QUANTIZATION_DEFAULT;
    }
    return format;
}

// Pictures in a device's memory, if that is how they are wished for.
std::optional<FrameFormat> MediaSource::device_format() const {
    const Result<DeviceLayout>& layout = film_->device_layout();
    if (!layout || film_->shape().turned || layout->format.width != width_ ||
        layout->format.height != height_)
        return std::nullopt;
    FrameFormat format = layout->format;
    format.field = film_->shape().field;
    format.colorimetry = film_->shape().colorimetry;
    return format;
}

std::optional<FrameFormat> MediaSource::packet_format() const {
    const std::optional<FourCC> fourcc = film_->packet_format();
    if (!fourcc || !finds_packets())
        return std::nullopt;
    // A packet of a compressed picture, however little it was compressed.
    constexpr std::uint64_t least = 64 * 1024;
    const FilmShape& shape = film_->shape();
    FrameFormat format{.fourcc = *fourcc,
                       .width = shape.width,
                       .height = shape.height,
                       .field = shape.field,
                       .colorimetry = shape.colorimetry};
    format.planes[0].sizeimage =
        static_cast<std::uint32_t>(std::max(std::uint64_t{shape.width} * shape.height * 2, least));
    return format;
}

std::vector<FrameFormat> MediaSource::other_formats() const {
    std::vector<FrameFormat> formats;
    if (wished_)
        return formats;
    std::vector<FourCC> fourccs = writable_fourccs(film_->shape().pixel_format);
    const Result<FourCC> natural = natural_fourcc();
    const FourCC like = natural.value_or(FourCC("YU12"));
    sort_by_likeness(like, fourccs);
    for (const FourCC fourcc : fourccs)
        if (Result<FrameFormat> format = raw_format(fourcc); format && *format != format_)
            formats.push_back(*format);
    if (const std::optional<FrameFormat> packets = packet_format(); packets && !is_packets())
        formats.push_back(*packets);
    return formats;
}

bool MediaSource::is_packets() const noexcept {
    return !writer_;
}

Status MediaSource::set_format(const FrameFormat& format) {
    const bool packets = find_av_format(format.fourcc) == nullptr;
    if (Status status = film_->play_packets(packets); !status)
        return status;
    format_ = format;
    writer_.reset();
    if (packets)
        return {};
    const Result<Layout> layout = layout_of(format);
    if (!layout)
        return std::unexpected(layout.error());
    for (std::uint32_t i = 0; i < format.plane_count; ++i)
        payload_[i] = static_cast<std::uint32_t>(layout->size(i));
    Result<PictureWriter> writer =
        PictureWriter::create(format, {}, fmt::format("{} to {}", name_, format.text()));
    if (!writer)
        return std::unexpected(std::move(writer.error()));
    const FilmShape& shape = film_->shape();
    const FrameFormat from{.width = shape.width, .height = shape.height, .colorimetry = shape.colorimetry};
    const ScalerSide side = scaler_side(from, shape.pixel_format);
    if (!writer->only_copies(side))
        if (Status status = writer->prepare(side); !status)
            return status;
    writer_.emplace(std::move(*writer));
    return {};
}

} // namespace v4l2dma
