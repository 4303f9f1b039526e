// SPDX-License-Identifier: MIT
#include "flow/statistics.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using namespace std::chrono_literals;

namespace {

std::uint64_t dropped(std::initializer_list<std::uint32_t> sequences) {
    Statistics statistics;
    statistics.start(0us);
    for (const std::uint32_t sequence : sequences)
        statistics.seen({.sequence = sequence});
    return statistics.total(1s).dropped;
}

/// The latency of one frame with this timestamp that is accepted at 10 s.
std::optional<double> latency(std::chrono::microseconds timestamp, std::uint32_t flags) {
    Statistics statistics;
    statistics.start(0us);
    statistics.passed({.flags = flags, .timestamp = timestamp}, 0, 10s);
    return statistics.total(11s).latency_ms;
}

} // namespace

TEST_CASE("a gap in the sequence is so many dropped frames") {
    CHECK(dropped({0, 1, 2}) == 0);
    CHECK(dropped({5, 6}) == 0); // what was before the first frame is not known
    CHECK(dropped({0, 2}) == 1);
    CHECK(dropped({0, 10, 13}) == 11);
}

TEST_CASE("the sequence wraps around") {
    CHECK(dropped({0xffffffff, 0}) == 0);
    CHECK(dropped({0xfffffffe, 1}) == 2);
}

TEST_CASE("a restart of the sequence is no gap") {
    CHECK(dropped({1000, 0, 1, 2}) == 0);
    CHECK(dropped({1000, 0, 3}) == 2);
    CHECK(dropped({7, 7, 8}) == 0); // a driver that repeats
}

TEST_CASE("latency counts only where the timestamp can be one") {
    CHECK(latency(9'990ms, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) == doctest::Approx(10));
    CHECK(latency(9'990ms, V4L2_BUF_FLAG_TIMESTAMP_COPY) == doctest::Approx(10));
    CHECK(latency(10s, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC) == doctest::Approx(0));
    CHECK_FALSE(latency(9'990ms, V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN));
    CHECK_FALSE(latency(0us, V4L2_BUF_FLAG_TIMESTAMP_COPY));
    CHECK_FALSE(latency(11s, V4L2_BUF_FLAG_TIMESTAMP_COPY)); // of another clock: the future
    Statistics statistics;
    statistics.start(0us);
    statistics.passed({.flags = V4L2_BUF_FLAG_TIMESTAMP_COPY, .timestamp = 1s}, 0, 1h);
    CHECK_FALSE(statistics.total(1h).latency_ms); // likewise the distant past
}

TEST_CASE("an interval has its own rate and latency, the total everything") {
    Statistics statistics;
    statistics.start(0us);
    constexpr std::uint32_t clock = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    statistics.passed({.flags = clock, .timestamp = 480ms}, 100, 500ms); // 20 ms
    statistics.passed({.flags = clock, .timestamp = 960ms}, 100, 1s);    // 40 ms
    statistics.corrupt();
    const StatisticsReport first = statistics.interval(1s);
    CHECK(first.fps == doctest::Approx(2));
    CHECK(first.latency_ms == doctest::Approx(30));
    CHECK(first.max_latency_ms == doctest::Approx(40));
    CHECK(first.copied_bytes == 200);

    const StatisticsReport nothing = statistics.interval(2s);
    CHECK(nothing.fps == 0);
    CHECK_FALSE(nothing.latency_ms);
    CHECK_FALSE(nothing.max_latency_ms);
    CHECK(nothing.frames == 2);

    const StatisticsReport total = statistics.total(4s);
    CHECK(total.fps == doctest::Approx(0.5));
    CHECK(total.latency_ms == doctest::Approx(30));
    CHECK(total.corrupt == 1);
    CHECK(total.elapsed == 4s);
}

TEST_CASE("no time has passed: no rate") {
    Statistics statistics;
    statistics.start(5s);
    statistics.passed({}, 0, 5s);
    CHECK(statistics.interval(5s).fps == 0);
    CHECK(statistics.total(5s).fps == 0);
}

TEST_CASE("a new start forgets everything") {
    Statistics statistics;
    statistics.start(0us);
    statistics.seen({.sequence = 3});
    statistics.passed({.sequence = 3}, 50, 1s);
    statistics.corrupt();
    statistics.start(2s);
    statistics.seen({.sequence = 90}); // no gap after 3
    const StatisticsReport total = statistics.total(3s);
    CHECK(total.frames == 0);
    CHECK(total.dropped == 0);
    CHECK(total.corrupt == 0);
    CHECK(total.copied_bytes == 0);
    CHECK(total.elapsed == 1s);
}

TEST_CASE("reports of several runs add up") {
    StatisticsReport later{
        .fps = 10, .latency_ms = 4.0, .max_latency_ms = {}, .frames = 10, .dropped = 1, .elapsed = 1s};
    later.add({.fps = 30,
               .latency_ms = 9.0,
               .max_latency_ms = {},
               .frames = 90,
               .dropped = 2,
               .corrupt = 3,
               .no_signal = 5,
               .copied_bytes = 7,
               .elapsed = 3s});
    CHECK(later.frames == 100);
    CHECK(later.dropped == 3);
    CHECK(later.corrupt == 3);
    CHECK(later.no_signal == 5);
    CHECK(later.copied_bytes == 7);
    CHECK(later.fps == doctest::Approx(25));
    CHECK(later.latency_ms == doctest::Approx(4));
    StatisticsReport only{.fps = 10, .latency_ms = {}, .max_latency_ms = {}, .frames = 10, .elapsed = 1s};
    only.add({.latency_ms = {}, .max_latency_ms = {}, .dropped = 4, .corrupt = 50, .elapsed = 1h});
    CHECK(only.elapsed == 1s); // it only waited, in vain
    CHECK(only.corrupt == 50);
    CHECK(only.dropped == 4);
    CHECK(only.fps == doctest::Approx(10));
}
