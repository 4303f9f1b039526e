// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "flow/device_frames.h"
#include "flow/endpoint.h"
#include "flow/film_reader.h"
#include "flow/film_slots.h"
#include "flow/v4l2_source.h"
#include "media/picture_writer.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace v4l2dma {

/// A film - a file, URL, or standard input - that comes like a camera's pictures: each at its time, or as
/// fast as the sink takes them.
///
/// Pictures are decoded into the sink's buffers where codec, format and layout allow it, and copied or
/// converted into them else; what hardware has decoded goes on as the dma-bufs that it comes in. No picture
/// is left out: where the sink has no room, or decoding takes too long, the film is late, and catches up;
/// what is lost by more than a second stays lost.
class MediaSource final : public Source {
public:
    /// @p wishes: format and size are those of the frames (and of a raw file's), fps is put in place of the
    /// film's own times. Errors: those of Film::open(); (usage) a format that cannot be had, controls.
    [[nodiscard]] static Result<std::unique_ptr<MediaSource>>
    open(std::string_view name, const CaptureWishes& wishes, System& system = real_system());
    ~MediaSource() override { release(); }

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] const FrameFormat& format() const override { return format_; }
    [[nodiscard]] StreamProperties properties() const override;
    [[nodiscard]] std::vector<FrameFormat> other_formats() const override;
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] unsigned copies(MemoryRole role) const override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status use(MemoryRole role, std::span<BufferMemory> memory) override;
    [[nodiscard]] Status start() override;
    [[nodiscard]] Result<std::optional<Frame>> take() override;
    [[nodiscard]] Status give_back(std::uint32_t index) override;
    [[nodiscard]] std::uint32_t available() const noexcept override;
    [[nodiscard]] std::uint32_t extra_buffers() const noexcept override;
    /// Not where so few would be left to the sink that it may never give one back.
    void hold_back() noexcept override;
    [[nodiscard]] bool ended() const noexcept override { return ended_; }
    [[nodiscard]] std::optional<double> progress() const noexcept override;
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] int event_fd() const noexcept override { return timer_.get(); }

private:
    MediaSource(std::string name, CaptureWishes wishes, System& system)
        : name_(std::move(name)), wishes_(std::move(wishes)), system_(system), device_frames_(system) {}
    /// Whether a frame is taken and not given back, and what becomes of its place then.
    enum class Out {
        no,
        copied,   ///< into a slot, which is free at once
        in_place, ///< decoded into a slot, which the decoder may still look at
        shared,   ///< it lies in a device's memory
    };
    [[nodiscard]] Status set_up();
    [[nodiscard]] bool decodes_into_sink() const;
    [[nodiscard]] std::optional<std::uint32_t> free_place();
    [[nodiscard]] std::chrono::microseconds due(std::chrono::microseconds time) const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> place_of(const FilmPicture& picture) const;
    void arm(std::chrono::microseconds due) noexcept;
    void arm_for_next() noexcept;
    [[nodiscard]] Result<std::optional<Frame>> take_picture();
    [[nodiscard]] std::uint32_t still_allowed_out() const noexcept;
    void say_if_crowded(const Frame& frame);
    [[nodiscard]] Result<std::uint64_t> fill(std::uint32_t index, const FilmPicture& picture, Frame& frame);
    [[nodiscard]] Result<std::uint64_t> write(const AVFrame& picture, Planes planes);
    [[nodiscard]] Result<std::uint64_t> fill_with_packet(std::uint32_t index, const AVPacket& packet,
                                                         Frame& frame);
    [[nodiscard]] ScalerSide side_of(const AVFrame& picture) const;

    // What frames may be: media_source_formats.cpp
    [[nodiscard]] Status choose_format();
    [[nodiscard]] Result<FrameFormat> raw_format(FourCC fourcc) const;
    [[nodiscard]] Status set_raw_format(FourCC fourcc);
    [[nodiscard]] std::optional<FrameFormat> packet_format() const;
    [[nodiscard]] std::optional<FrameFormat> device_format() const;
    [[nodiscard]] Result<FourCC> natural_fourcc() const;
    [[nodiscard]] std::string why_not_copied(const FilmShape& shape) const;
    [[nodiscard]] bool finds_packets() const noexcept;
    [[nodiscard]] bool tells_decode_times() const noexcept;
    [[nodiscard]] bool is_packets() const noexcept;

    std::string name_;
    CaptureWishes wishes_;
    System& system_;
    UniqueFd timer_;
    std::unique_ptr<Film> film_;
    FilmSlots slots_; ///< goes after the reader's pictures that lie in it
    DeviceFrames device_frames_;
    std::unique_ptr<FilmReader> reader_;
    std::optional<FourCC> wished_; ///< wishes_.format
    FrameFormat format_{};
    std::array<std::uint32_t, FrameFormat::max_planes> payload_{}; ///< bytes of a raw frame, by memory plane
    std::uint32_t width_ = 0;                                      ///< pixels, of raw frames
    std::uint32_t height_ = 0;
    std::optional<PictureWriter> writer_; ///< empty: of packets
    std::span<BufferMemory> memory_;
    bool exports_ = false;                           ///< pictures go on in the memory they came in
    bool direct_ = false;                            ///< the decoder was told of the sink's memory
    std::vector<std::optional<FilmPicture>> held_;   ///< by index: out, and to be kept until it is back
    std::vector<Out> out_;                           ///< by index
    std::uint32_t most_out_ = 0;                     ///< of them, at a time
    std::optional<std::chrono::microseconds> begin_; ///< CLOCK_MONOTONIC at the film's time 0
    std::chrono::microseconds passed_{};             ///< the film's time of the last picture
    std::chrono::microseconds last_timestamp_{};     ///< CLOCK_MONOTONIC
    std::uint32_t next_sequence_ = 0;
    bool ended_ = false;
    bool crowded_said_ = false;
};

} // namespace v4l2dma
