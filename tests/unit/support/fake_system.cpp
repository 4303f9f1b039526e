// SPDX-License-Identifier: MIT
#include "support/fake_system.h"

#include "support/ioctl_names.h"

#include <algorithm>
#include <cerrno>
#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/sysmacros.h>

namespace v4l2dma::testing {

namespace {

constexpr unsigned video_major = 81;

std::string name_of(unsigned long request, const void* argument) {
    switch (request) {
    case VIDIOC_QUERYCAP:
        return "QUERYCAP";
    case VIDIOC_G_FMT:
        return "G_FMT";
    case VIDIOC_S_FMT:
        return "S_FMT";
    case VIDIOC_TRY_FMT:
        return "TRY_FMT";
    case VIDIOC_ENUM_FMT:
        return "ENUM_FMT";
    case VIDIOC_REQBUFS:
        return static_cast<const v4l2_requestbuffers*>(argument)->count == 0 ? "REQBUFS(0)" : "REQBUFS";
    case VIDIOC_QUERYBUF:
        return "QUERYBUF";
    case VIDIOC_QBUF:
        return "QBUF";
    case VIDIOC_DQBUF:
        return "DQBUF";
    case VIDIOC_EXPBUF:
        return "EXPBUF";
    case VIDIOC_STREAMON:
        return "STREAMON";
    case VIDIOC_STREAMOFF:
        return "STREAMOFF";
    case DMA_BUF_IOCTL_SYNC:
        return "DMA_BUF_IOCTL_SYNC";
    default:
        if (const char* name = FakeAllocator::name_of(request); name != nullptr)
            return name;
        return name_of_other(request);
    }
}

} // namespace

FakeDevice& FakeSystem::add(std::string path, BufferType side) {
    return *devices_.emplace_back(std::make_unique<FakeDevice>(std::move(path), side));
}

FakeAllocator& FakeSystem::add_allocator(std::string path) {
    return *allocators_.emplace_back(std::make_unique<FakeAllocator>(std::move(path)));
}

std::string FakeSystem::calls_named(std::initializer_list<std::string_view> names,
                                    std::string_view object) const {
    std::string text;
    for (const Call& call : calls_)
        if (std::ranges::count(names, call.name) > 0 && (object.empty() || call.object == object))
            text += (text.empty() ? "" : " ") + call.name;
    return text;
}

std::size_t FakeSystem::count(std::string_view name, std::string_view object) const {
    return static_cast<std::size_t>(std::ranges::count_if(calls_, [&](const Call& call) {
        return call.name == name && (object.empty() || call.object == object);
    }));
}

const FakeSystem::Call* FakeSystem::failed_call() const noexcept {
    const auto found = std::ranges::find_if(calls_, [](const Call& call) { return call.failed != 0; });
    return found == calls_.end() ? nullptr : &*found;
}

std::size_t FakeSystem::leaks() const {
    std::size_t own = 0;
    for (const auto& device : devices_)
        own += device->own_fds();
    std::size_t handles = 0;
    for (const auto& allocator : allocators_)
        handles += allocator->handles();
    return open_fake_fds() - own + fake_mappings() + handles;
}

std::vector<std::string> FakeSystem::violations() const {
    std::vector<std::string> all;
    for (const auto& device : devices_)
        for (const std::string& violation : device->violations())
            all.push_back(device->path + ": " + violation);
    for (const auto& allocator : allocators_)
        for (const std::string& violation : allocator->violations())
            all.push_back(allocator->path + ": " + violation);
    return all;
}

int FakeSystem::note(std::string_view name, std::string_view object) {
    Call& call = calls_.emplace_back(Call{.object = std::string(object), .name = std::string(name)});
    for (Failure& failure : failures_) {
        const bool meant = failure.position
                               ? *failure.position == calls_.size() - 1
                               : failure.name == name && (failure.object.empty() || failure.object == object);
        if (failure.done || !meant || (failure.left > 0 && failure.left-- > 0))
            continue;
        failure.done = true;
        call.failed = failure.code;
        break;
    }
    return call.failed;
}

FakeDevice* FakeSystem::device_of(int fd) const {
    const auto found = open_.find(fd);
    return found == open_.end() ? nullptr : found->second;
}

FakeAllocator* FakeSystem::allocator_of(int fd, unsigned long request) const {
    const auto found = open_allocators_.find(fd);
    return FakeAllocator::name_of(request) != nullptr && found != open_allocators_.end() ? found->second
                                                                                         : nullptr;
}

int FakeSystem::open(const char* path, int /*flags*/) {
    if (const int code = note("open", path); code != 0)
        return -code;
    const auto path_of = [](const auto& node) { return node->path; };
    const auto found = std::ranges::find(devices_, path, path_of);
    const auto allocator = std::ranges::find(allocators_, path, path_of);
    if (found == devices_.end() && allocator == allocators_.end())
        return -ENOENT;
    const int fd = fake_memory(0).release();
    // The number may have been another node's, closed meanwhile.
    open_.erase(fd);
    open_allocators_.erase(fd);
    if (found == devices_.end()) {
        open_allocators_[fd] = allocator->get();
        return fd;
    }
    open_[fd] = found->get();
    (*found)->opened();
    return fd;
}

ssize_t FakeSystem::read(int fd, std::span<std::byte> bytes) {
    FakeDevice* const device = device_of(fd);
    if (const int code = note("read", device != nullptr ? device->path : ""); code != 0)
        return -code;
    return device != nullptr ? device->read(bytes) : -EBADF;
}

ssize_t FakeSystem::write(int fd, std::span<const std::byte> bytes) {
    FakeDevice* const device = device_of(fd);
    if (const int code = note("write", device != nullptr ? device->path : ""); code != 0)
        return -code;
    return device != nullptr ? device->write(bytes) : -EBADF;
}

int FakeSystem::ioctl(int fd, unsigned long request, void* argument) {
    // An fd on a dma-buf may have the number of a device that was closed meanwhile.
    FakeDevice* const device = request == DMA_BUF_IOCTL_SYNC ? nullptr : device_of(fd);
    FakeAllocator* const allocator = allocator_of(fd, request);
    const std::string object = allocator != nullptr ? allocator->path : device != nullptr ? device->path : "";
    const int code = note(name_of(request, argument), object);
    if (request == DMA_BUF_IOCTL_SYNC)
        return sync(argument, code);
    if (code != 0)
        return -code;
    if (allocator != nullptr)
        return allocator->ioctl(request, argument);
    return device != nullptr ? device->ioctl(request, argument) : -ENOTTY;
}

// An end that fails is an end nevertheless: nobody could do anything more.
int FakeSystem::sync(const void* argument, int code) {
    const auto& request = *static_cast<const dma_buf_sync*>(argument);
    sync_flags.push_back(request.flags);
    if ((request.flags & DMA_BUF_SYNC_END) != 0)
        --cpu_accesses;
    else if (code == 0)
        ++cpu_accesses;
    return -code;
}

int FakeSystem::fstat(int fd, struct stat& result) {
    if (const int code = note("fstat", ""); code != 0)
        return -code;
    const int answer = System::fstat(fd, result);
    const FakeDevice* const device = device_of(fd);
    const auto found = std::ranges::find(devices_, device, [](const auto& entry) { return entry.get(); });
    if (answer >= 0 && result.st_size == 0 && found != devices_.end())
        result.st_rdev = makedev(video_major, static_cast<unsigned>(found - devices_.begin()));
    return answer;
}

std::expected<std::byte*, int> FakeSystem::mmap(int fd, std::size_t length, int protection, off_t offset) {
    const FakeDevice* device = device_of(fd);
    // A dma-buf may have the number of a closed device; only a device's own fd is empty.
    struct stat status {};
    if (System::fstat(fd, status) >= 0 && status.st_size > 0)
        device = nullptr;
    if (const int code = note("mmap", device != nullptr ? device->path : ""); code != 0)
        return std::unexpected(code);
    if (device == nullptr)
        return System::mmap(fd, length, protection, offset);
    const UniqueFd* const memory = device->memory_at(offset);
    return memory != nullptr ? System::mmap(memory->get(), length, protection, 0) : std::unexpected(EINVAL);
}

int FakeSystem::epoll_create() {
    if (const int code = note("epoll_create", ""); code != 0)
        return -code;
    const int fd = System::epoll_create();
    watched_.erase(fd); // of one that was closed
    return fd;
}

int FakeSystem::epoll_control(int epoll_fd, int operation, int fd, epoll_event& event) {
    // Taking out what is there fails for nobody.
    const int code = operation == EPOLL_CTL_DEL ? 0 : note("epoll_ctl", "");
    if (code != 0)
        return -code;
    if (fd < 0)
        return -EBADF;
    std::map<int, epoll_event>& watched = watched_[epoll_fd];
    const bool known = watched.contains(fd);
    if (known == (operation == EPOLL_CTL_ADD))
        return known ? -EEXIST : -ENOENT;
    if (operation == EPOLL_CTL_DEL)
        watched.erase(fd);
    else
        watched[fd] = event;
    return 0;
}

std::uint32_t FakeSystem::events_of(int fd) const {
    if (const auto scripted = ready.find(fd); scripted != ready.end())
        return scripted->second();
    if (FakeDevice* const device = device_of(fd); device != nullptr)
        return device->poll();
    pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, 0) > 0 ? static_cast<std::uint32_t>(asked.revents) : 0;
}

int FakeSystem::epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) {
    last_timeout_ms = timeout_ms;
    if (++waits_ > most_waits)
        throw std::runtime_error("waits without end");
    if (const int code = note("epoll_wait", ""); code != 0)
        return -code;
    if (on_wait)
        on_wait();
    int count = 0;
    for (const auto& [fd, watched] : watched_[epoll_fd]) {
        const std::uint32_t happened = events_of(fd) & (watched.events | EPOLLERR | EPOLLHUP);
        if (happened == 0 || count == capacity)
            continue;
        events[count] = watched;
        events[count].events = happened;
        ++count;
    }
    if (count == 0 && timeout_ms < 0)
        throw std::runtime_error("waits without end for nothing");
    if (count == 0)
        time += std::chrono::milliseconds(timeout_ms);
    return count;
}

std::vector<std::string> FakeSystem::video_nodes() {
    std::vector<std::string> nodes;
    for (const auto& device : devices_)
        nodes.push_back(device->path);
    return nodes;
}

std::optional<unsigned> FakeSystem::video_node_index(dev_t number) {
    return minor(number) < devices_.size() ? devices_[minor(number)]->kernel_index : std::nullopt;
}

std::expected<std::byte*, int> FakeSystem::mmap_anonymous(std::size_t length) {
    if (const int code = note("mmap_anonymous", ""); code != 0)
        return std::unexpected(code);
    // Of a file that is counted.
    return System::mmap(fake_memory(length).get(), length, PROT_READ | PROT_WRITE, 0);
}

int FakeSystem::memfd_create(const char* /*name*/, unsigned flags) {
    if (const int code = note("memfd_create", ""); code != 0)
        return -code;
    // Only the flags that every kernel knows, under the name that is counted.
    return System::memfd_create(fake_memory_name, flags & (MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int FakeSystem::ftruncate(int fd, off_t length) {
    const int code = note("ftruncate", "");
    return code != 0 ? -code : System::ftruncate(fd, length);
}

int FakeSystem::add_seals(int fd, int seals) {
    const int code = note("F_ADD_SEALS", "");
    return code != 0 ? -code : System::add_seals(fd, seals);
}

std::vector<std::string> FakeSystem::list_folder(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& allocator : allocators_)
        if (const auto slash = allocator->path.rfind('/'); allocator->path.substr(0, slash) == path)
            names.push_back(allocator->path.substr(slash + 1));
    std::ranges::sort(names);
    return names;
}

} // namespace v4l2dma::testing
