// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "format/frame_format.h"
#include "media/decode_target.h"
#include "media/media_input.h"

#include <array>
#include <cstdint>
#include <limits.h>
#include <memory>
#include <span>
#include <sys/uio.h>

namespace v4l2dma {

/// Reads the pictures of a raw or YUV4MPEG2 file, or pipe, straight to where they are to lie: what a decoder
/// is to other films. What the file is and what its pictures are FFmpeg has found out, colours and all; only
/// their bytes do not go through it, since it would read them into memory of its own, to be copied from
/// there.
///
/// One thread.
class RawReader {
public:
    /// nullptr: this film has to be read by FFmpeg. A pipe (borrowed) goes on behind @p last, the last packet
    /// that FFmpeg has read. @p swapped: the file's component planes lie in another order than FFmpeg's.
    [[nodiscard]] static std::unique_ptr<RawReader> open(const MediaInput& input, const AVPacket& last,
                                                         bool swapped);
    RawReader(const RawReader&) = delete;
    RawReader& operator=(const RawReader&) = delete;

    /// Whether frames of this format have the same pixels, and room for each line.
    [[nodiscard]] bool fits(const FrameFormat& format) const;

    /// Reads into @p target (borrowed), which is for frames that fit, as far as it has places, and else into
    /// memory of its own; nullptr: only there. While nobody is in next().
    void read_into(DecodeTarget* target) noexcept;
    /// next() goes on with the picture of this number. Not in a pipe.
    void seek(std::int64_t number) noexcept;
    /// Of the picture that is next. It is also its time: these demuxers' clocks tick with each picture.
    [[nodiscard]] std::int64_t number() const noexcept { return number_; }

    enum class Outcome { picture, end, bad };
    struct Next {
        Outcome outcome = Outcome::end;
        AvFrame picture{};
        std::uint64_t copied_bytes = 0; ///< of it, which FFmpeg had read from a pipe before
    };
    /// bad: the file ends in the middle of a picture. Errors: (system) what reading says, a file that is
    /// damaged, no memory; ECANCELED: the next call goes on where this one was.
    [[nodiscard]] Result<Next> next();

private:
    static constexpr std::size_t longest_header = 80; // FFmpeg's bound, too
    enum class Kind { plain, y4m };
    /// A component plane.
    struct Plane {
        std::size_t row_bytes = 0; ///< in the file, where nothing is between two rows
        std::size_t rows = 0;
        Rows<std::byte> memory{}; ///< where it is read to
        [[nodiscard]] std::size_t bytes() const noexcept { return row_bytes * rows; }
    };

    RawReader(const MediaInput& input, Kind kind, bool swapped);
    [[nodiscard]] bool find_planes();
    [[nodiscard]] bool find_first();
    [[nodiscard]] bool find_source(const AVPacket& last);
    [[nodiscard]] Result<AvFrame> make_frame();
    void point_at(const AVFrame& frame) noexcept;
    [[nodiscard]] std::span<Plane> planes() noexcept { return std::span(planes_).first(plane_count_); }
    [[nodiscard]] std::size_t fill_vector(std::size_t done) noexcept;
    [[nodiscard]] Result<std::size_t> read(std::span<const iovec> vector);
    [[nodiscard]] Result<bool> read_header();
    [[nodiscard]] bool is_usual_header(std::int64_t position) const noexcept;
    [[nodiscard]] Result<bool> walk();
    [[nodiscard]] Status read_picture();

    std::string name_;
    Kind kind_;
    bool swapped_;
    AVPixelFormat pixel_format_;
    int width_;
    int height_;
    std::size_t picture_bytes_ = 0; ///< in the file
    PipeReader* pipe_ = nullptr;    ///< instead of a file
    UniqueFd fd_;
    std::int64_t first_ = 0;    ///< where the first picture begins, with its header
    std::int64_t position_ = 0; ///< what is read next
    std::int64_t number_ = 0;
    std::int64_t to_walk_ = 0;                  ///< pictures that are left out from here on
    std::array<char, longest_header> header_{}; ///< of the picture that is read
    std::size_t header_size_ = 0;
    AvFrame current_;      ///< once its header was read
    std::size_t done_ = 0; ///< bytes of it
    std::size_t copied_ = 0;
    DecodeTarget* target_ = nullptr;
    std::size_t plane_count_ = 0;
    std::array<Plane, 3> planes_{};       ///< in the file's order
    std::array<iovec, IOV_MAX> vector_{}; ///< the memory of their rows, as many as one call takes
};

} // namespace v4l2dma
