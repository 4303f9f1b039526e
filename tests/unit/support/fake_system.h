// SPDX-License-Identifier: MIT
#pragma once

#include "base/system.h"
#include "support/fake_allocator.h"
#include "support/fake_device.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma::testing {

/// A kernel with FakeDevices that fails where it is told to, and a clock that moves only while somebody
/// waits.
class FakeSystem : public System {
public:
    /// Device numbers follow the order of adding.
    FakeDevice& add(std::string path, BufferType side);

    /// A node that makes dma-bufs: see FakeAllocator for the paths.
    FakeAllocator& add_allocator(std::string path);

    /// One call that somebody made.
    struct Call {
        std::string object; ///< the device's path; empty for epoll
        std::string name;   ///< "open", "QBUF", "REQBUFS(0)", "DMA_BUF_IOCTL_SYNC", "epoll_wait"
        int failed = 0;     ///< the errno that was injected
    };
    [[nodiscard]] const std::vector<Call>& calls() const noexcept { return calls_; }
    /// The calls with these names, in order: "STREAMOFF REQBUFS(0)".
    [[nodiscard]] std::string calls_named(std::initializer_list<std::string_view> names,
                                          std::string_view object = {}) const;
    [[nodiscard]] std::size_t count(std::string_view name, std::string_view object = {}) const;

    /// The call at this position of calls() fails.
    void fail_at(std::size_t position, int code) {
        failures_.push_back({.position = position, .code = code});
    }
    /// The @p nth call (from 0) with this name fails, on @p object if given.
    void fail(std::string_view name, int code, unsigned nth = 0, std::string_view object = {}) {
        failures_.push_back(
            {.name = std::string(name), .object = std::string(object), .left = nth, .code = code});
    }
    /// The call that failed as told; null if none was reached.
    [[nodiscard]] const Call* failed_call() const noexcept;

    /// fds, mappings and handles of fake memory that nobody has given back, except the devices' own.
    [[nodiscard]] std::size_t leaks() const;
    /// Of all devices.
    [[nodiscard]] std::vector<std::string> violations() const;

    /// Runs in each epoll_wait() before it looks what is ready.
    std::function<void()> on_wait;
    /// What epoll finds on an fd that is not a device's; without it the real fd is asked.
    std::map<int, std::function<std::uint32_t()>> ready;
    std::chrono::microseconds time{std::chrono::seconds(2)};
    /// MemAvailable, bytes.
    std::optional<std::uint64_t> available;
    /// A wait that nothing can end, or this many of them, is an error of the test's subject.
    std::size_t most_waits = 2000;
    /// The timeout of the last wait, -1 for an endless one.
    int last_timeout_ms = 0;

    int open(const char* path, int flags) override;
    int ioctl(int fd, unsigned long request, void* argument) override;
    int fstat(int fd, struct stat& result) override;
    ssize_t read(int fd, std::span<std::byte> bytes) override;
    ssize_t write(int fd, std::span<const std::byte> bytes) override;
    std::expected<std::byte*, int> mmap(int fd, std::size_t length, int protection, off_t offset) override;
    int epoll_create() override;
    int epoll_control(int epoll_fd, int operation, int fd, epoll_event& event) override;
    int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) override;
    std::chrono::microseconds now() override { return time; }
    std::vector<std::string> video_nodes() override;
    std::optional<unsigned> video_node_index(dev_t number) override;
    std::expected<std::byte*, int> mmap_anonymous(std::size_t length) override;
    int memfd_create(const char* name, unsigned flags) override;
    int ftruncate(int fd, off_t length) override;
    int add_seals(int fd, int seals) override;
    std::vector<std::string> list_folder(const std::string& path) override;
    std::optional<std::uint64_t> available_memory() override { return available; }

    /// DMA_BUF_IOCTL_SYNC starts less ends: 0 when nobody looks.
    int cpu_accesses = 0;
    /// The flags of every DMA_BUF_IOCTL_SYNC, in order.
    std::vector<std::uint64_t> sync_flags;

private:
    struct Failure {
        std::optional<std::size_t> position{};
        std::string name{};
        std::string object{};
        unsigned left = 0;
        int code = 0;
        bool done = false;
    };
    /// Notes the call; answers the errno to fail with, 0 to go on.
    int note(std::string_view name, std::string_view object);
    [[nodiscard]] FakeDevice* device_of(int fd) const;
    [[nodiscard]] FakeAllocator* allocator_of(int fd, unsigned long request) const;
    int sync(const void* argument, int code);
    [[nodiscard]] std::uint32_t events_of(int fd) const;

    std::vector<std::unique_ptr<FakeDevice>> devices_;
    std::map<int, FakeDevice*> open_;
    std::vector<std::unique_ptr<FakeAllocator>> allocators_;
    std::map<int, FakeAllocator*> open_allocators_;
    std::map<int, std::map<int, epoll_event>> watched_; ///< by epoll fd, then fd
    std::vector<Call> calls_;
    std::vector<Failure> failures_;
    std::size_t waits_ = 0;
};

} // namespace v4l2dma::testing
