// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "media/frame_writer.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace v4l2dma {

/// The frame rate that frames which are so far apart most likely have: the @p likely one if it is near, else
/// a usual one that is, or what the distance says.
[[nodiscard]] double usual_rate(std::chrono::microseconds interval, std::optional<double> likely = {});

/// Has a FrameWriter write frames on a thread of its own, so that whoever brings them never waits for an
/// encoder or a disk. All calls but those of the writer are made on one other thread.
class WriterThread {
public:
    struct Options {
        std::optional<double> rate{};        ///< frames a second; empty: measured by the first two frames
        std::optional<double> likely_rate{}; ///< what that is compared with
        unsigned most_borrowed = 1;          ///< as FrameWriter::Beginning
        std::function<void()> wake; ///< called on the thread when finished() or error() has another answer
    };

    /// Starts. The writer lives as long as this. Signals that shall not end up here are to be blocked before.
    WriterThread(std::unique_ptr<FrameWriter> writer, Options options);
    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;
    ~WriterThread();

    /// The time of a frame that will be written or not: the first two make the rate.
    void saw(std::chrono::microseconds time);
    void push(FrameToWrite frame);
    /// No frame comes any more: what is there is written, and the file ended.
    void finish();
    /// Likewise, without what has not been written yet; waits for it.
    void abort() noexcept;
    /// Waits for the end of finish(), at most so long. Whether it has come.
    [[nodiscard]] bool wait(std::chrono::milliseconds limit);

    [[nodiscard]] bool finished() const;
    [[nodiscard]] std::optional<Error> error() const;
    /// Bytes that the CPU moved beyond what FrameWriter::copied_bytes() said, since the last call.
    [[nodiscard]] std::uint64_t take_unforeseen();
    /// Frames that found a place in the file.
    [[nodiscard]] std::uint64_t written() const;
    /// Grows while frames are written, and while the encoder brings out what it has.
    [[nodiscard]] std::uint64_t progress() const { return written() + writer_->progress(); }
    /// Frames that could not be read.
    [[nodiscard]] std::uint64_t bad() const;
    /// Once it is finished.
    [[nodiscard]] ExportSummary summary() const { return writer_->summary(); }

private:
    void run() noexcept;
    [[nodiscard]] Status write_all();
    [[nodiscard]] bool wait_for_rate(FrameWriter::Beginning& beginning);
    [[nodiscard]] std::optional<FrameToWrite> next();
    [[nodiscard]] Status write(const FrameToWrite& frame);
    void fail(Error error) noexcept;

    std::unique_ptr<FrameWriter> writer_; ///< the thread's, until it is finished
    Options options_;
    mutable std::mutex mutex_; ///< of all below
    std::condition_variable changed_;
    std::deque<FrameToWrite> queue_;
    std::optional<std::chrono::microseconds> first_time_;
    std::optional<std::chrono::microseconds> second_time_;
    bool finishing_ = false;
    bool aborted_ = false;
    bool finished_ = false;
    std::optional<Error> error_;
    std::uint64_t unforeseen_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t bad_ = 0;
    std::thread thread_; ///< last: it uses the others
};

} // namespace v4l2dma
