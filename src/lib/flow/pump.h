// SPDX-License-Identifier: MIT
#pragma once

#include "base/event_loop.h"
#include "flow/negotiation.h"
#include "flow/statistics.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace v4l2dma {

struct PumpOptions {
    std::optional<std::uint64_t> frame_limit{}; ///< ends after so many frames
    /// Ends with the frame that is so much later than the first one, by their timestamps, or where these do
    /// not move, by when they come; it is left out.
    std::optional<std::chrono::microseconds> time_limit{};
    std::chrono::microseconds report_interval{1'000'000}; ///< between two PumpListener::progress()
    /// How long the end waits for the sink's frames once the user wants it.
    std::chrono::microseconds drain_limit{1'000'000};
    /// Likewise where there are no more frames, or enough: for each of them.
    std::chrono::microseconds patient_drain_limit{5'000'000};
    /// How long no frame may pass before that is an error; empty: no matter how long.
    std::optional<std::chrono::microseconds> stall_limit{};
    /// Once the path is proven, the source runs only while somebody wants the sink's frames.
    bool on_demand = false;
};

/// Hears how the pump fares; the commands print it.
class PumpListener {
public:
    PumpListener() = default;
    PumpListener(const PumpListener&) = delete;
    PumpListener& operator=(const PumpListener&) = delete;
    virtual ~PumpListener() = default;

    /// The first frame went through: this path it is. @p copied_bytes: that the CPU moved for it. An error
    /// ends the run, here and below.
    [[nodiscard]] virtual Status started(const Path& path, std::uint64_t copied_bytes) = 0;
    /// Every report_interval, also before the first frame.
    [[nodiscard]] virtual Status progress(const Path& path, const StatisticsReport& report) = 0;
    /// The search for a path is over: these were looked at, best first; if there is a path it is the last.
    virtual void negotiated(std::span<const Negotiation::Attempt>) {}
    /// On demand: the source runs from now on, or does not.
    [[nodiscard]] virtual Status demand(bool) { return {}; }
    /// The stream ended because of @p why, and may go on (Session).
    [[nodiscard]] virtual Status interrupted(std::string_view) { return {}; }
    /// Nothing streams before there is @p what.
    [[nodiscard]] virtual Status awaits(std::string_view) { return {}; }
};

/// How a run ended.
struct PumpResult {
    std::optional<Path> path; ///< the last one that ran; empty if none did
    StatisticsReport total;
    bool interrupted = false;    ///< by a signal
    bool source_changed = false; ///< the source has another signal or format: Source::come_back()
    bool forced = false;         ///< a second one came before everything was given back
    bool time_is_over = false;   ///< PumpOptions::time_limit
    /// From the first frame to the last one, by their timestamps.
    std::chrono::microseconds streamed{};
};

/// Moves frames from a source to a sink until the limit, a signal, a change of the source or an error.
///
/// Waits in epoll for the source, the sink and the signals, bounded by the report interval, and never
/// otherwise. In a steady state a frame costs one wait, and one DQBUF and one QBUF on each side: the sink is
/// asked for one frame when it got one, and watched only when the source runs short of buffers. Allocates
/// nothing per frame. Runs on one thread; borrows all it is given.
class Pump {
public:
    Pump(Source& source, Sink& sink, const PathWishes& wishes, const PumpOptions& options,
         const StopSignals& signals, PumpListener& listener, std::span<FrameObserver* const> observers,
         System& system = real_system())
        : source_(source), sink_(sink), options_(options), wants_zero_copy_(wishes.zero_copy),
          signals_(signals), listener_(listener), observers_(observers), system_(system),
          negotiation_(source, sink, wishes, system) {}

    /// Negotiates, runs, drains, gives everything back. May be called once.
    /// After an error total() still tells what got through.
    [[nodiscard]] Result<PumpResult> run();

    [[nodiscard]] const PumpResult& result() const noexcept { return result_; }

private:
    [[nodiscard]] Status stream();
    [[nodiscard]] Status watch_source();
    [[nodiscard]] Status add_source();
    void unwatch_source() noexcept;
    void unwatch_sink() noexcept;
    [[nodiscard]] Status wait(std::chrono::microseconds deadline);
    [[nodiscard]] Status dispatch(std::uint32_t key, std::uint32_t events);
    [[nodiscard]] Status on_source(std::uint32_t events);
    [[nodiscard]] Status on_frame(const Frame& frame);
    [[nodiscard]] bool is_whole(const Frame& frame) const noexcept;
    [[nodiscard]] bool is_beyond_limit(const Frame& frame) noexcept;
    [[nodiscard]] Status put(const Frame& frame);
    [[nodiscard]] Status on_accepted(const Frame& frame, const PutResult& result);
    [[nodiscard]] Status on_first_frame(std::uint64_t copied_bytes);
    [[nodiscard]] Status on_refused(const Error& why);
    [[nodiscard]] Status reclaim(bool all);
    [[nodiscard]] Status retry_pending();
    [[nodiscard]] Status adapt_watches();
    [[nodiscard]] Status watch_sink(bool wanted);
    void forget_failed_outputs() noexcept;
    [[nodiscard]] Status pause_source(bool wanted);
    [[nodiscard]] Status watch_demand();
    [[nodiscard]] Status follow_demand();
    [[nodiscard]] Status sleep();
    [[nodiscard]] Status wake();
    [[nodiscard]] Status drain();
    void on_signal() noexcept;
    [[nodiscard]] Status report_if_due();
    [[nodiscard]] std::chrono::microseconds next_deadline() const noexcept;
    [[nodiscard]] std::chrono::microseconds stall_deadline() const noexcept;
    [[nodiscard]] Status check_stall() const;
    [[nodiscard]] bool done() const noexcept;
    [[nodiscard]] bool source_never_waits() const noexcept;

    Source& source_;
    Sink& sink_;
    PumpOptions options_;
    bool wants_zero_copy_;
    const StopSignals& signals_;
    PumpListener& listener_;
    std::span<FrameObserver* const> observers_;
    System& system_;
    Negotiation negotiation_;
    std::optional<EventLoop> loop_;
    Statistics statistics_;
    PumpResult result_;
    std::optional<Frame> pending_;    ///< a frame that the sink had no room for
    std::uint64_t least_payload_ = 0; ///< bytes; what is shorter is no whole frame
    std::chrono::microseconds next_report_{};
    std::chrono::microseconds last_passed_{};                  ///< when a frame passed, or the path began
    bool left_out_ = false;                                    ///< by the sink, since then
    std::optional<std::chrono::microseconds> first_timestamp_; ///< of the frames
    std::chrono::microseconds last_timestamp_{};               ///< likewise
    std::chrono::microseconds first_arrival_{};                ///< of a frame
    unsigned interrupts_ = 0;
    bool source_watched_ = false;
    bool source_paused_ = false; ///< in the event loop only for errors
    bool asleep_ = false;        ///< nobody wants frames: the source is stopped
    EventFds sink_fds_;          ///< those in the event loop
    bool sink_watched_ = false;  ///< for room
};

} // namespace v4l2dma
