// SPDX-License-Identifier: MIT
// Faults put into a system call, one after the other: each allocation and each access to the caller's memory
// that the kernel makes in it fails once. Needs a kernel with CONFIG_FAILSLAB and its like, set up by
// cases/85-faults.sh.
#pragma once

#include "client.h"
#include "control.h"

#include <cerrno>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <utility>
#include <vector>

/// A file descriptor, closed with this.
class Fd {
public:
    explicit Fd(int fd = -1) : fd_(fd) {}
    ~Fd();
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

/// Each further buffer would meet the same faults again, and this is slow.
inline constexpr unsigned few_buffers = 2;

/// A loop with small frames, on which the operations are tried.
class TestedLoop : public AddedLoop {
public:
    explicit TestedLoop(v4l2dma_loop_config config = any_loop());

    [[nodiscard]] bool planar() const { return planar_; }
    [[nodiscard]] v4l2_buf_type in() const { return planar_ ? planar_output : output; }
    [[nodiscard]] v4l2_buf_type out() const { return planar_ ? planar_capture : capture; }
    [[nodiscard]] std::unique_ptr<Client> open_writer() const;
    [[nodiscard]] std::unique_ptr<Client> open_reader() const;
    void set_format(const Client& writer, std::uint32_t height = 48) const;
    void set_timeout(std::uint32_t milliseconds) const;

    /// Nobody has it open, and it keeps nothing.
    void check_idle() const;
    /// Frames go through it whole, uncopied, and counted.
    void check_works() const;

private:
    bool planar_;
    bool silent_; ///< shows a picture of its own
};

/// What run() says where a frame could not be shown, and is marked for that.
inline constexpr int lost = -1;
/// What run() says where success was none.
inline constexpr int wrong = -2;

/// A system call, with the state that it needs.
struct Call {
    std::function<int()> run; ///< 0, the errno, or one of the above; may be called again after it failed
    std::function<void()> check = [] {}; ///< what came of it, when it has succeeded
};

/// A way to use the module.
struct Operation {
    std::string name;
    std::function<Call()> prepare;           ///< a state of its own for each fault
    std::set<int> errors = {ENOMEM, EFAULT}; ///< what a fault may end in, besides success
    /// Which error may be followed by which when it is called again: where only the answer was lost, it is
    /// done.
    std::set<std::pair<int, int>> again = {};
    bool has_faults = true; ///< false: there may be nothing in it that can fail
    unsigned dense =
        ~0U; ///< after so many faults only every fiftieth is made: where one is printed at length
};

/// Makes each fault in each operation, until there is none left, and sees that the loop is as it was. Prints
/// how many there were and how many made the operation fail.
void step_through(const TestedLoop& loop, const std::vector<Operation>& operations);

/// An ioctl of @p fd, with a new copy of the request each time.
template <typename Request> std::function<int()> ask(int fd, unsigned long what, const Request& request) {
    return [=] {
        Request copy = request;
        return ::ioctl(fd, what, &copy) < 0 ? errno : 0;
    };
}
