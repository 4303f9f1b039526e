// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <vector>

namespace v4l2dma {

/// The narrow seam to the kernel: every system call that a device can make fail goes through here, so that a
/// test can replace it and let it fail.
///
/// Calls answer like the kernel does inside: >= 0 for success, -errno for failure. What they hand out is real
/// (closing an fd and unmapping need no seam; a replacement hands out memfds and anonymous mappings).
/// Thread-safe: the real one has no state.
class System {
public:
    System() = default;
    System(const System&) = delete;
    System& operator=(const System&) = delete;
    virtual ~System() = default;

    virtual int open(const char* path, int flags);
    /// Retries when a signal interrupts the call.
    virtual int ioctl(int fd, unsigned long request, void* argument);
    virtual int fstat(int fd, struct stat& result);
    /// Both retry when a signal interrupts the call.
    virtual ssize_t read(int fd, std::span<std::byte> bytes);
    virtual ssize_t write(int fd, std::span<const std::byte> bytes);
    /// A shared mapping; the error is an errno value.
    virtual std::expected<std::byte*, int> mmap(int fd, std::size_t length, int protection, off_t offset);
    virtual int epoll_create();
    virtual int epoll_control(int epoll_fd, int operation, int fd, epoll_event& event);
    /// @p timeout_ms < 0 waits without end. Retries nothing: -EINTR is an answer.
    virtual int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms);
    /// CLOCK_MONOTONIC, the clock of most drivers' timestamps.
    [[nodiscard]] virtual std::chrono::microseconds now();
    /// Every /dev/videoN there is, ordered by number.
    [[nodiscard]] virtual std::vector<std::string> video_nodes();
    /// Of a video node, by its device number: which it is of its device's nodes, as the kernel counts them;
    /// empty if nobody knows. Needs no right to open it.
    [[nodiscard]] virtual std::optional<unsigned> video_node_index(dev_t number);
    /// Private zeroed memory to read and write; the error is an errno value.
    virtual std::expected<std::byte*, int> mmap_anonymous(std::size_t length);
    virtual int memfd_create(const char* name, unsigned flags);
    /// Retries when a signal interrupts the call.
    virtual int ftruncate(int fd, off_t length);
    /// F_ADD_SEALS.
    virtual int add_seals(int fd, int seals);
    /// The names in a folder, sorted; none if it cannot be read.
    [[nodiscard]] virtual std::vector<std::string> list_folder(const std::string& path);
    /// Bytes that can be had without swapping (MemAvailable of /proc/meminfo); empty if nobody knows.
    [[nodiscard]] virtual std::optional<std::uint64_t> available_memory();
};

/// The kernel itself.
[[nodiscard]] System& real_system();

} // namespace v4l2dma
