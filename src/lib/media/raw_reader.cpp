// SPDX-License-Identifier: MIT
#include "media/raw_reader.h"

#include "media/av_format.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma {

namespace {

// FFmpeg has accepted the file's header, and takes no longer one.
constexpr std::size_t longest_file_header = 4096;
// FFmpeg's bound, too. Without parameters, which nobody writes, it is the word and the end of the line.
constexpr std::size_t longest_header = 80;
constexpr std::string_view magic = "FRAME";
constexpr std::size_t usual_header = magic.size() + 1;

ssize_t pread_all(int fd, std::span<char> bytes, std::int64_t position) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count =
            ::pread(fd, bytes.data() + done, bytes.size() - done, position + static_cast<off_t>(done));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return count;
        if (count == 0)
            break;
        done += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(done);
}

std::unexpected<Error> damaged(const std::string& name) {
    return make_error(ErrorKind::system, "read", name, "its data are damaged");
}

} // namespace

RawReader::RawReader(const MediaInput& input, Kind kind, bool swapped)
    : name_(input.name()), kind_(kind), swapped_(swapped),
      pixel_format_(static_cast<AVPixelFormat>(input.stream().codecpar->format)),
      width_(input.stream().codecpar->width), height_(input.stream().codecpar->height),
      fd_(::open(name_.c_str(), O_RDONLY | O_CLOEXEC)) {}

std::unique_ptr<RawReader> RawReader::open(const MediaInput& input, bool swapped) {
    const AVStream& stream = input.stream();
    const bool y4m = input.container() == "yuv4mpegpipe";
    if ((!y4m && input.container() != "rawvideo") || stream.codecpar->codec_id != AV_CODEC_ID_RAWVIDEO ||
        !input.is_local())
        return nullptr;
    std::unique_ptr<RawReader> reader(new RawReader(input, y4m ? Kind::y4m : Kind::plain, swapped));
    struct stat status {};
    if (!reader->fd_ || ::fstat(reader->fd_.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        !reader->find_planes() || !reader->find_first())
        return nullptr; // FFmpeg, which could open it, reads it
    reader->seek(0);
    return reader;
}

bool RawReader::find_first() {
    if (kind_ == Kind::plain)
        return true;
    std::array<char, longest_file_header> bytes{};
    const ssize_t count = pread_all(fd_.get(), bytes, 0);
    const std::string_view header(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    const std::size_t end = header.find('\n');
    if (end == std::string_view::npos)
        return false;
    first_ = static_cast<std::int64_t>(end) + 1;
    return true;
}

// As FFmpeg has them, which reads nothing else either.
bool RawReader::find_planes() {
    const AVPixFmtDescriptor* const pixels = ffmpeg().av_pix_fmt_desc_get(pixel_format_);
    std::array<int, 4> row_bytes{};
    if (pixels == nullptr || ffmpeg().av_image_fill_linesizes(row_bytes.data(), pixel_format_, width_) < 0)
        return false;
    for (; plane_count_ < planes_.size() && row_bytes[plane_count_] > 0; ++plane_count_) {
        Plane& plane = planes_[plane_count_];
        plane.row_bytes = static_cast<std::size_t>(row_bytes[plane_count_]);
        plane.rows =
            static_cast<std::size_t>(plane_count_ > 0 ? -(-height_ >> pixels->log2_chroma_h) : height_);
        picture_bytes_ += plane.bytes();
    }
    const int bytes = ffmpeg().av_image_get_buffer_size(pixel_format_, width_, height_, 1);
    return bytes > 0 && picture_bytes_ == static_cast<std::size_t>(bytes); // no palette, no fourth plane
}

bool RawReader::fits(const FrameFormat& format) const {
    const Result<Layout> layout = layout_of(format);
    if (!layout || layout->plane_count != plane_count_ ||
        without_range(pixel_format_) != av_pixel_format(format.fourcc) ||
        format.width != static_cast<std::uint32_t>(width_) ||
        format.height != static_cast<std::uint32_t>(height_))
        return false;
    return std::ranges::equal(std::span(planes_).first(plane_count_),
                              std::span(layout->planes).first(plane_count_),
                              [](const Plane& plane, const PlaneLayout& place) {
                                  return place.row_bytes >= plane.row_bytes && place.rows >= plane.rows;
                              });
}

void RawReader::seek(std::int64_t number) noexcept {
    const auto bytes = static_cast<std::int64_t>(picture_bytes_ + (kind_ == Kind::y4m ? usual_header : 0));
    number_ = std::clamp<std::int64_t>(number, 0, INT64_MAX / 2 / bytes);
    position_ = first_ + number_ * bytes;
}

Result<RawReader::Outcome> RawReader::next(AVFrame& frame) {
    if (kind_ == Kind::y4m) {
        const Result<bool> there = read_header();
        if (!there)
            return std::unexpected(there.error());
        if (!*there)
            return Outcome::end;
    }
    if (Status status = find_memory(frame); !status)
        return std::unexpected(std::move(status.error()));
    point_at(frame);
    const Result<std::size_t> bytes = read_picture();
    if (!bytes || *bytes < picture_bytes_)
        ffmpeg().av_frame_unref(&frame);
    if (!bytes)
        return std::unexpected(bytes.error());
    if (*bytes == picture_bytes_) {
        ++number_;
        return Outcome::picture;
    }
    // As FFmpeg has it: what is left of a raw file is a damaged picture, and of the other kind its end.
    return *bytes == 0 || kind_ == Kind::y4m ? Outcome::end : Outcome::bad;
}

Status RawReader::find_memory(AVFrame& frame) {
    frame.format = without_range(pixel_format_);
    frame.width = width_;
    frame.height = height_;
    const std::optional<DecodeTarget::Place> place = target_ != nullptr ? target_->acquire() : std::nullopt;
    if (place && lend(*target_, *place, frame))
        return {};
    const int result = ffmpeg().av_frame_get_buffer(&frame, 0);
    return result < 0 ? Status(av_error("read", name_, result)) : Status{};
}

void RawReader::point_at(const AVFrame& frame) noexcept {
    for (std::size_t i = 0; i < plane_count_; ++i) {
        const std::size_t plane = swapped_ && i > 0 ? 3 - i : i;
        planes_[i].memory = {reinterpret_cast<std::byte*>(frame.data[plane]),
                             static_cast<std::size_t>(frame.linesize[plane])};
    }
}

// Where what comes after the first @p done bytes goes; rows with nothing between them are one piece.
std::size_t RawReader::fill_vector(std::size_t done) noexcept {
    std::size_t count = 0;
    for (const Plane& plane : planes()) {
        if (done >= plane.bytes()) {
            done -= plane.bytes();
            continue;
        }
        const bool tight = plane.memory.stride == plane.row_bytes;
        const std::size_t length = tight ? plane.bytes() : plane.row_bytes;
        for (std::size_t row = done / length; row * length < plane.bytes(); ++row) {
            if (count == vector_.size())
                return count;
            const std::size_t skipped = std::exchange(done, 0) % length;
            vector_[count++] = {.iov_base = plane.memory.begin + row * plane.memory.stride + skipped,
                                .iov_len = length - skipped};
        }
    }
    return count;
}

Result<std::size_t> RawReader::read(std::span<const iovec> vector) {
    while (true) {
        const ssize_t count = ::preadv(fd_.get(), vector.data(), static_cast<int>(vector.size()), position_);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return system_error("read", name_);
        position_ += count;
        return static_cast<std::size_t>(count);
    }
}

/// Answers whether there is a picture behind it.
Result<bool> RawReader::read_header() {
    std::array<char, longest_header> bytes{};
    const auto look = [&](std::size_t length) -> Result<std::string_view> {
        const ssize_t count = pread_all(fd_.get(), std::span(bytes).first(length), position_);
        return count < 0 ? Result<std::string_view>(system_error("read", name_))
                         : std::string_view(bytes.data(), static_cast<std::size_t>(count));
    };
    Result<std::string_view> header = look(usual_header);
    if (header && header->size() == usual_header && header->back() != '\n')
        header = look(longest_header);
    if (!header)
        return std::unexpected(header.error());
    const std::size_t end = header->find('\n');
    if (end == std::string_view::npos)
        return header->size() < longest_header ? Result<bool>(false) : damaged(name_);
    if (!header->starts_with(magic))
        return damaged(name_);
    position_ += static_cast<std::int64_t>(end) + 1;
    return true;
}

/// Answers how much of it there is.
Result<std::size_t> RawReader::read_picture() {
    std::size_t done = 0;
    while (done < picture_bytes_) {
        const std::size_t count = fill_vector(done);
        const Result<std::size_t> bytes = read(std::span(vector_).first(count));
        if (!bytes || *bytes == 0)
            return bytes ? done : bytes;
        done += *bytes;
    }
    return done;
}

} // namespace v4l2dma
