// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/queue.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace v4l2dma {

/// Figures over a span of time.
struct StatisticsReport {
    double fps = 0;                       ///< over the span
    std::optional<double> latency_ms;     ///< mean over the span, from a frame's timestamp to the sink
    std::optional<double> max_latency_ms; ///< over the span
    std::uint64_t frames = 0;             ///< since the start
    std::uint64_t dropped = 0;            ///< since the start: missing sequence numbers, left out by the sink
    std::uint64_t corrupt = 0; ///< since the start: bad frames: marked by the driver, short, not convertible
    std::uint64_t no_signal = 0;         ///< since the start: pictures of a loop without a signal
    std::uint64_t copied_bytes = 0;      ///< since the start
    std::chrono::microseconds elapsed{}; ///< since the start

    /// Joins an earlier run's report to this one: counts and times add up, unless it only
    /// waited; the latency stays the last run's.
    void add(const StatisticsReport& earlier) noexcept;
};

/// Counts frames as they pass. Allocates nothing. All times are CLOCK_MONOTONIC.
class Statistics {
public:
    using Time = std::chrono::microseconds;

    void start(Time now) noexcept;
    /// A frame of the source, also one that is not passed on.
    void seen(const BufferMetadata& frame) noexcept;
    /// A frame that the sink has accepted at @p now, after a copy of @p copied_bytes.
    void passed(const BufferMetadata& frame, std::uint64_t copied_bytes, Time now) noexcept;
    void corrupt() noexcept { ++corrupt_; }
    /// A frame of the source that the sink left out.
    void dropped() noexcept { ++dropped_; }
    /// After a pause of the source, which counts anew: what is missing since is no loss.
    void resume(Time now) noexcept;

    [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
    /// The figures since the last call, and starts the next span.
    [[nodiscard]] StatisticsReport interval(Time now) noexcept;
    /// The figures since the start.
    [[nodiscard]] StatisticsReport total(Time now) const noexcept;

private:
    struct Span {
        Time begin{};
        std::uint64_t frames = 0;
        std::uint64_t latencies = 0; ///< frames with a usable timestamp
        Time latency_sum{};
        Time latency_max{};
    };
    [[nodiscard]] StatisticsReport report(const Span& span, Time now) const noexcept;

    Span all_;
    Span recent_;
    std::uint64_t frames_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t corrupt_ = 0;
    std::uint64_t no_signal_ = 0;
    std::uint64_t copied_bytes_ = 0;
    std::optional<std::uint32_t> last_sequence_;
};

} // namespace v4l2dma
