// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "format/stream_properties.h"
#include "media/export_target.h"
#include "media/output_files.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace v4l2dma {

/// A frame on its way into a file.
struct FrameToWrite {
    ConstPlanes planes{};             ///< its payload, valid as long as `owner` or one of its copies is there
    std::chrono::microseconds time{}; ///< since the first frame
    /// When it is decoded, on the same clock, if that is not the order of `time`.
    std::optional<std::chrono::microseconds> decode_time{};
    std::optional<bool> key{}; ///< of a packet, if its source says whether it can be read without others
    std::shared_ptr<const void> owner; ///< gives the frame back when the last copy of it goes, on any thread
};

/// What became of one frame.
struct FrameWritten {
    bool bad = false;               ///< it could not be read, as a broken JPEG; the next one may be good
    std::uint64_t copied_bytes = 0; ///< that the CPU moved, besides what the encoder and the kernel do
};

/// What a broken picture of the source is to a file: nothing; the next one may be whole. Any other error is
/// one of the run.
[[nodiscard]] Result<FrameWritten> bad_or_failed(const Error& error);

/// What has been written.
struct ExportSummary {
    std::string container;
    std::string codec;        ///< of the encoder; "copy" of frames that were compressed already
    std::uint64_t frames = 0; ///< in the files
    std::uint64_t bytes = 0;  ///< of all files
    unsigned files = 0;
    std::chrono::microseconds duration{}; ///< from the first frame to the last
};

/// Makes files of frames. One thread at a time: the one that writes.
class FrameWriter {
public:
    struct Beginning {
        double rate = 25;           ///< frames a second, as far as is known
        unsigned most_borrowed = 1; ///< frames that may be kept at the same time
    };

    FrameWriter() = default;
    FrameWriter(const FrameWriter&) = delete;
    FrameWriter& operator=(const FrameWriter&) = delete;
    virtual ~FrameWriter() = default;

    /// Bytes that the CPU will move for each frame, as far as that is known before.
    [[nodiscard]] virtual std::uint64_t copied_bytes() const noexcept { return 0; }
    /// The format that frames are converted to; empty if they pass as they are.
    [[nodiscard]] virtual std::optional<FrameFormat> converted() const { return std::nullopt; }
    /// Why they are.
    [[nodiscard]] virtual std::string conversion_reason() const { return {}; }

    /// Before the first frame.
    [[nodiscard]] virtual Status begin(const Beginning& beginning) = 0;
    /// Times must grow, those of decoding where there are such. Errors: writing or encoding failed, for good.
    [[nodiscard]] virtual Result<FrameWritten> write(const FrameToWrite& frame) = 0;
    /// Brings out what waits and ends the file. Not @p whole: what waits is left out, the file is ended only.
    /// Errors: as write().
    [[nodiscard]] virtual Status finish(bool whole) = 0;
    [[nodiscard]] virtual ExportSummary summary() const = 0;

    /// Grows while it gets on with what it has. Any thread.
    [[nodiscard]] std::uint64_t progress() const noexcept { return progress_; }

protected:
    void got_on() noexcept { ++progress_; }

private:
    std::atomic<std::uint64_t> progress_ = 0;
};

/// Where frames come from and what they shall become.
struct FrameWriterSettings {
    ExportTarget target{};
    ExportWishes wishes{};
    FrameFormat source{};
    StreamProperties properties{};
    std::optional<FourCC> format{};        ///< of the pixels in the file
    std::optional<std::uint32_t> width{};  ///< pixels
    std::optional<std::uint32_t> height{}; ///< pixels
    OutputFile::Options file{};
};

/// Whether frames of the source's format can be written as they are, or decoded for an encoder; false of
/// compressed frames alone. What else is in the way make_frame_writer() says.
[[nodiscard]] bool can_be_written(const FrameWriterSettings& settings);

/// Finds out whether that can be written, as far as possible without a frame; creates no regular file.
/// @p files: where they go, unless it is a URL, which is connected to.
/// Errors: (usage) wishes that contradict each other or the container; (unsupported) what this FFmpeg cannot
/// do; those of connecting.
[[nodiscard]] Result<std::unique_ptr<FrameWriter>> make_frame_writer(const FrameWriterSettings& settings,
                                                                     OutputFiles* files);

} // namespace v4l2dma
