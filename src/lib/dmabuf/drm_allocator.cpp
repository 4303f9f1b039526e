// SPDX-License-Identifier: MIT
#include "dmabuf/allocator_kinds.h"

#include <drm.h>
#include <fcntl.h>
#include <limits>

namespace v4l2dma {

namespace {

// A buffer of N bytes is a picture of that many rows: 32 bits a pixel, because some drivers (virtio-gpu) have
// no other dumb buffers, and 4096 pixels, which is a multiple of every driver's alignment and keeps the rows
// few enough for those that limit them.
constexpr std::uint32_t bits_per_pixel = 32;
constexpr std::uint32_t width = 4096;
constexpr std::size_t row_bytes = std::size_t{width} * bits_per_pixel / 8;

class DrmAllocator final : public DmabufAllocator {
public:
    explicit DrmAllocator(Node node) : DmabufAllocator(std::move(node)) {
        // Whoever opens a card that nobody shows anything on becomes its master, and would keep those out
        // that want to. An error says that somebody else is.
        system().ioctl(fd(), DRM_IOCTL_DROP_MASTER, nullptr);
    }

private:
    [[nodiscard]] Result<UniqueFd> create(std::size_t bytes) const override;
};

/// A dumb buffer by its handle, which the exported dma-buf does not need.
class DumbHandle {
public:
    DumbHandle(System& system, int fd, std::uint32_t handle) noexcept
        : system_(system), fd_(fd), handle_(handle) {}
    DumbHandle(const DumbHandle&) = delete;
    DumbHandle& operator=(const DumbHandle&) = delete;
    ~DumbHandle() {
        drm_mode_destroy_dumb request{.handle = handle_};
        system_.ioctl(fd_, DRM_IOCTL_MODE_DESTROY_DUMB, &request);
    }

private:
    System& system_;
    int fd_; ///< borrowed
    std::uint32_t handle_;
};

Result<UniqueFd> DrmAllocator::create(std::size_t bytes) const {
    const std::size_t rows = bytes / row_bytes + (bytes % row_bytes != 0 ? 1 : 0);
    if (rows > std::numeric_limits<std::uint32_t>::max() / row_bytes) {
        Error error = system_error("CREATE_DUMB", object(bytes), EINVAL).error();
        error.detail = "a dumb buffer has less than 4 GiB";
        return std::unexpected(std::move(error));
    }
    drm_mode_create_dumb dumb{};
    dumb.width = width;
    dumb.height = static_cast<std::uint32_t>(rows);
    dumb.bpp = bits_per_pixel;
    if (const int result = system().ioctl(fd(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb); result < 0)
        return system_error("CREATE_DUMB", object(bytes), -result);
    const DumbHandle handle(system(), fd(), dumb.handle);
    drm_prime_handle exported{.handle = dumb.handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
    if (const int result = system().ioctl(fd(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &exported); result < 0)
        return system_error("PRIME_HANDLE_TO_FD", object(bytes), -result);
    return UniqueFd(exported.fd);
}

} // namespace

std::unique_ptr<DmabufAllocator> make_drm_allocator(DmabufAllocator::Node node) {
    return std::make_unique<DrmAllocator>(std::move(node));
}

} // namespace v4l2dma
