// SPDX-License-Identifier: MIT
#include "flow/pump.h"

#include "base/log.h"

#include <array>

namespace v4l2dma {

namespace {

enum Key : std::uint32_t { signal_key, source_key, sink_key };

constexpr unsigned frames_per_wakeup = 64;

} // namespace

Result<PumpResult> Pump::run() {
    Result<EventLoop> loop = EventLoop::create(system_);
    if (!loop)
        return std::unexpected(std::move(loop.error()));
    loop_.emplace(std::move(*loop));

    Status status = stream();
    if (status)
        status = drain();
    result_.total = statistics_.total(system_.now());
    negotiation_.release();
    if (!status)
        return std::unexpected(std::move(status.error()));
    return result_;
}

Status Pump::stream() {
    if (Status status = loop_->add(signals_.fd(), EPOLLIN, signal_key); !status)
        return status;
    if (Status status = negotiation_.establish(); !status)
        return status;
    if (Status status = watch_source(); !status)
        return status;
    while (!done()) {
        if (Status status = wait(next_report_); !status)
            return status;
        if (Status status = report_if_due(); !status)
            return status;
    }
    return {};
}

// A new path: its first frame is the first one that counts.
Status Pump::watch_source() {
    result_.strategy = &negotiation_.current();
    statistics_.start(system_.now());
    next_report_ = system_.now() + options_.report_interval;
    source_watched_ = true;
    return source_.event_fd() < 0 ? Status{} : loop_->add(source_.event_fd(), EPOLLIN, source_key);
}

void Pump::unwatch_source() noexcept {
    source_watched_ = false;
    if (source_.event_fd() >= 0)
        loop_->remove(source_.event_fd());
}

// Edge-triggered: vb2 calls an output writable as long as one of its buffers is not queued.
Status Pump::watch_sink() {
    if (sink_watched_ || sink_.event_fd() < 0)
        return {};
    sink_watched_ = true;
    return loop_->add(sink_.event_fd(), EPOLLOUT, sink_key, EventLoop::Trigger::edge);
}

void Pump::unwatch_sink() noexcept {
    if (sink_watched_)
        loop_->remove(sink_.event_fd());
    sink_watched_ = false;
}

// Its frames come as fast as the sink takes them; then nothing may sleep while the sink has room.
bool Pump::source_never_waits() const noexcept {
    return source_watched_ && source_.event_fd() < 0 && !pending_;
}

Status Pump::wait(std::chrono::microseconds deadline) {
    std::array<epoll_event, 3> events{};
    const auto timeout = source_never_waits()
                             ? std::chrono::microseconds(0)
                             : std::max(deadline - system_.now(), std::chrono::microseconds(0));
    const Result<std::size_t> count = loop_->wait(events, timeout);
    if (!count)
        return std::unexpected(count.error());
    // The sink first: what it gives back makes room for what the source has.
    for (const std::uint32_t key : {signal_key, sink_key, source_key}) {
        for (const epoll_event& event : std::span(events).first(*count)) {
            if (event.data.u32 != key)
                continue;
            Status status;
            if (key == signal_key)
                on_signal();
            else
                status = key == sink_key ? reclaim() : on_source(event.events);
            if (!status)
                return status;
        }
    }
    return source_never_waits() ? on_source(0) : Status{};
}

void Pump::on_signal() noexcept {
    interrupts_ += signals_.take();
    result_.interrupted = interrupts_ > 0;
    result_.forced = interrupts_ > 1;
}

bool Pump::done() const noexcept {
    return result_.interrupted || (options_.frame_limit && statistics_.frames() >= *options_.frame_limit);
}

Status Pump::on_source(std::uint32_t events) {
    if (pending_) // paused: only an error wakes us
        return make_error(ErrorKind::device, "wait for", source_.name(), "it reports an error");
    const Strategy* const strategy = &negotiation_.current();
    unsigned taken = 0;
    // Bounded, so that a source that always has a frame does not keep signals and the sink waiting.
    while (taken < frames_per_wakeup && !pending_ && !done() && strategy == &negotiation_.current()) {
        const Result<std::optional<Frame>> frame = source_.take();
        if (!frame)
            return std::unexpected(frame.error());
        if (!*frame)
            break;
        ++taken;
        if (Status status = on_frame(**frame); !status)
            return status;
    }
    if (taken == 0 && (events & (EPOLLERR | EPOLLHUP)) != 0)
        return make_error(ErrorKind::device, "wait for", source_.name(), "it reports an error but no frame");
    return {};
}

Status Pump::on_frame(const Frame& frame) {
    statistics_.seen(frame.metadata);
    if ((frame.metadata.flags & V4L2_BUF_FLAG_ERROR) != 0 || frame.metadata.bytesused == 0) {
        statistics_.corrupt();
        return source_.give_back(frame.index);
    }
    for (FrameObserver* observer : observers_)
        if (Status status = observer->observe(frame); !status)
            return status;
    const Result<bool> accepted = sink_.put(frame);
    if (!accepted)
        return on_refused(accepted.error());
    if (Status status = watch_sink(); !status)
        return status;
    if (*accepted)
        return on_accepted(frame);
    if (!sink_watched_)
        return make_error(ErrorKind::device, "write to", sink_.name(),
                          "it has no room and nothing to wait for");
    pending_ = frame;
    return set_source_paused(true);
}

Status Pump::on_accepted(const Frame& frame) {
    const Strategy& strategy = negotiation_.current();
    statistics_.passed(frame.metadata, strategy.copies ? frame.metadata.bytesused : 0, system_.now());
    if (statistics_.frames() == 1)
        if (Status status = listener_.started(strategy); !status)
            return status;
    if (strategy.copies)
        if (Status status = source_.give_back(frame.index); !status)
            return status;
    return reclaim();
}

// Before the first frame is through, a refusal is about this path; afterwards it is a failure.
Status Pump::on_refused(const Error& why) {
    if (statistics_.frames() > 0)
        return std::unexpected(why);
    pending_.reset();
    unwatch_source();
    unwatch_sink();
    if (Status status = negotiation_.fall_back(why); !status)
        return status;
    return watch_source();
}

Status Pump::reclaim() {
    const Strategy& strategy = negotiation_.current();
    while (true) {
        const Result<std::optional<std::uint32_t>> index = sink_.reclaim();
        if (!index)
            return std::unexpected(index.error());
        if (!*index)
            break;
        if (strategy.copies || done())
            continue; // the source has it back already, or wants nothing back any more
        if (Status status = source_.give_back(**index); !status)
            return status;
    }
    if (!pending_ || done())
        return {};
    const Frame frame = *pending_;
    const Result<bool> accepted = sink_.put(frame);
    if (!accepted)
        return on_refused(accepted.error());
    if (!*accepted)
        return {};
    pending_.reset();
    if (Status status = set_source_paused(false); !status)
        return status;
    return on_accepted(frame);
}

Status Pump::set_source_paused(bool paused) {
    if (source_.event_fd() < 0)
        return {}; // source_never_waits() looks at pending_
    return loop_->modify(source_.event_fd(), paused ? 0U : static_cast<std::uint32_t>(EPOLLIN), source_key);
}

Status Pump::report_if_due() {
    const std::chrono::microseconds now = system_.now();
    if (now < next_report_)
        return {};
    // Missed intervals are not made up for.
    next_report_ += options_.report_interval;
    if (next_report_ <= now)
        next_report_ = now + options_.report_interval;
    return listener_.progress(negotiation_.current(), statistics_.interval(now));
}

// The camera stops first; what the sink still shows or passes on gets a moment to come back.
Status Pump::drain() {
    unwatch_source();
    source_.stop();
    pending_.reset();
    const std::chrono::microseconds deadline = system_.now() + options_.drain_limit;
    while (sink_.in_flight() > 0 && sink_watched_ && !result_.forced && system_.now() < deadline)
        if (Status status = wait(deadline); !status)
            return status;
    if (sink_.in_flight() > 0)
        spdlog::debug("{} frames were not given back by {} in time", sink_.in_flight(), sink_.name());
    return {};
}

} // namespace v4l2dma
