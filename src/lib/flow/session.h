// SPDX-License-Identifier: MIT
#pragma once

#include "flow/pump.h"

#include <functional>

namespace v4l2dma {

/// One stream after another from the same source, for as long as it comes back: over changes of its signal
/// and format, lost signals, and devices that are unplugged and plugged in again.
///
/// Between two streams everything is given back on both sides. One thread; borrows all it is given.
class Session {
public:
    struct Options {
        PathWishes path{};
        PumpOptions pump{}; ///< the frame limit is that of all streams together
        /// Whether the frames of another format will do; asked before each stream but the first. May be
        /// empty.
        std::function<Status(const FrameFormat&)> accepts{};
    };

    Session(Source& source, Sink& sink, Options options, const StopSignals& signals, PumpListener& listener,
            std::span<FrameObserver* const> observers, System& system = real_system())
        : source_(source), sink_(sink), options_(std::move(options)), signals_(signals), listener_(listener),
          observers_(observers), system_(system) {}

    /// Until the limit, a signal, or an error that waiting does not mend. What is waited for between two
    /// streams must come within the stall limit, too. May be called once.
    [[nodiscard]] Status run();

    /// Of all streams; also after an error.
    [[nodiscard]] const PumpResult& result() const noexcept { return sum_; }

private:
    [[nodiscard]] Status stream();
    [[nodiscard]] Status await_source();
    [[nodiscard]] Status wait_a_moment();
    [[nodiscard]] Status follow_format();
    [[nodiscard]] Status say_awaited();
    [[nodiscard]] Status say_interrupted(const std::string& why);
    [[nodiscard]] Status check_stall() const;
    [[nodiscard]] std::chrono::microseconds time_left() const noexcept;
    [[nodiscard]] bool finished() const noexcept;

    Source& source_;
    Sink& sink_;
    Options options_;
    const StopSignals& signals_;
    PumpListener& listener_;
    std::span<FrameObserver* const> observers_;
    System& system_;
    PumpResult sum_;
    std::optional<FrameFormat> format_;      ///< of the stream before
    bool fruitless_ = false;                 ///< the stream before had no frame
    std::chrono::microseconds idle_since_{}; ///< when the last stream with a frame ended, or run() began
    std::string said_;                       ///< what was said to be waited for
    std::string interruption_;               ///< why the stream before ended
};

} // namespace v4l2dma
