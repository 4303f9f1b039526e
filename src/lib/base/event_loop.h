// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/system.h"
#include "base/unique_fd.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <span>

namespace v4l2dma {

/// Waits for several fds at once. One thread; borrows the fds, which must be removed before they are closed.
class EventLoop {
public:
    enum class Trigger {
        level, ///< reported while it holds
        edge,  ///< reported when something happened; the handler must take all there is
    };

    [[nodiscard]] static Result<EventLoop> create(System& system = real_system());

    /// @p events: EPOLLIN and so on; EPOLLERR and EPOLLHUP come unasked. @p key comes back from wait().
    [[nodiscard]] Status add(int fd, std::uint32_t events, std::uint32_t key,
                             Trigger trigger = Trigger::level);
    /// Other events for the same fd.
    [[nodiscard]] Status modify(int fd, std::uint32_t events, std::uint32_t key,
                                Trigger trigger = Trigger::level);
    void remove(int fd) noexcept;

    /// Waits for at least one event, at most for @p timeout (endlessly if empty). Fills @p events and answers
    /// how many; 0 after the timeout. A signal that interrupts counts as a timeout.
    [[nodiscard]] Result<std::size_t> wait(std::span<epoll_event> events,
                                           std::optional<std::chrono::microseconds> timeout);

private:
    EventLoop(System& system, UniqueFd fd) noexcept : system_(&system), fd_(std::move(fd)) {}
    Status control(int operation, int fd, std::uint32_t events, std::uint32_t key, Trigger trigger);

    System* system_;
    UniqueFd fd_;
};

/// SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP as an fd, while it lives; later ones do again
/// what they did before.
///
/// Blocks the signals for the calling thread, so threads are to be started after it.
class StopSignals {
public:
    [[nodiscard]] static Result<StopSignals> create();
    StopSignals(StopSignals&& other) noexcept;
    StopSignals& operator=(StopSignals&&) = delete;
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;
    ~StopSignals();

    /// Readable once a signal has come.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// Takes every signal that has come so far and answers how many.
    [[nodiscard]] unsigned take() const noexcept;

private:
    StopSignals(UniqueFd fd, const sigset_t& previous) noexcept : fd_(std::move(fd)), previous_(previous) {}

    UniqueFd fd_;
    sigset_t previous_;
};

} // namespace v4l2dma
