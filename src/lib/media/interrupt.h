// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>

namespace v4l2dma {

/// Whether the process was asked to stop, and nobody has heard of it yet: StopSignals blocks its signals, and
/// they stay pending until it takes them.
[[nodiscard]] inline bool stop_is_pending() noexcept {
    sigset_t signals;
    return ::sigpending(&signals) == 0 &&
           (::sigismember(&signals, SIGINT) == 1 || ::sigismember(&signals, SIGTERM) == 1 ||
            ::sigismember(&signals, SIGHUP) == 1);
}

/// Whether waiting for a file or peer shall end: because somebody said so, because it took too long, or
/// because the process was asked to stop. Any thread, but for set_deadline().
class Interrupt {
public:
    void request() noexcept { requested_ = true; }
    void reset() noexcept { requested_ = false; }

    /// When it is pending by itself; empty: never. While nobody waits.
    void set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) noexcept {
        deadline_ = deadline;
    }
    [[nodiscard]] bool expired() const noexcept {
        return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
    }

    [[nodiscard]] bool pending() const noexcept { return requested_ || expired() || stop_is_pending(); }

private:
    std::atomic<bool> requested_ = false;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
};

} // namespace v4l2dma
