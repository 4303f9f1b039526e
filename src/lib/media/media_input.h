// SPDX-License-Identifier: MIT
#pragma once

#include "media/media_opening.h"
#include "media/pipe_reader.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace v4l2dma {

/// An opened film: its packets, of one stream of pictures. One thread.
class MediaInput {
public:
    /// Looks into the file to find the stream. Sleeps where that takes time, until it is interrupted; @p
    /// interrupt is borrowed.
    /// Errors: (device) it cannot be opened, or is no film, or has no pictures; (usage) an unknown container
    /// or decoder, a raw file without size or format; (unsupported) no FFmpeg, or one without what the film
    /// needs; ECANCELED: interrupted.
    [[nodiscard]] static Result<std::unique_ptr<MediaInput>>
    open(const std::string& name, const MediaInputWishes& wishes, const Interrupt& interrupt);
    MediaInput(const MediaInput&) = delete;
    MediaInput& operator=(const MediaInput&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] AVStream& stream() const noexcept { return *stream_; }
    /// The stream's decoder, nullptr if this FFmpeg has none.
    [[nodiscard]] const AVCodec* decoder() const noexcept { return decoder_; }
    /// The container's name, as FFmpeg has it.
    [[nodiscard]] std::string_view container() const noexcept { return context_->iformat->name; }
    /// Times may jump: the stream was put together, or is a broadcast.
    [[nodiscard]] bool is_discontinuous() const noexcept {
        return (context_->iformat->flags & AVFMT_TS_DISCONT) != 0;
    }
    /// Width over height of a pixel, 0/1 if unknown.
    [[nodiscard]] AVRational pixel_aspect() const;
    /// Pictures a second, as far as the file says.
    [[nodiscard]] std::optional<double> rate() const;
    /// From one picture to the next, as far as the file says.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval() const;
    /// From the first picture to the end, if that is known.
    [[nodiscard]] std::optional<std::chrono::microseconds> duration() const;
    /// Whether seek() can work: not in a pipe.
    [[nodiscard]] bool seekable() const;
    /// Whether it can be opened anew, and begins again: a file, or pictures in files.
    [[nodiscard]] bool is_local() const noexcept { return local_; }

    /// The pipe that it is read from, if @p packet, the last one, is all that was taken from it so far;
    /// nullptr: it is none, or FFmpeg has read ahead.
    [[nodiscard]] PipeReader* pipe_after(const AVPacket& packet) const noexcept;

    /// The stream's next packet; false at the end. Errors: (system) what reading says; ECANCELED.
    [[nodiscard]] Result<bool> read(AVPacket& packet);
    /// The stream's timestamp of @p time from the beginning.
    [[nodiscard]] std::int64_t timestamp_at(std::chrono::microseconds time) const;
    /// To a packet at or before @p time from the beginning, from which decoding can start. Errors: (system)
    /// it cannot be done here.
    [[nodiscard]] Status seek(std::chrono::microseconds time);

private:
    MediaInput(const std::string& name, const Interrupt& interrupt) : name_(name), interrupt_(interrupt) {}
    [[nodiscard]] Status open_context(const MediaInputWishes& wishes);
    [[nodiscard]] Status allocate();
    [[nodiscard]] bool is_shapeless() const;
    [[nodiscard]] Status open_as(const MediaOpening& opening, const MediaInputWishes& wishes);
    [[nodiscard]] Status find_stream();
    [[nodiscard]] Status choose_decoder(const std::string& name);
    [[nodiscard]] std::unexpected<Error> no_decoder() const;
    [[nodiscard]] std::unexpected<Error> explain(std::string_view operation, int code) const;

    std::string name_;
    bool local_ = false;
    const Interrupt& interrupt_;
    std::unique_ptr<PipeReader> pipe_; ///< goes after the context that reads from it
    AvInput context_;
    AVStream* stream_ = nullptr;
    const AVCodec* decoder_ = nullptr;
};

} // namespace v4l2dma
