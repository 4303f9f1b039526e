// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <csignal>

namespace v4l2dma {

/// Whether waiting for a file or peer shall end: because somebody said so, or because the process was asked
/// to stop (StopSignals blocks its signals: they stay pending until it takes them). Any thread.
class Interrupt {
public:
    void request() noexcept { requested_ = true; }
    void reset() noexcept { requested_ = false; }

    [[nodiscard]] bool pending() const noexcept {
        if (requested_)
            return true;
        sigset_t signals;
        return ::sigpending(&signals) == 0 &&
               (::sigismember(&signals, SIGINT) == 1 || ::sigismember(&signals, SIGTERM) == 1);
    }

private:
    std::atomic<bool> requested_ = false;
};

} // namespace v4l2dma
