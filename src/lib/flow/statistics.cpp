// SPDX-License-Identifier: MIT
#include "flow/statistics.h"

#include <algorithm>

namespace v4l2dma {

namespace {

using namespace std::chrono_literals;

// Sequence numbers wrap; a step of more than half the range is one backwards (a restart), not a gap.
constexpr std::uint32_t backwards = 1U << 31;

std::optional<Statistics::Time> latency_of(const BufferMetadata& frame, Statistics::Time now) {
    // COPY passes the timestamp of whoever made the frame on. It need not be this clock: only what can be
    // a latency counts as one.
    const std::uint32_t type = frame.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK;
    if (type != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC && type != V4L2_BUF_FLAG_TIMESTAMP_COPY)
        return std::nullopt;
    const Statistics::Time latency = now - frame.timestamp;
    if (frame.timestamp == 0us || latency < 0us || latency > 1min)
        return std::nullopt;
    return latency;
}

double milliseconds(Statistics::Time time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

} // namespace

void StatisticsReport::add(const StatisticsReport& earlier) noexcept {
    dropped += earlier.dropped;
    corrupt += earlier.corrupt;
    if (earlier.frames == 0) // it only waited
        return;
    frames += earlier.frames;
    no_signal += earlier.no_signal;
    copied_bytes += earlier.copied_bytes;
    elapsed += earlier.elapsed;
    const double seconds = std::chrono::duration<double>(elapsed).count();
    fps = seconds > 0 ? static_cast<double>(frames) / seconds : 0;
}

void Statistics::start(Time now) noexcept {
    *this = Statistics();
    all_.begin = now;
    recent_.begin = now;
}

void Statistics::resume(Time now) noexcept {
    last_sequence_.reset();
    recent_ = {};
    recent_.begin = now;
}

void Statistics::seen(const BufferMetadata& frame) noexcept {
    if (last_sequence_) {
        const std::uint32_t step = frame.sequence - *last_sequence_;
        if (step > 1 && step < backwards)
            dropped_ += step - 1;
    }
    last_sequence_ = frame.sequence;
}

void Statistics::passed(const BufferMetadata& frame, std::uint64_t copied_bytes, Time now) noexcept {
    ++frames_;
    no_signal_ += frame.no_signal ? 1U : 0U;
    copied_bytes_ += copied_bytes;
    const std::optional<Time> latency = latency_of(frame, now);
    for (Span* span : {&all_, &recent_}) {
        ++span->frames;
        if (!latency)
            continue;
        ++span->latencies;
        span->latency_sum += *latency;
        span->latency_max = std::max(span->latency_max, *latency);
    }
}

StatisticsReport Statistics::report(const Span& span, Time now) const noexcept {
    StatisticsReport report;
    const double seconds = std::chrono::duration<double>(now - span.begin).count();
    report.fps = seconds > 0 ? static_cast<double>(span.frames) / seconds : 0;
    if (span.latencies > 0) {
        report.latency_ms = milliseconds(span.latency_sum) / static_cast<double>(span.latencies);
        report.max_latency_ms = milliseconds(span.latency_max);
    }
    report.frames = frames_;
    report.dropped = dropped_;
    report.corrupt = corrupt_;
    report.no_signal = no_signal_;
    report.copied_bytes = copied_bytes_;
    report.elapsed = now - all_.begin;
    return report;
}

StatisticsReport Statistics::interval(Time now) noexcept {
    const StatisticsReport result = report(recent_, now);
    recent_ = Span{};
    recent_.begin = now;
    return result;
}

StatisticsReport Statistics::total(Time now) const noexcept {
    return report(all_, now);
}

} // namespace v4l2dma
