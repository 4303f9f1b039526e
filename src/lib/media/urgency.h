// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

namespace v4l2dma {

/// How much longer whoever writes a file may take to end it. Said by the thread that wants the end, heard by
/// the one that writes, also while that sleeps in poll(). Any thread, but for reset().
class Urgency {
public:
    /// Errors: those of eventfd().
    [[nodiscard]] static Result<Urgency> create();

    /// The end is near: nobody waits for a slow reader any more.
    void hurry() noexcept { set(hurry_fd_); }
    /// What has not been written by now is left out.
    void give_up() noexcept { set(give_up_fd_); }
    /// There is time again, for another file. While nobody listens.
    void reset() noexcept;

    [[nodiscard]] bool hurried() const noexcept { return is_set(hurry_fd_); }
    [[nodiscard]] bool given_up() const noexcept { return is_set(give_up_fd_); }
    /// Readable once it was said; borrowed.
    [[nodiscard]] int hurry_fd() const noexcept { return hurry_fd_.get(); }
    [[nodiscard]] int give_up_fd() const noexcept { return give_up_fd_.get(); }

private:
    Urgency(UniqueFd hurry_fd, UniqueFd give_up_fd)
        : hurry_fd_(std::move(hurry_fd)), give_up_fd_(std::move(give_up_fd)) {}
    static void set(const UniqueFd& fd) noexcept;
    [[nodiscard]] static bool is_set(const UniqueFd& fd) noexcept;

    UniqueFd hurry_fd_;
    UniqueFd give_up_fd_;
};

} // namespace v4l2dma
