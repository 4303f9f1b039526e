// SPDX-License-Identifier: MIT
#include "media/converter.h"

#include "format/pixel_format.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

enum class Direction { from, to };

bool is_jpeg(FourCC fourcc) {
    return av_still_codec(fourcc) != AV_CODEC_ID_NONE;
}

bool convertible(FourCC fourcc, Direction direction) {
    const AvFormat* format = find_av_format(fourcc);
    if (direction == Direction::to)
        return format != nullptr && ffmpeg().sws_isSupportedOutput(format->pixel_format) != 0;
    return is_jpeg(fourcc) || (format != nullptr && ffmpeg().sws_isSupportedInput(format->pixel_format) != 0);
}

/// Formats that would do, those with a similar name first.
std::string convertible_near(FourCC fourcc, Direction direction) {
    constexpr std::size_t enough = 4;
    std::vector<FourCC> candidates = similar_formats(fourcc.text(), pixel_formats().size());
    for (const FourCC common : {FourCC("NV12"), FourCC("YUYV"), FourCC("YU12"), FourCC("XR24")})
        if (std::ranges::find(candidates, common) == candidates.end())
            candidates.push_back(common);
    std::erase_if(candidates, [&](FourCC candidate) { return !convertible(candidate, direction); });
    candidates.resize(std::min(candidates.size(), enough));
    std::string names;
    for (const FourCC candidate : candidates)
        names += (names.empty() ? "" : ", ") + candidate.text();
    return names;
}

Status check(const FrameFormat& format, Direction direction) {
    if (!convertible(format.fourcc, direction))
        return make_error(ErrorKind::unsupported, "convert", format.text(),
                          direction == Direction::from ? "FFmpeg cannot convert from this format"
                                                       : "FFmpeg cannot convert to this format",
                          fmt::format("It can with {}", convertible_near(format.fourcc, direction)));
    for (const std::uint32_t size : {format.width, format.height})
        if (size == 0 || size > Converter::max_size)
            return make_error(ErrorKind::usage, "convert", format.text(),
                              fmt::format("a side must have 1 to {} pixels", Converter::max_size));
    return {};
}

/// FFmpeg has no const frames; nobody writes to one that is read from.
std::uint8_t* av_pointer(const std::byte* bytes) {
    return reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(bytes));
}

template <typename Byte>
void point_at(AVFrame& frame, const std::array<Rows<Byte>, 3>& planes, const AvFormat& format) {
    for (std::size_t i = 0; i < planes.size(); ++i) {
        frame.data[i] = av_pointer(planes[i].begin);
        frame.linesize[i] = static_cast<int>(planes[i].stride);
    }
    if (format.swapped) {
        std::swap(frame.data[1], frame.data[2]);
        std::swap(frame.linesize[1], frame.linesize[2]);
    }
}

/// libswscale reads to the end of the last row's padding, and of some formats a few bytes more.
bool readable_in_place(ConstPlanes memory, const std::array<Rows<const std::byte>, 3>& planes,
                       const Layout& layout, const AvFormat& format) {
    const std::size_t beyond = format.overrun == Overrun::none ? 0 : 2 * vector_step;
    for (const PlaneLayout& plane : std::span(layout.planes).first(layout.plane_count))
        if (memory[plane.memory_plane].size() < plane.offset + plane.size() + beyond)
            return false;
    return in_vector_steps(planes, layout);
}

/// Where both sides have padding, libswscale may convert that, too.
bool writable_in_place(const std::array<Rows<std::byte>, 3>& planes, const Layout& layout,
                       const AvFormat& format) {
    return format.overrun != Overrun::reads_and_writes && in_vector_steps(planes, layout) &&
           std::ranges::all_of(std::span(layout.planes).first(layout.plane_count),
                               [](const PlaneLayout& plane) { return plane.stride == plane.row_bytes; });
}

std::uint64_t picture_bytes(const AVFrame& picture) {
    const int size = ffmpeg().av_image_get_buffer_size(static_cast<AVPixelFormat>(picture.format),
                                                       picture.width, picture.height, 1);
    return static_cast<std::uint64_t>(std::max(size, 0));
}

} // namespace

Result<Converter> Converter::create(const FrameFormat& from, const FrameFormat& to,
                                    const ConvertOptions& options) {
    if (Status status = load_ffmpeg(); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = check(from, Direction::from); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = check(to, Direction::to); !status)
        return std::unexpected(std::move(status.error()));
    Converter converter;
    converter.object_ = fmt::format("{} to {}", from.text(), to.text());
    converter.options_ = options;
    Result<Side> target = make_side(to);
    if (!target)
        return std::unexpected(std::move(target.error()));
    converter.to_ = *target;
    Result<AvFrame> frame = make_borrowing_frame(target->format.pixel_format, to.width, to.height);
    if (!frame)
        return std::unexpected(std::move(frame.error()));
    converter.target_ = std::move(*frame);
    if (Status status = converter.set_up_source(from); !status)
        return std::unexpected(std::move(status.error()));
    return converter;
}

Result<Converter::Side> Converter::make_side(const FrameFormat& format) {
    const Result<Layout> layout = layout_of(format);
    if (!layout)
        return std::unexpected(layout.error());
    const AvFormat av_format = *find_av_format(format.fourcc);
    return Side{av_format, *layout, scaler_side(format, av_format.pixel_format)};
}

Status Converter::set_up_source(const FrameFormat& from) {
    if (is_jpeg(from.fourcc)) {
        from_.scaler = scaler_side(from, AV_PIX_FMT_NONE);
        Result<JpegDecoder> decoder = JpegDecoder::create(from.width, from.height);
        if (!decoder)
            return std::unexpected(std::move(decoder.error()));
        decoder_ = std::move(*decoder);
        return {};
    }
    Result<Side> source = make_side(from);
    if (!source)
        return std::unexpected(std::move(source.error()));
    from_ = *source;
    Result<AvFrame> frame = make_borrowing_frame(from_.format.pixel_format, from.width, from.height);
    if (!frame)
        return std::unexpected(std::move(frame.error()));
    source_ = std::move(*frame);
    return from_.scaler == to_.scaler ? Status{} : set_up_scaler();
}

Status Converter::set_up_scaler() {
    Result<Scaler> scaler = Scaler::create(from_.scaler, to_.scaler, options_, object_);
    if (!scaler)
        return std::unexpected(std::move(scaler.error()));
    scaler_ = std::move(*scaler);
    return {};
}

Result<std::uint64_t> Converter::run(ConstPlanes from, Planes to) {
    if (!holds(to, to_.layout))
        return too_short("the memory for it");
    if (!decoder_ && !holds(from, from_.layout))
        return too_short("the frame");
    if (from_.scaler == to_.scaler)
        return copy_in_order(from, to);
    std::uint64_t bytes = 0;
    const Result<const AVFrame*> picture = decoder_ ? decode(from, bytes) : source_picture(from, bytes);
    if (!picture)
        return std::unexpected(picture.error());
    const std::array<Rows<std::byte>, 3> target = rows_of(to, to_.layout);
    const bool direct = writable_in_place(target, to_.layout, to_.format);
    const std::array<Rows<std::byte>, 3> written = direct ? target : target_staging_.planes(to_.layout);
    point_at(*target_, written, to_.format);
    if (Status status = scaler_->run(**picture, *target_); !status)
        return std::unexpected(std::move(status.error()));
    bytes += picture_bytes(*target_);
    if (!direct)
        bytes += copy_planes(written, target, to_.layout);
    return bytes;
}

/// The same pixels to FFmpeg, by another name (BGR4, XR24) or with planes in another order (YU12, YV12).
std::uint64_t Converter::copy_in_order(ConstPlanes from, Planes to) const {
    std::array<Rows<const std::byte>, 3> source = rows_of(from, from_.layout);
    if (from_.format.swapped != to_.format.swapped)
        std::swap(source[1], source[2]);
    return copy_planes(source, rows_of(to, to_.layout), to_.layout);
}

Result<const AVFrame*> Converter::decode(ConstPlanes from, std::uint64_t& bytes) {
    const Result<const AVFrame*> picture =
        decoder_->decode(from.empty() ? std::span<const std::byte>{} : from[0]);
    if (!picture)
        return picture;
    if (Status status = follow_decoded(**picture); !status)
        return std::unexpected(std::move(status.error()));
    bytes += picture_bytes(**picture);
    return picture;
}

/// The source as FFmpeg's frame, in the frame's memory or copied to where rows may be overrun.
const AVFrame* Converter::source_picture(ConstPlanes from, std::uint64_t& bytes) {
    const std::array<Rows<const std::byte>, 3> planes = rows_of(from, from_.layout);
    if (readable_in_place(from, planes, from_.layout, from_.format)) {
        point_at(*source_, planes, from_.format);
    } else {
        const std::array<Rows<std::byte>, 3> staged = source_staging_.planes(from_.layout);
        bytes += copy_planes(planes, staged, from_.layout);
        point_at(*source_, staged, from_.format);
    }
    return source_.get();
}

/// A camera may change the subsampling of its JPEGs from one to the next; most never do.
Status Converter::follow_decoded(const AVFrame& picture) {
    const auto pixel_format = static_cast<AVPixelFormat>(picture.format);
    const bool full_range =
        picture.color_range != AVCOL_RANGE_MPEG; // JPEG's own way, unless it says otherwise
    if (scaler_ && from_.scaler.pixel_format == pixel_format && from_.scaler.full_range == full_range)
        return {};
    from_.scaler.pixel_format = pixel_format;
    from_.scaler.full_range = full_range;
    scaler_.reset();
    return set_up_scaler();
}

std::unexpected<Error> Converter::too_short(std::string_view side) const {
    return make_error(ErrorKind::system, "convert", object_, fmt::format("{} is too short", side));
}

} // namespace v4l2dma
