// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "flow/endpoint.h"
#include "flow/output_format.h"
#include "flow/writer_thread.h"
#include "media/urgency.h"

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// A file, or a URL, that frames are written or encoded into.
///
/// Reads frames where they are, on a thread of its own, and gives each back when the encoder is done with it.
/// It keeps as many as leave the source what it needs; a frame beyond that is left out, so that a slow
/// encoder or disk never holds up a source, or, if that is wished, waits.
class MediaSink final : public Sink {
public:
    /// @p wishes: how, and in which format. Creates no file, but connects to a named pipe. Errors: those of
    /// resolve_export_target() and OutputFiles::create().
    [[nodiscard]] static Result<std::unique_ptr<MediaSink>> open(std::string_view name,
                                                                 const OutputWishes& wishes);
    ~MediaSink() override;

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] unsigned copies(MemoryRole role) const override;
    void set_properties(const StreamProperties& properties) override { properties_ = properties; }
    /// Not compressed frames that the container does not hold and nobody here decodes: a source that has
    /// others shall deliver those.
    [[nodiscard]] bool takes(const FrameFormat& format) const override;
    /// One stream goes into a file; another one into the next, if the name has a number. A URL is connected
    /// to. Errors: those of make_frame_writer(); (system) there is no next file.
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] const Conversion* conversion() const noexcept override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    void leave_to_source(std::uint32_t count) noexcept override { sources_ = count; }
    [[nodiscard]] Status prepare(MemoryRole role, std::uint32_t count) override;
    /// Also answers what went wrong with an earlier frame. A frame whose timestamp does not grow is bad.
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override;
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override;
    [[nodiscard]] std::uint32_t in_flight() const noexcept override;
    [[nodiscard]] std::uint64_t headway() const noexcept override;
    /// Once the picture is written that a file holds.
    [[nodiscard]] bool satisfied() const noexcept override;
    [[nodiscard]] std::chrono::microseconds finish(Ending ending) noexcept override;
    /// What went wrong, also at the end of the file.
    [[nodiscard]] Status verdict() const override;
    /// Ends the file; without what finish() did not get done, if it was called.
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] EventFds event_fds() const noexcept override { return {returns_->event_fd.get()}; }

    /// What was written so far; a stream counts when it has ended.
    [[nodiscard]] const ExportSummary& summary() const noexcept { return summary_; }
    /// Frames that could not be read, or come before the first key frame.
    [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }
    [[nodiscard]] const ExportTarget& target() const noexcept { return target_; }

private:
    /// Frames that the writer is done with. Shared with them: an encoder gives them back on threads of its
    /// own.
    struct Returns {
        std::mutex mutex;
        std::deque<std::uint32_t> indices;
        UniqueFd event_fd;

        void give_back(std::uint32_t index) noexcept;
        void wake() const noexcept;
    };
    /// A frame that the writer has, ready to be read.
    struct Held;

    MediaSink(ExportTarget target, OutputWishes wishes, Urgency urgency);
    [[nodiscard]] Result<FrameWriterSettings> writer_settings(const FrameFormat& format) const;
    [[nodiscard]] WriterThread::Options thread_options() const;
    [[nodiscard]] bool advances(std::chrono::microseconds time) const noexcept;
    void wait_after_error() noexcept;
    [[nodiscard]] Status start_writer();
    void add(const ExportSummary& summary);

    ExportTarget target_;
    OutputWishes wishes_;
    std::string name_;
    StreamProperties properties_{};
    std::unique_ptr<Urgency> urgency_;
    std::optional<OutputFiles> files_; ///< not for a URL
    std::shared_ptr<Returns> returns_ = std::make_shared<Returns>();
    std::unique_ptr<FrameWriter> writer_;  ///< of the stream to come
    std::unique_ptr<WriterThread> thread_; ///< of the stream that runs
    std::optional<Conversion> conversion_;
    std::uint64_t expected_bytes_ = 0; ///< that the CPU moves for a frame
    bool single_ = false;              ///< one frame and no more: a picture
    std::uint64_t pushed_ = 0;         ///< to the writer of the stream that runs
    std::uint32_t sources_ = 0;        ///< buffers that are the source's own
    std::uint32_t most_kept_ = 1;
    std::uint32_t kept_ = 0;
    std::optional<std::chrono::microseconds> first_; ///< frame's timestamp
    std::optional<std::chrono::microseconds> last_;  ///< frame's order_time()
    bool finishing_ = false;
    bool done_ = false;   ///< the one picture is there, in whichever stream
    bool forced_ = false; ///< the end, by who knows that something is missing
    std::optional<Error> failure_;
    ExportSummary summary_{};
    std::uint64_t unreadable_ = 0;
};

} // namespace v4l2dma
