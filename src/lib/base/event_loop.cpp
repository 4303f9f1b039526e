// SPDX-License-Identifier: MIT
#include "base/event_loop.h"

#include <algorithm>
#include <limits>
#include <sys/signalfd.h>

namespace v4l2dma {

Result<EventLoop> EventLoop::create(System& system) {
    const int fd = system.epoll_create();
    if (fd < 0)
        return system_error("epoll_create", "", -fd);
    return EventLoop(system, UniqueFd(fd));
}

Status EventLoop::control(int operation, int fd, std::uint32_t events, std::uint32_t key, Trigger trigger) {
    epoll_event event{};
    event.events = events | (trigger == Trigger::edge ? static_cast<std::uint32_t>(EPOLLET) : 0U);
    event.data.u32 = key;
    if (const int result = system_->epoll_control(fd_.get(), operation, fd, event); result < 0)
        return system_error("epoll_ctl", "", -result);
    return {};
}

Status EventLoop::add(int fd, std::uint32_t events, std::uint32_t key, Trigger trigger) {
    return control(EPOLL_CTL_ADD, fd, events, key, trigger);
}

Status EventLoop::modify(int fd, std::uint32_t events, std::uint32_t key, Trigger trigger) {
    return control(EPOLL_CTL_MOD, fd, events, key, trigger);
}

// Fails only if it is not there, which is what was wanted.
void EventLoop::remove(int fd) noexcept {
    static_cast<void>(control(EPOLL_CTL_DEL, fd, 0, 0, Trigger::level));
}

Result<std::size_t> EventLoop::wait(std::span<epoll_event> events,
                                    std::optional<std::chrono::microseconds> timeout) {
    int milliseconds = -1;
    if (timeout) {
        // Rounded up: a wait that ends just before its deadline would be repeated without waiting.
        const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*timeout).count();
        milliseconds =
            static_cast<int>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<int>::max()));
    }
    const int result =
        system_->epoll_wait(fd_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
    if (result == -EINTR)
        return std::size_t{0};
    if (result < 0)
        return system_error("epoll_wait", "", -result);
    return static_cast<std::size_t>(result);
}

Result<StopSignals> StopSignals::create() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    struct sigaction on_hangup {};
    if (::sigaction(SIGHUP, nullptr, &on_hangup) == 0 && on_hangup.sa_handler != SIG_IGN)
        sigaddset(&signals, SIGHUP); // the terminal is gone; under nohup it would be heard if it were blocked
    UniqueFd fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd)
        return system_error("signalfd", "");
    sigset_t previous;
    if (const int code = ::pthread_sigmask(SIG_BLOCK, &signals, &previous); code != 0)
        return system_error("sigmask", "", code);
    return StopSignals(std::move(fd), previous);
}

StopSignals::StopSignals(StopSignals&& other) noexcept
    : fd_(std::move(other.fd_)), previous_(other.previous_) {}

StopSignals::~StopSignals() {
    if (!fd_)
        return;
    static_cast<void>(take()); // one more than was needed is not to kill who has done all already
    ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

unsigned StopSignals::take() const noexcept {
    unsigned count = 0;
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        ++count;
    return count;
}

} // namespace v4l2dma
