// SPDX-License-Identifier: MIT
#include "support/fake_allocator.h"

#include "support/fake_device.h"

#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma::testing {

namespace {

constexpr std::size_t page = 4096;

std::size_t whole_pages(std::size_t bytes) {
    return (bytes + page - 1) / page * page;
}

bool is_close_on_exec_and_writable(std::uint32_t flags) {
    return (flags & O_CLOEXEC) != 0 && (flags & O_ACCMODE) == O_RDWR;
}

} // namespace

const char* FakeAllocator::name_of(unsigned long request) {
    switch (request) {
    case DMA_HEAP_IOCTL_ALLOC:
        return "DMA_HEAP_IOCTL_ALLOC";
    case UDMABUF_CREATE:
        return "UDMABUF_CREATE";
    case DRM_IOCTL_DROP_MASTER:
        return "DROP_MASTER";
    case DRM_IOCTL_MODE_CREATE_DUMB:
        return "CREATE_DUMB";
    case DRM_IOCTL_PRIME_HANDLE_TO_FD:
        return "PRIME_HANDLE_TO_FD";
    case DRM_IOCTL_MODE_DESTROY_DUMB:
        return "DESTROY_DUMB";
    default:
        return nullptr;
    }
}

int FakeAllocator::ioctl(unsigned long request, void* argument) {
    if (path.starts_with("/dev/dma_heap/") && request == DMA_HEAP_IOCTL_ALLOC)
        return allocate_from_heap(*static_cast<dma_heap_allocation_data*>(argument));
    if (path == "/dev/udmabuf" && request == UDMABUF_CREATE)
        return create_udmabuf(*static_cast<udmabuf_create*>(argument));
    if (!path.starts_with("/dev/dri/card"))
        return -ENOTTY;
    switch (request) {
    case DRM_IOCTL_DROP_MASTER:
        return std::exchange(master_, false) ? 0 : -EINVAL;
    case DRM_IOCTL_MODE_CREATE_DUMB:
        return create_dumb(*static_cast<drm_mode_create_dumb*>(argument));
    case DRM_IOCTL_PRIME_HANDLE_TO_FD:
        return export_handle(*static_cast<drm_prime_handle*>(argument));
    case DRM_IOCTL_MODE_DESTROY_DUMB:
        return destroy_dumb(static_cast<drm_mode_destroy_dumb*>(argument)->handle);
    default:
        return -ENOTTY;
    }
}

int FakeAllocator::make(std::size_t bytes) const {
    return fake_memory(bytes - missing_bytes).release();
}

int FakeAllocator::allocate_from_heap(dma_heap_allocation_data& request) {
    if (request.fd != 0 || request.len == 0 || request.heap_flags != 0)
        return -EINVAL;
    if (!is_close_on_exec_and_writable(request.fd_flags))
        violations_.emplace_back("a dma-buf that is inherited or read-only");
    request.fd = static_cast<std::uint32_t>(make(whole_pages(request.len)));
    return 0;
}

int FakeAllocator::create_udmabuf(const udmabuf_create& request) {
    const int memory = static_cast<int>(request.memfd);
    const int seals = ::fcntl(memory, F_GET_SEALS);
    struct stat status {};
    if (seals < 0 || ::fstat(memory, &status) != 0)
        return -EBADFD;
    if ((seals & F_SEAL_SHRINK) == 0 || (seals & F_SEAL_WRITE) != 0 || request.size % page != 0 ||
        request.size == 0 || request.size > size_limit)
        return -EINVAL;
    if (request.offset + request.size > static_cast<std::uint64_t>(status.st_size))
        return -EINVAL;
    if ((request.flags & UDMABUF_FLAGS_CLOEXEC) == 0)
        violations_.emplace_back("a dma-buf that is inherited");
    return make(request.size);
}

int FakeAllocator::create_dumb(drm_mode_create_dumb& request) {
    if (!has_dumb_buffers)
        return -ENOSYS;
    const std::uint64_t pitch = std::uint64_t{request.width} * request.bpp / 8;
    // As virtio-gpu, which has one format only.
    if (request.bpp != 32 || pitch == 0 || request.height == 0 ||
        request.height > std::numeric_limits<std::uint32_t>::max() / pitch)
        return -EINVAL;
    request.handle = next_handle_++;
    request.pitch = static_cast<std::uint32_t>(pitch);
    request.size = whole_pages(pitch * request.height);
    dumb_size_ = request.size;
    handles_.insert(request.handle);
    return 0;
}

int FakeAllocator::export_handle(drm_prime_handle& request) {
    if (!handles_.contains(request.handle))
        return -ENOENT;
    if (!is_close_on_exec_and_writable(request.flags))
        violations_.emplace_back("a dma-buf that is inherited or read-only");
    request.fd = make(dumb_size_);
    return 0;
}

int FakeAllocator::destroy_dumb(std::uint32_t handle) {
    if (handles_.erase(handle) == 1)
        return 0;
    violations_.emplace_back("a handle is destroyed that is none");
    return -EINVAL;
}

} // namespace v4l2dma::testing
