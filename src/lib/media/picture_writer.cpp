// SPDX-License-Identifier: MIT
#include "media/picture_writer.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

/// Where both sides have padding, libswscale may convert that, too.
bool writable_in_place(const std::array<Rows<std::byte>, 3>& planes, const Layout& layout,
                       const AvFormat& format) {
    return format.overrun != Overrun::reads_and_writes && in_vector_steps(planes, layout) &&
           std::ranges::all_of(std::span(layout.planes).first(layout.plane_count),
                               [](const PlaneLayout& plane) { return plane.stride == plane.row_bytes; });
}

bool is_upside_down(const AVFrame& picture) {
    return std::ranges::any_of(picture.linesize, [](int linesize) { return linesize < 0; });
}

} // namespace

Result<PictureWriter> PictureWriter::create(const FrameFormat& to, const ConvertOptions& options,
                                            std::string_view object) {
    const Result<Layout> layout = layout_of(to);
    if (!layout)
        return std::unexpected(layout.error());
    PictureWriter writer;
    writer.object_ = object;
    writer.options_ = options;
    writer.format_ = *find_av_format(to.fourcc);
    writer.layout_ = *layout;
    writer.scaler_to_ = scaler_side(to, writer.format_.pixel_format);
    Result<AvFrame> frame = make_borrowing_frame(writer.format_.pixel_format, to.width, to.height);
    if (!frame)
        return std::unexpected(std::move(frame.error()));
    writer.target_ = std::move(*frame);
    return writer;
}

Status PictureWriter::prepare(const ScalerSide& from) {
    if (scaler_ && scaler_from_ == from)
        return {};
    scaler_.reset();
    Result<Scaler> scaler = Scaler::create(from, scaler_to_, options_, object_);
    if (!scaler)
        return std::unexpected(std::move(scaler.error()));
    scaler_ = std::move(*scaler);
    scaler_from_ = from;
    return {};
}

Result<std::uint64_t> PictureWriter::run(const AVFrame& picture, const ScalerSide& from, Planes to) {
    if (!holds(to, layout_))
        return make_error(ErrorKind::system, "convert", object_, "the memory for it is too short");
    if (only_copies(from) && !is_upside_down(picture))
        return copy(picture, to);
    if (Status status = prepare(from); !status)
        return std::unexpected(std::move(status.error()));
    const std::array<Rows<std::byte>, 3> target = rows_of(to, layout_);
    const bool direct = writable_in_place(target, layout_, format_);
    const std::array<Rows<std::byte>, 3> written = direct ? target : staging_.planes(layout_);
    point_at(*target_, written, format_);
    if (Status status = scaler_->run(picture, *target_); !status)
        return std::unexpected(std::move(status.error()));
    std::uint64_t bytes = picture_bytes(*target_);
    if (!direct)
        bytes += copy_planes(written, target, layout_);
    return bytes;
}

/// The same pixels to FFmpeg, perhaps by another name (BGR4, XR24) or with planes in another order (YV12).
std::uint64_t PictureWriter::copy(const AVFrame& picture, Planes to) const {
    std::array<Rows<const std::byte>, 3> source{};
    for (std::size_t i = 0; i < source.size(); ++i)
        source[i] = {reinterpret_cast<const std::byte*>(picture.data[i]),
                     static_cast<std::size_t>(picture.linesize[i])};
    if (format_.swapped)
        std::swap(source[1], source[2]);
    return copy_planes(source, rows_of(to, layout_), layout_);
}

} // namespace v4l2dma
