// SPDX-License-Identifier: MIT
#include "media/raw_writer.h"

#include "format/pixel_format.h"
#include "media/av_format.h"
#include "media/ffmpeg.h"
#include "media/scaler.h"

#include <algorithm>
#include <cmath>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

struct Y4mFormat {
    FourCC fourcc;
    std::string_view name;
};
constexpr Y4mFormat y4m_formats[] = {
    {FourCC("YU12"), "420jpeg XYSCSS=420JPEG"},
    {FourCC("422P"), "422 XYSCSS=422"},
    {FourCC("YM24"), "444 XYSCSS=444"},
    {FourCC("411P"), "411 XYSCSS=411"},
    {FourCC("GREY"), "mono"},
};

const Y4mFormat* find_y4m(FourCC fourcc) {
    const auto* entry = std::ranges::find_if(
        y4m_formats, [&](const Y4mFormat& known) { return same_pixels(known.fourcc, fourcc); });
    return entry == std::end(y4m_formats) ? nullptr : entry;
}

/// The one of YUV4MPEG2's formats that loses least.
FourCC nearest_y4m(FourCC source) {
    std::vector<AVPixelFormat> pixels;
    for (const Y4mFormat& known : y4m_formats)
        pixels.push_back(av_pixel_format(known.fourcc));
    pixels.push_back(AV_PIX_FMT_NONE);
    const AVPixelFormat own = av_pixel_format(source);
    const AVPixelFormat best = ffmpeg().avcodec_find_best_pix_fmt_of_list(
        pixels.data(), own == AV_PIX_FMT_NONE ? AV_PIX_FMT_YUVJ422P : own, 0, nullptr);
    return y4m_formats[std::ranges::find(pixels, best) - pixels.begin()].fourcc;
}

/// Whether the frame's bytes are those of the file, plane by plane.
bool is_tight(const FrameFormat& source, const FrameFormat& tight) {
    if (source.fourcc != tight.fourcc || source.width != tight.width || source.height != tight.height)
        return false;
    for (std::uint32_t i = 0; i < tight.plane_count; ++i)
        if (source.planes[i].bytesperline != tight.planes[i].bytesperline)
            return false;
    return true;
}

/// The lines of a file where they are shorter than a frame's: they end with the last pixel, while a device's
/// have room for whole groups of those that share a colour. As FFmpeg has them.
std::vector<PlaneLayout> shorter_lines(const FrameFormat& format) {
    constexpr unsigned byte = 8;
    const PixelFormat* const entry = find_pixel_format(format.fourcc);
    const Result<Layout> layout = layout_of(format);
    if (!layout || entry->plane_count < 2 || entry->tiled || entry->bits_per_pixel % byte != 0)
        return {};
    const std::uint32_t pixels = format.width * (entry->bits_per_pixel / byte);
    if (pixels >= layout->planes[0].row_bytes)
        return {};
    std::vector<PlaneLayout> lines(layout->planes.begin(), layout->planes.begin() + layout->plane_count);
    lines[0].row_bytes = pixels; // the colours' are whole
    std::ranges::sort(lines, {},
                      [](const PlaneLayout& plane) { return std::pair(plane.memory_plane, plane.offset); });
    return lines;
}

} // namespace

Result<std::unique_ptr<FrameWriter>> RawWriter::create(const FrameWriterSettings& settings,
                                                       OutputFiles& files) {
    std::unique_ptr<RawWriter> writer(new RawWriter(settings, files));
    if (Status status = writer->settle(); !status)
        return std::unexpected(std::move(status.error()));
    return writer;
}

Result<FourCC> RawWriter::choose_format() const {
    const FourCC source = settings_.source.fourcc;
    const std::optional<FourCC> wished = settings_.format ? settings_.format : settings_.target.fourcc;
    if (!is_y4m())
        return wished.value_or(source);
    if (Status status = load_ffmpeg(); !status)
        return std::unexpected(std::move(status.error()));
    const Y4mFormat* own = find_y4m(wished.value_or(source));
    if (own != nullptr)
        return own->fourcc;
    if (wished)
        return make_error(ErrorKind::usage, "--output-format", wished->text(), "y4m does not have it",
                          "It has YU12, 422P, YM24, 411P and GREY");
    return nearest_y4m(source);
}

Status RawWriter::settle() {
    const FrameFormat& source = settings_.source;
    summary_.container = settings_.target.container();
    summary_.codec = "rawvideo";
    const Result<FourCC> fourcc = choose_format();
    if (!fourcc)
        return std::unexpected(fourcc.error());
    const PixelFormat* entry = find_pixel_format(*fourcc);
    const bool resized = settings_.width.value_or(source.width) != source.width ||
                         settings_.height.value_or(source.height) != source.height;
    if (*fourcc == source.fourcc && !resized && (entry == nullptr || entry->compressed())) {
        summary_.codec = "copy"; // bytes without a shape
        to_ = source;
        return {};
    }
    const Result<FrameFormat> tight = tight_format(*fourcc, settings_.width.value_or(source.width),
                                                   settings_.height.value_or(source.height));
    if (!tight)
        return std::unexpected(tight.error());
    to_ = *tight;
    to_.colorimetry = source.colorimetry;
    lines_ = shorter_lines(to_);
    std::size_t size = 0;
    for (const PlaneLayout& plane : lines_)
        size += std::size_t{plane.row_bytes} * plane.rows;
    cut_.resize(size);
    copied_bytes_ = size;
    if (is_tight(source, to_))
        return {};
    Result<FrameCopier> copier = FrameCopier::create(source, to_);
    if (!copier)
        return std::unexpected(std::move(copier.error()));
    copier_.emplace(std::move(*copier));
    for (std::uint32_t i = 0; i < to_.plane_count; ++i) {
        Result<Mapping> plane = Mapping::anonymous(to_.planes[i].sizeimage, real_system());
        if (!plane)
            return std::unexpected(std::move(plane.error()));
        memory_.push_back(std::move(*plane));
    }
    copied_bytes_ += to_.sizeimage();
    return {};
}

std::optional<FrameFormat> RawWriter::converted() const {
    return copier_ && copier_->converts() ? std::optional(to_) : std::nullopt;
}

std::string RawWriter::conversion_reason() const {
    if (settings_.format || settings_.width || settings_.height)
        return "it was asked for";
    return settings_.target.fourcc ? "the name says so" : "y4m has no other pixels that are nearer";
}

Status RawWriter::begin(const Beginning& beginning) {
    rate_ = beginning.rate;
    return {};
}

// As FFmpeg writes it, so that everybody reads it.
std::string RawWriter::y4m_header() const {
    constexpr int finest = 1001'000;
    const AVRational rate = ffmpeg().av_d2q(rate_, finest);
    const bool full = scaler_side(to_, av_pixel_format(to_.fourcc)).full_range;
    return fmt::format("YUV4MPEG2 W{} H{} F{}:{} Ip A1:1 C{} XCOLORRANGE={}\n", to_.width, to_.height,
                       rate.num, rate.den, find_y4m(to_.fourcc)->name, full ? "FULL" : "LIMITED");
}

Status RawWriter::open_if_due(std::chrono::microseconds time) {
    if (file_ && cuts_.due(time))
        if (Status status = close(); !status)
            return status;
    if (file_)
        return {};
    Result<OutputFile> file = files_.next();
    if (!file)
        return std::unexpected(std::move(file.error()));
    file_.emplace(std::move(*file));
    ++summary_.files;
    const std::string header = is_y4m() ? y4m_header() : std::string();
    return file_->write(std::as_bytes(std::span(header)));
}

/// False: the frame is too short.
bool RawWriter::cut(ConstPlanes planes) {
    auto place = cut_.begin();
    for (const PlaneLayout& plane : lines_) {
        if (plane.memory_plane >= planes.size() || planes[plane.memory_plane].size() < plane.end())
            return false;
        for (std::uint32_t row = 0; row < plane.rows; ++row)
            place = std::ranges::copy(planes[plane.memory_plane].subspan(
                                          plane.offset + std::size_t{row} * plane.stride, plane.row_bytes),
                                      place)
                        .out;
    }
    return true;
}

Status RawWriter::write_planes(ConstPlanes planes) {
    const std::string_view header = is_y4m() ? "FRAME\n" : "";
    if (Status status = file_->write(std::as_bytes(std::span(header))); !status)
        return status;
    if (!lines_.empty())
        return file_->write(cut_);
    for (std::size_t i = 0; i < planes.size(); ++i) {
        // What a driver says beyond the last pixel is not the picture's.
        const bool shaped = summary_.codec != "copy";
        const std::size_t length =
            shaped ? std::min<std::size_t>(planes[i].size(), to_.planes[i].sizeimage) : planes[i].size();
        if (Status status = file_->write(planes[i].first(length)); !status)
            return status;
    }
    return {};
}

Result<FrameWritten> RawWriter::write(const FrameToWrite& frame) {
    FrameWritten result;
    std::vector<std::span<const std::byte>> planes(frame.planes.begin(), frame.planes.end());
    if (copier_) {
        std::vector<std::span<std::byte>> targets;
        for (std::uint32_t i = 0; i < to_.plane_count; ++i)
            targets.push_back(memory_[i].bytes().first(to_.planes[i].sizeimage));
        const Result<std::uint64_t> copied = copier_->run(frame.planes, targets);
        if (!copied)
            return bad_or_failed(copied.error());
        result.copied_bytes = *copied;
        planes.assign(targets.begin(), targets.end());
    }
    if (!lines_.empty() && !cut(planes))
        return FrameWritten{.bad = true};
    result.copied_bytes += cut_.size();
    Status status = open_if_due(frame.time);
    if (status)
        status = write_planes(planes);
    if (!status)
        return std::unexpected(std::move(status.error()));
    ++summary_.frames;
    summary_.duration = frame.time;
    return result;
}

Status RawWriter::close() {
    if (!file_)
        return {};
    summary_.bytes += file_->size();
    Status status = file_->close();
    file_.reset();
    return status;
}

Status RawWriter::finish(bool) {
    return close();
}

ExportSummary RawWriter::summary() const {
    ExportSummary summary = summary_;
    summary.bytes += file_ ? file_->size() : 0;
    return summary;
}

} // namespace v4l2dma
