// SPDX-License-Identifier: MIT
#include "base/system.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

int answer(int result) {
    return result < 0 ? -errno : result;
}

} // namespace

int System::open(const char* path, int flags) {
    return answer(::open(path, flags));
}

int System::ioctl(int fd, unsigned long request, void* argument) {
    int result = 0;
    do {
        result = ::ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return answer(result);
}

ssize_t System::read(int fd, std::span<std::byte> bytes) {
    ssize_t result = 0;
    do {
        result = ::read(fd, bytes.data(), bytes.size());
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

ssize_t System::write(int fd, std::span<const std::byte> bytes) {
    ssize_t result = 0;
    do {
        result = ::write(fd, bytes.data(), bytes.size());
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

int System::fstat(int fd, struct stat& result) {
    return answer(::fstat(fd, &result));
}

std::expected<std::byte*, int> System::mmap(int fd, std::size_t length, int protection, off_t offset) {
    void* address = ::mmap(nullptr, length, protection, MAP_SHARED, fd, offset);
    if (address == MAP_FAILED)
        return std::unexpected(errno);
    return static_cast<std::byte*>(address);
}

int System::epoll_create() {
    return answer(::epoll_create1(EPOLL_CLOEXEC));
}

int System::epoll_control(int epoll_fd, int operation, int fd, epoll_event& event) {
    return answer(::epoll_ctl(epoll_fd, operation, fd, &event));
}

int System::epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) {
    return answer(::epoll_wait(epoll_fd, events, capacity, timeout_ms));
}

std::chrono::microseconds System::now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::chrono::seconds(time.tv_sec) +
           std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(time.tv_nsec));
}

std::vector<std::string> System::video_nodes() {
    constexpr std::string_view prefix = "video";
    std::vector<unsigned> numbers;
    std::error_code ignored; // no /dev, no nodes
    for (const auto& entry : std::filesystem::directory_iterator("/dev", ignored)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix) || name.size() == prefix.size())
            continue;
        unsigned number = 0;
        const char* end = name.data() + name.size();
        const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, number);
        if (error == std::errc() && rest == end)
            numbers.push_back(number);
    }
    std::ranges::sort(numbers);
    std::vector<std::string> nodes;
    for (const unsigned number : numbers)
        nodes.push_back("/dev/video" + std::to_string(number));
    return nodes;
}

std::optional<unsigned> System::video_node_index(dev_t number) {
    std::ifstream file("/sys/dev/char/" + std::to_string(::major(number)) + ":" +
                       std::to_string(::minor(number)) + "/index");
    unsigned index = 0;
    return file >> index ? std::optional(index) : std::nullopt;
}

std::expected<std::byte*, int> System::mmap_anonymous(std::size_t length) {
    void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED)
        return std::unexpected(errno);
    return static_cast<std::byte*>(address);
}

int System::memfd_create(const char* name, unsigned flags) {
    return answer(::memfd_create(name, flags));
}

int System::ftruncate(int fd, off_t length) {
    int result = 0;
    do {
        result = ::ftruncate(fd, length);
    } while (result < 0 && errno == EINTR);
    return answer(result);
}

int System::add_seals(int fd, int seals) {
    return answer(::fcntl(fd, F_ADD_SEALS, seals));
}

std::vector<std::string> System::list_folder(const std::string& path) {
    std::vector<std::string> names;
    std::error_code ignored; // what cannot be read, has none
    for (std::filesystem::directory_iterator entry(path, ignored), end; !ignored && entry != end;
         entry.increment(ignored))
        names.push_back(entry->path().filename().string());
    std::ranges::sort(names);
    return names;
}

std::optional<std::uint64_t> System::available_memory() {
    std::ifstream file("/proc/meminfo"); // "MemAvailable:    1234 kB"
    std::string name;
    for (std::uint64_t kilobytes = 0; file >> name >> kilobytes;) {
        if (name == "MemAvailable:")
            return kilobytes * 1024;
        std::getline(file, name);
    }
    return std::nullopt;
}

System& real_system() {
    static System system; // has no state
    return system;
}

} // namespace v4l2dma
