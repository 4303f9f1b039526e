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

/// libswscale reads to the end of the last row's padding, and of some formats a few bytes more.
bool readable_in_place(ConstPlanes memory, const std::array<Rows<const std::byte>, 3>& planes,
                       const Layout& layout, const AvFormat& format) {
    const std::size_t beyond = format.overrun == Overrun::none ? 0 : 2 * vector_step;
    for (const PlaneLayout& plane : std::span(layout.planes).first(layout.plane_count))
        if (memory[plane.memory_plane].size() < plane.offset + plane.size() + beyond)
            return false;
    return in_vector_steps(planes, layout);
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
    std::string object = fmt::format("{} to {}", from.text(), to.text());
    Result<PictureWriter> writer = PictureWriter::create(to, options, object);
    if (!writer)
        return std::unexpected(std::move(writer.error()));
    Converter converter(std::move(*writer), std::move(object));
    if (Status status = converter.set_up_source(from); !status)
        return std::unexpected(std::move(status.error()));
    return converter;
}

Status Converter::set_up_source(const FrameFormat& from) {
    if (is_jpeg(from.fourcc)) {
        from_ = scaler_side(from, AV_PIX_FMT_NONE);
        Result<JpegDecoder> decoder = JpegDecoder::create(from.width, from.height);
        if (!decoder)
            return std::unexpected(std::move(decoder.error()));
        decoder_ = std::move(*decoder);
        return {};
    }
    const Result<Layout> layout = layout_of(from);
    if (!layout)
        return std::unexpected(layout.error());
    layout_ = *layout;
    format_ = *find_av_format(from.fourcc);
    from_ = scaler_side(from, format_.pixel_format);
    Result<AvFrame> frame = make_borrowing_frame(format_.pixel_format, from.width, from.height);
    if (!frame)
        return std::unexpected(std::move(frame.error()));
    source_ = std::move(*frame);
    return writer_.only_copies(from_) ? Status{} : writer_.prepare(from_);
}

Result<std::uint64_t> Converter::run(ConstPlanes from, Planes to) {
    if (!decoder_ && !holds(from, layout_))
        return make_error(ErrorKind::system, "convert", object_, "the frame is too short");
    std::uint64_t bytes = 0;
    const Result<const AVFrame*> picture = decoder_ ? decode(from, bytes) : source_picture(from, bytes);
    if (!picture)
        return std::unexpected(picture.error());
    const Result<std::uint64_t> written = writer_.run(**picture, from_, to);
    if (!written)
        return written;
    return bytes + *written;
}

/// A camera may change the subsampling of its JPEGs from one to the next; most never do.
Result<const AVFrame*> Converter::decode(ConstPlanes from, std::uint64_t& bytes) {
    const Result<const AVFrame*> picture =
        decoder_->decode(from.empty() ? std::span<const std::byte>{} : from[0]);
    if (!picture)
        return picture;
    from_.pixel_format = static_cast<AVPixelFormat>((*picture)->format);
    // JPEG's own way, unless it says otherwise.
    from_.full_range = (*picture)->color_range != AVCOL_RANGE_MPEG;
    bytes += picture_bytes(**picture);
    return picture;
}

/// The source as FFmpeg's frame, in the frame's memory or copied to where rows may be overrun.
const AVFrame* Converter::source_picture(ConstPlanes from, std::uint64_t& bytes) {
    const std::array<Rows<const std::byte>, 3> planes = rows_of(from, layout_);
    if (writer_.only_copies(from_) || readable_in_place(from, planes, layout_, format_)) {
        point_at(*source_, planes, format_);
    } else {
        const std::array<Rows<std::byte>, 3> staged = staging_.planes(layout_);
        bytes += copy_planes(planes, staged, layout_);
        point_at(*source_, staged, format_);
    }
    return source_.get();
}

} // namespace v4l2dma
