// SPDX-License-Identifier: MIT
#include "flow/session.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

enum Key : std::uint32_t { signal_key, source_key };

// Not everything that comes back is announced.
constexpr std::chrono::seconds retry_interval{1};

} // namespace

bool Session::finished() const noexcept {
    return sum_.interrupted || sum_.time_is_over ||
           (options_.pump.frame_limit && sum_.total.frames >= *options_.pump.frame_limit);
}

Status Session::run() {
    idle_since_ = system_.now();
    while (true) {
        if (Status status = await_source(); !status || finished())
            return status;
        if (Status status = follow_format(); !status)
            return status;
        const Status status = stream();
        if (finished())
            return status;
        if (!status && !source_.may_come_back(status.error()))
            return status;
        if (status && !sum_.source_changed)
            return status;
        const std::string why =
            status ? std::string(source_.name()) + " has another signal or format" : status.error().message();
        if (Status said = say_interrupted(why); !said)
            return said;
    }
}

Status Session::stream() {
    PumpOptions pump_options = options_.pump;
    if (pump_options.frame_limit)
        *pump_options.frame_limit -= sum_.total.frames;
    if (pump_options.time_limit)
        *pump_options.time_limit -= sum_.streamed;
    Pump pump(source_, sink_, options_.path, pump_options, signals_, listener_, observers_, system_);
    const Result<PumpResult> result = pump.run();
    const StatisticsReport earlier = sum_.total;
    const std::chrono::microseconds streamed = sum_.streamed;
    const std::optional<Path> earlier_path = sum_.path;
    sum_ = pump.result();
    fruitless_ = sum_.total.frames == 0;
    if (!fruitless_)
        idle_since_ = system_.now();
    sum_.total.add(earlier);
    sum_.streamed += streamed;
    if (!sum_.path)
        sum_.path = earlier_path;
    return result ? Status{} : std::unexpected(result.error());
}

// What cannot work is not tried again at once.
Status Session::await_source() {
    bool wait = fruitless_;
    fruitless_ = false;
    while (!finished()) {
        if (wait) {
            if (Status status = check_stall(); !status)
                return status;
            if (Status status = wait_a_moment(); !status || finished())
                return status;
        }
        const Result<bool> ready = source_.come_back();
        if (!ready)
            return std::unexpected(ready.error());
        if (*ready)
            return {};
        if (Status status = say_awaited(); !status)
            return status;
        wait = true;
    }
    return {};
}

std::chrono::microseconds Session::time_left() const noexcept {
    return options_.pump.stall_limit ? idle_since_ + *options_.pump.stall_limit - system_.now()
                                     : std::chrono::microseconds::max();
}

Status Session::check_stall() const {
    if (time_left().count() > 0)
        return {};
    const double seconds = std::chrono::duration<double>(*options_.pump.stall_limit).count();
    std::string detail = fmt::format("no frame came for {:g} seconds", seconds);
    if (!said_.empty())
        detail += "; it waited for " + said_;
    return make_error(ErrorKind::system, "wait for", source_.name(), detail);
}

// Once for each thing that is waited for.
Status Session::say_awaited() {
    std::string awaited = source_.awaited();
    if (awaited == said_)
        return {};
    said_ = std::move(awaited);
    return listener_.awaits(said_);
}

// Once for what fails again and again in the same way.
Status Session::say_interrupted(const std::string& why) {
    if (fruitless_ && why == interruption_)
        return {};
    interruption_ = why;
    return listener_.interrupted(why);
}

// Edge-triggered: a device that does not stream reports an error as long as it does not.
Status Session::wait_a_moment() {
    Result<EventLoop> loop = EventLoop::create(system_);
    if (!loop)
        return std::unexpected(std::move(loop.error()));
    if (Status status = loop->add(signals_.fd(), EPOLLIN, signal_key); !status)
        return status;
    const FdEvent comeback = source_.comeback_event();
    if (comeback.fd >= 0)
        if (Status status = loop->add(comeback.fd, comeback.events, source_key, EventLoop::Trigger::edge);
            !status)
            return status;
    auto left = std::min(std::chrono::microseconds(retry_interval), time_left());
    const std::chrono::microseconds end = system_.now() + left;
    for (; left.count() > 0; left = end - system_.now()) {
        std::array<epoll_event, 2> events{};
        const Result<std::size_t> count = loop->wait(events, left);
        if (!count)
            return std::unexpected(count.error());
        for (const epoll_event& event : std::span(events).first(*count)) {
            if (event.data.u32 == signal_key)
                sum_.interrupted = signals_.take() > 0;
            if (event.data.u32 == signal_key || (event.events & comeback.events) != 0)
                return {};
        }
    }
    return {};
}

Status Session::follow_format() {
    said_.clear();
    const FrameFormat& now = source_.format();
    const bool another = format_ && !(*format_ == now);
    format_ = now;
    return another && options_.accepts ? options_.accepts(now) : Status{};
}

} // namespace v4l2dma
