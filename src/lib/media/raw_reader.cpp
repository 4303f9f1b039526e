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
constexpr std::string_view magic = "FRAME";
constexpr std::size_t usual_header = magic.size() + 1; // without parameters, which nobody writes

std::unexpected<Error> damaged(const std::string& name) {
    return make_error(ErrorKind::system, "read", name, "its data are damaged");
}

} // namespace

RawReader::RawReader(const MediaInput& input, Kind kind, bool swapped)
    : name_(input.name()), kind_(kind), swapped_(swapped),
      pixel_format_(static_cast<AVPixelFormat>(input.stream().codecpar->format)),
      width_(input.stream().codecpar->width), height_(input.stream().codecpar->height) {}

std::unique_ptr<RawReader> RawReader::open(const MediaInput& input, const AVPacket& last, bool swapped) {
    const AVStream& stream = input.stream();
    const bool y4m = input.container() == "yuv4mpegpipe";
    if ((!y4m && input.container() != "rawvideo") || stream.codecpar->codec_id != AV_CODEC_ID_RAWVIDEO)
        return nullptr;
    std::unique_ptr<RawReader> reader(new RawReader(input, y4m ? Kind::y4m : Kind::plain, swapped));
    reader->pipe_ = input.pipe_after(last);
    const bool found = reader->pipe_ != nullptr || (input.is_local() && reader->find_first());
    if (!found || !reader->find_planes())
        return nullptr; // FFmpeg, which could open it, reads it
    if (reader->pipe_ != nullptr)
        reader->number_ = last.pts + 1;
    else
        reader->seek(0);
    return reader;
}

bool RawReader::find_first() {
    fd_ = UniqueFd(::open(name_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd_ || ::fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    if (kind_ == Kind::plain)
        return true;
    std::array<char, longest_file_header> bytes{};
    const ssize_t count = ::pread(fd_.get(), bytes.data(), bytes.size(), 0);
    const std::string_view header(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    const std::size_t end = header.find('\n');
    first_ = static_cast<std::int64_t>(end) + 1;
    return end != std::string_view::npos;
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

// What a pipe gave of a picture must not be lost with the target's memory.
void RawReader::read_into(DecodeTarget* target) noexcept {
    target_ = target;
    if (!current_)
        return;
    Result<AvFrame> copy = copy_of(*current_);
    current_ = copy ? std::move(*copy) : nullptr;
}

void RawReader::seek(std::int64_t number) noexcept {
    const auto bytes = static_cast<std::int64_t>(picture_bytes_ + (kind_ == Kind::y4m ? usual_header : 0));
    number_ = std::clamp<std::int64_t>(number, 0, INT64_MAX / 2 / bytes);
    position_ = first_ + number_ * bytes;
    to_walk_ = 0;
    if (kind_ == Kind::y4m && !is_usual_header(position_)) {
        position_ = first_;
        to_walk_ = number_;
    }
    header_size_ = 0;
    current_.reset();
    done_ = 0;
}

// Where there is another one at the end of a jump, one of those before had parameters. At the end of the file
// is none.
bool RawReader::is_usual_header(std::int64_t position) const noexcept {
    std::array<char, usual_header> header{};
    const ssize_t bytes = ::pread(fd_.get(), header.data(), header.size(), position);
    return bytes <= 0 || (bytes == static_cast<ssize_t>(header.size()) && header.back() == '\n' &&
                          std::string_view(header.data(), header.size()).starts_with(magic));
}

/// From header to header. Answers whether the film goes so far.
Result<bool> RawReader::walk() {
    for (; to_walk_ > 0; --to_walk_) {
        const Result<bool> there = read_header();
        if (!there || !*there)
            return there;
        position_ += static_cast<std::int64_t>(picture_bytes_);
    }
    return true;
}

Result<RawReader::Next> RawReader::next() {
    if (!current_ && done_ > 0)
        return system_error("read", name_, ENOMEM); // when the target went
    if (!current_) {
        Result<bool> there = walk();
        if (there && *there && kind_ == Kind::y4m)
            there = read_header();
        if (!there || !*there)
            return there ? Next{} : Result<Next>(std::unexpected(there.error()));
        Result<AvFrame> frame = make_frame();
        if (!frame)
            return std::unexpected(std::move(frame.error()));
        current_ = std::move(*frame);
    }
    if (Status status = read_picture(); !status)
        return std::unexpected(std::move(status.error()));
    AvFrame picture = std::move(current_);
    const std::size_t bytes = std::exchange(done_, 0);
    const std::size_t copied = std::exchange(copied_, 0);
    if (bytes == picture_bytes_) {
        ++number_;
        return Next{.outcome = Outcome::picture, .picture = std::move(picture), .copied_bytes = copied};
    }
    // As FFmpeg has it: what is left of a raw file is a damaged picture, and of the other kind its end.
    return Next{.outcome = bytes == 0 || kind_ == Kind::y4m ? Outcome::end : Outcome::bad};
}

Result<AvFrame> RawReader::make_frame() {
    Result<AvFrame> frame = make_av_frame();
    if (!frame)
        return frame;
    (*frame)->format = without_range(pixel_format_);
    (*frame)->width = width_;
    (*frame)->height = height_;
    const std::optional<DecodeTarget::Place> place = target_ != nullptr ? target_->acquire() : std::nullopt;
    if (place && lend(*target_, *place, **frame))
        return frame;
    const int result = ffmpeg().av_frame_get_buffer(frame->get(), 0);
    if (result < 0)
        return av_error("read", name_, result);
    return frame;
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
    if (pipe_ != nullptr) {
        const Result<PipeReader::Taken> taken = pipe_->take(vector);
        if (!taken)
            return std::unexpected(taken.error());
        copied_ += taken->copied;
        return taken->bytes;
    }
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
    const auto header = [this] { return std::string_view(header_.data(), header_size_); };
    while (header().find('\n') == std::string_view::npos) {
        if (header_size_ == header_.size())
            return damaged(name_);
        const iovec piece{.iov_base = header_.data() + header_size_,
                          .iov_len = header_size_ < usual_header ? usual_header - header_size_ : 1};
        const Result<std::size_t> bytes = read({&piece, 1});
        if (!bytes || *bytes == 0)
            return bytes ? Result<bool>(false) : std::unexpected(bytes.error());
        header_size_ += *bytes;
    }
    copied_ = 0; // of the picture alone
    if (!header().starts_with(magic))
        return damaged(name_);
    header_size_ = 0;
    return true;
}

/// As much of it as there is.
Status RawReader::read_picture() {
    point_at(*current_);
    while (done_ < picture_bytes_) {
        const std::size_t count = fill_vector(done_);
        const Result<std::size_t> bytes = read(std::span(vector_).first(count));
        if (!bytes)
            return std::unexpected(bytes.error());
        if (*bytes == 0)
            break;
        done_ += *bytes;
    }
    return {};
}

} // namespace v4l2dma
