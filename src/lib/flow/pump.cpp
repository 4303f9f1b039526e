// SPDX-License-Identifier: MIT
#include "flow/pump.h"

#include "base/log.h"

#include <algorithm>
#include <array>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

enum Key : std::uint32_t { signal_key, source_key, sink_key };

constexpr std::uint32_t source_events = EPOLLIN | EPOLLPRI;
constexpr unsigned frames_per_wakeup = 64;
// Buffers that the source can still fill: with fewer the sink is waited for, with enough no longer.
constexpr std::uint32_t few_buffers = 2;
constexpr std::uint32_t enough_buffers = 4;

} // namespace

Result<PumpResult> Pump::run() {
    Result<EventLoop> loop = EventLoop::create(system_);
    if (!loop)
        return std::unexpected(std::move(loop.error()));
    loop_.emplace(std::move(*loop));
    statistics_.start(system_.now()); // for a run that comes to no path

    Status status = stream();
    if (!status && status.error().code == ECANCELED) { // somebody else saw the signal first
        on_signal();
        status = result_.interrupted ? Status{} : status;
    }
    if (status)
        status = drain();
    result_.total = statistics_.total(system_.now());
    negotiation_.release();
    if (!status && statistics_.frames() == 0)
        listener_.negotiated(negotiation_.attempts());
    if (!status)
        return std::unexpected(std::move(status.error()));
    return result_;
}

Status Pump::stream() {
    if (Status status = loop_->add(signals_.fd(), EPOLLIN, signal_key); !status)
        return status;
    if (Status status = watch_demand(); !status)
        return status;
    if (Status status = negotiation_.establish(); !status)
        return status;
    if (Status status = watch_source(); !status)
        return status;
    while (!done()) {
        if (Status status = wait(next_deadline()); !status)
            return status;
        if (Status status = report_if_due(); !status)
            return status;
        if (system_.now() >= stall_deadline()) // who was stopped (Ctrl-Z) hears late of what came meanwhile
            if (Status status = wait(system_.now()); !status)
                return status;
        if (Status status = check_stall(); !status)
            return status;
    }
    return {};
}

// A new path: its first frame is the first one that counts.
Status Pump::watch_source() {
    result_.path = negotiation_.current();
    least_payload_ = least_payload(source_.format());
    last_passed_ = system_.now();
    statistics_.start(last_passed_);
    next_report_ = last_passed_ + options_.report_interval;
    return add_source();
}

Status Pump::add_source() {
    source_watched_ = true;
    source_paused_ = false;
    return source_.event_fd() < 0 ? Status{} : loop_->add(source_.event_fd(), source_events, source_key);
}

void Pump::unwatch_source() noexcept {
    source_watched_ = false;
    if (source_.event_fd() >= 0)
        loop_->remove(source_.event_fd());
}

// Edge-triggered: vb2 calls an output writable as long as one of its buffers is not queued.
Status Pump::watch_sink(bool wanted) {
    const bool untold = options_.on_demand && sink_fds_.empty();
    if (wanted == sink_watched_ && !untold)
        return {};
    forget_failed_outputs();
    const std::uint32_t events = (wanted ? static_cast<std::uint32_t>(EPOLLOUT) : 0U) |
                                 (options_.on_demand ? static_cast<std::uint32_t>(EPOLLPRI) : 0U);
    const EventFds fds = sink_.event_fds();
    for (const int fd : fds.all()) {
        const bool added = sink_fds_.contains(fd);
        Status status = added ? loop_->modify(fd, events, sink_key, EventLoop::Trigger::edge) : Status{};
        // An output that was opened anew has the same number, and is not in the loop any more.
        if (!added || (!status && status.error().code == ENOENT))
            status = loop_->add(fd, events, sink_key, EventLoop::Trigger::edge);
        if (!status)
            return status;
        if (!added)
            sink_fds_.add(fd);
    }
    sink_watched_ = wanted && !fds.empty();
    return {};
}

// What the sink does not name any more may be closed by now.
void Pump::forget_failed_outputs() noexcept {
    const EventFds present = sink_.event_fds();
    EventFds kept;
    for (const int fd : sink_fds_.all())
        if (present.contains(fd))
            kept.add(fd);
        else
            loop_->remove(fd);
    sink_fds_ = kept;
}

void Pump::unwatch_sink() noexcept {
    for (const int fd : sink_fds_.all())
        loop_->remove(fd);
    sink_fds_ = {};
    sink_watched_ = false;
}

// Its frames come as fast as the sink takes them; then nothing may sleep while there is room.
bool Pump::source_never_waits() const noexcept {
    return source_watched_ && source_.event_fd() < 0 && !pending_ && source_.available() > 0;
}

Status Pump::wait(std::chrono::microseconds deadline) {
    std::array<epoll_event, 2 + EventFds::capacity> events{};
    const auto timeout = source_never_waits()
                             ? std::chrono::microseconds(0)
                             : std::max(deadline - system_.now(), std::chrono::microseconds(0));
    const Result<std::size_t> count = loop_->wait(events, timeout);
    if (!count)
        return std::unexpected(count.error());
    // The sink first: what it gives back makes room for what the source has. Once, whichever of its outputs
    // were ready.
    for (const std::uint32_t key : {signal_key, sink_key, source_key}) {
        std::uint32_t happened = 0;
        for (const epoll_event& event : std::span(events).first(*count))
            happened |= event.data.u32 == key ? event.events : 0U;
        if (happened != 0)
            if (Status status = dispatch(key, happened); !status)
                return status;
    }
    return source_never_waits() ? on_source(0) : Status{};
}

Status Pump::dispatch(std::uint32_t key, std::uint32_t events) {
    if (key == source_key)
        return on_source(events);
    if (key == sink_key) {
        if ((events & EPOLLPRI) != 0)
            if (Status status = follow_demand(); !status)
                return status;
        return reclaim(true);
    }
    on_signal();
    return {};
}

void Pump::on_signal() noexcept {
    interrupts_ += signals_.take();
    result_.interrupted = interrupts_ > 0;
    result_.forced = interrupts_ > 1;
}

bool Pump::done() const noexcept {
    return result_.interrupted || result_.source_changed || result_.time_is_over ||
           (source_.ended() && !pending_) || sink_.satisfied() ||
           (options_.frame_limit && statistics_.frames() >= *options_.frame_limit);
}

// One frame for each wake-up: the event is level-triggered and comes again if there are more, and to ask
// until there is none would be a call for nothing with each frame.
Status Pump::on_source(std::uint32_t events) {
    if (asleep_) // since this event
        return {};
    if ((events & EPOLLPRI) != 0) {
        const Result<bool> changed = source_.changed();
        if (!changed)
            return std::unexpected(changed.error());
        result_.source_changed = *changed;
        if (*changed || (events & ~static_cast<std::uint32_t>(EPOLLPRI)) == 0)
            return {};
    }
    if (source_paused_) // only an error wakes us
        return make_error(ErrorKind::device, "wait for", source_.name(), "it reports an error");
    const Path* const path = &negotiation_.current();
    const unsigned most = source_.event_fd() < 0 ? frames_per_wakeup : 1;
    unsigned taken = 0;
    // Bounded, so that a source that always has a frame does not keep signals and the sink waiting.
    while (taken < most && !pending_ && !done() && !asleep_ && path == &negotiation_.current()) {
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

bool Pump::is_whole(const Frame& frame) const noexcept {
    return (frame.metadata.flags & V4L2_BUF_FLAG_ERROR) == 0 && frame.metadata.payload() >= least_payload_;
}

bool Pump::is_beyond_limit(const Frame& frame) noexcept {
    const std::chrono::microseconds time = frame.metadata.order_time();
    const std::chrono::microseconds now = system_.now();
    if (!first_timestamp_) {
        first_timestamp_ = time;
        first_arrival_ = now;
    }
    const bool moves = time > last_timestamp_;
    last_timestamp_ = time;
    const std::chrono::microseconds streamed = moves ? time - *first_timestamp_ : now - first_arrival_;
    if (options_.time_limit && streamed >= *options_.time_limit)
        return true;
    result_.streamed = std::max(result_.streamed, streamed);
    return false;
}

Status Pump::on_frame(const Frame& frame) {
    if (is_beyond_limit(frame)) {
        result_.time_is_over = true;
        return source_.give_back(frame.index);
    }
    statistics_.seen(frame.metadata);
    if (!is_whole(frame)) {
        statistics_.corrupt();
        return source_.give_back(frame.index);
    }
    for (FrameObserver* observer : observers_)
        if (Status status = observer->observe(frame); !status)
            return status;
    return put(frame);
}

Status Pump::put(const Frame& frame) {
    const Result<PutResult> result = sink_.put(frame);
    if (!result)
        return on_refused(result.error());
    if (result->taken)
        return on_accepted(frame, *result);
    if (sink_.event_fds().empty())
        return make_error(ErrorKind::device, "write to", sink_.name(),
                          "it has no room and nothing to wait for");
    pending_ = frame;
    return adapt_watches();
}

Status Pump::on_accepted(const Frame& frame, const PutResult& result) {
    if (result.bad) {
        statistics_.corrupt();
    } else if (result.dropped) {
        statistics_.dropped();
        left_out_ = true;
    } else {
        left_out_ = false;
        last_passed_ = system_.now();
        const std::uint64_t copied = frame.copied_bytes + result.copied_bytes;
        statistics_.passed(frame.metadata, copied, last_passed_);
        if (statistics_.frames() == 1)
            if (Status status = on_first_frame(copied); !status)
                return status;
    }
    if (!result.kept)
        if (Status status = source_.give_back(frame.index); !status)
            return status;
    if (Status status = reclaim(source_.available() < few_buffers); !status)
        return status;
    return statistics_.frames() == 1 && !result.bad && !result.dropped ? follow_demand() : Status{};
}

// A path may promise more than it keeps: a decoder with too few buffers copies.
Status Pump::on_first_frame(std::uint64_t copied_bytes) {
    if (wants_zero_copy_ && copied_bytes > 0)
        return make_error(ErrorKind::unsupported, "zero-copy",
                          std::string(source_.name()) + " to " + std::string(sink_.name()),
                          fmt::format("{} bytes of the first frame were copied", copied_bytes),
                          "More --buffers may help; without --dmabuf it goes on");
    listener_.negotiated(negotiation_.attempts());
    return listener_.started(negotiation_.current(), copied_bytes);
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

// @all: until there is none; otherwise one, which is as many as were put.
Status Pump::reclaim(bool all) {
    do {
        const Result<std::optional<std::uint32_t>> index = sink_.reclaim();
        if (!index)
            return std::unexpected(index.error());
        if (!*index)
            break;
        if (done())
            continue; // the source wants nothing back any more
        if (Status status = source_.give_back(**index); !status)
            return status;
    } while (all);
    if (pending_ && !done())
        return retry_pending();
    return done() || asleep_ ? Status{} : adapt_watches();
}

Status Pump::retry_pending() {
    const Frame frame = *pending_;
    pending_.reset();
    return put(frame);
}

// The sink is waited for only while the source may run out of buffers; between "few" and "enough" it stays as
// it is, so that a sink that keeps the same number of frames does not cost two calls with each.
Status Pump::adapt_watches() {
    const std::uint32_t available = source_.available();
    const bool sink_has_frames = sink_.in_flight() > 0;
    const bool waits = pending_ || (available < few_buffers && sink_has_frames);
    const bool untold = options_.on_demand && sink_fds_.empty(); // of who reads
    if (waits || available >= enough_buffers || !sink_has_frames || untold)
        if (Status status = watch_sink(waits); !status)
            return status;
    return pause_source(pending_.has_value() || available == 0);
}

Status Pump::pause_source(bool wanted) {
    if (source_.event_fd() < 0 || wanted == source_paused_)
        return {}; // source_never_waits() looks by itself
    source_paused_ = wanted;
    return loop_->modify(source_.event_fd(), wanted ? static_cast<std::uint32_t>(EPOLLPRI) : source_events,
                         source_key);
}

Status Pump::watch_demand() {
    if (!options_.on_demand)
        return {};
    const Result<bool> known = sink_.watch_demand();
    if (known && !*known)
        return make_error(ErrorKind::unsupported, "run on demand", sink_.name(),
                          "it does not tell whether anybody reads", "Loops of v4l2dma.ko do");
    return known ? Status{} : std::unexpected(known.error());
}

// Not before the first frame is through: until then nobody knows whether this path is one.
Status Pump::follow_demand() {
    if (!options_.on_demand || statistics_.frames() == 0 || done())
        return {};
    const Result<bool> wanted = sink_.is_wanted();
    if (!wanted)
        return std::unexpected(wanted.error());
    if (*wanted == !asleep_)
        return {};
    if (Status status = *wanted ? wake() : sleep(); !status)
        return status;
    return listener_.demand(*wanted);
}

// The path stays as it is, and the sink streams on: only the source stops.
Status Pump::sleep() {
    asleep_ = true;
    unwatch_source();
    source_.stop();
    if (const std::optional<Frame> frame = std::exchange(pending_, std::nullopt))
        if (Status status = source_.give_back(frame->index); !status)
            return status;
    return watch_sink(false);
}

Status Pump::wake() {
    if (Status status = reclaim(true); !status) // what came back meanwhile is filled first
        return status;
    asleep_ = false;
    if (Status status = source_.start(); !status)
        return status;
    last_passed_ = system_.now();
    statistics_.resume(last_passed_);
    next_report_ = last_passed_ + options_.report_interval;
    if (Status status = add_source(); !status)
        return status;
    return adapt_watches();
}

std::chrono::microseconds Pump::next_deadline() const noexcept {
    return asleep_ ? std::chrono::microseconds::max() : std::min(next_report_, stall_deadline());
}

std::chrono::microseconds Pump::stall_deadline() const noexcept {
    return options_.stall_limit && !asleep_ ? last_passed_ + *options_.stall_limit
                                            : std::chrono::microseconds::max();
}

Status Pump::check_stall() const {
    if (done() || system_.now() < stall_deadline())
        return {};
    const double seconds = std::chrono::duration<double>(*options_.stall_limit).count();
    if (pending_ || left_out_ || source_.available() == 0)
        return make_error(ErrorKind::system, "wait for", sink_.name(),
                          fmt::format("it gave no frame back for {:g} seconds", seconds));
    return make_error(ErrorKind::system, "wait for", source_.name(),
                      fmt::format("no frame came for {:g} seconds", seconds));
}

Status Pump::report_if_due() {
    const std::chrono::microseconds now = system_.now();
    if (now < next_report_ || asleep_)
        return {};
    // Missed intervals are not made up for.
    next_report_ += options_.report_interval;
    if (next_report_ <= now)
        next_report_ = now + options_.report_interval;
    return listener_.progress(negotiation_.current(), statistics_.interval(now));
}

// The camera stops first, unless the frames that the sink still has lie in its memory, where a loop's writer
// would go on as soon as its reader stops. What the sink still shows or passes on gets a moment to come back.
// Where nobody hurries us, that moment begins anew with each frame that does: a film's last frames are not to
// be lost to a slow reader. A file that still grows is waited for until the second Ctrl-C.
Status Pump::drain() {
    unwatch_source();
    const bool lent = result_.path && result_.path->strategy->memory == Strategy::Memory::source;
    if (!lent)
        source_.stop();
    pending_.reset();
    bool hurried = result_.interrupted;
    const auto longest = [&] {
        return hurried ? std::max(options_.drain_limit, sink_.finish(Ending::hurried))
                       : std::max(options_.patient_drain_limit, sink_.finish(Ending::patient));
    };
    std::chrono::microseconds limit = longest();
    std::chrono::microseconds deadline = system_.now() + limit;
    std::uint64_t headway = sink_.headway();
    const auto is_time = [&] {
        if (system_.now() >= deadline && sink_.headway() != headway) {
            headway = sink_.headway();
            deadline = system_.now() + limit;
        }
        return system_.now() < deadline;
    };
    if (sink_.in_flight() > 0)
        if (Status status = watch_sink(true); !status)
            return status;
    while (sink_.in_flight() > 0 && sink_watched_ && !result_.forced && is_time()) {
        const std::uint32_t before = sink_.in_flight();
        if (Status status = wait(deadline); !status)
            return status;
        hurried = result_.interrupted;
        if (!hurried && sink_.in_flight() < before)
            deadline = system_.now() + limit;
        if (const auto now_longest = longest(); now_longest < limit) { // a film is done, or the user hurries
            limit = now_longest;
            deadline = std::min(deadline, system_.now() + limit);
        }
    }
    if (result_.forced)
        static_cast<void>(sink_.finish(Ending::forced));
    if (sink_.in_flight() > 0)
        spdlog::debug("{} frames were not given back by {} in time", sink_.in_flight(), sink_.name());
    if (lent) { // who still reads there gets no other frames to see
        sink_.stop();
        source_.stop();
    }
    return {};
}

} // namespace v4l2dma
