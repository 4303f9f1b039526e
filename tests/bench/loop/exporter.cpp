// SPDX-License-Identifier: MIT
#include "exporter.h"

#include "exporters.h"

#include <cerrno>
#include <drm.h>
#include <drm_mode.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

int checked(int result, const char* what) {
    must(result < 0 ? errno : 0, what);
    return result;
}

std::size_t whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

int from_udmabuf(int device, std::size_t bytes) {
    const int memory = checked(::memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create");
    checked(::ftruncate(memory, static_cast<off_t>(bytes)), "ftruncate");
    checked(::fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), "F_ADD_SEALS");
    udmabuf_create request{};
    request.memfd = static_cast<std::uint32_t>(memory);
    request.flags = UDMABUF_FLAGS_CLOEXEC;
    request.size = bytes;
    const int fd = checked(::ioctl(device, UDMABUF_CREATE, &request), "UDMABUF_CREATE");
    ::close(memory);
    return fd;
}

int from_vgem(int device, std::size_t bytes) {
    drm_mode_create_dumb dumb{};
    dumb.width = 1024;
    dumb.bpp = 32;
    dumb.height = static_cast<std::uint32_t>((bytes + 4095) / 4096);
    checked(::ioctl(device, DRM_IOCTL_MODE_CREATE_DUMB, &dumb), "CREATE_DUMB");
    drm_prime_handle prime{};
    prime.handle = dumb.handle;
    prime.flags = DRM_CLOEXEC | DRM_RDWR;
    checked(::ioctl(device, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime), "PRIME_HANDLE_TO_FD");
    drm_gem_close handle{};
    handle.handle = dumb.handle;
    ::ioctl(device, DRM_IOCTL_GEM_CLOSE, &handle);
    return prime.fd;
}

struct Way {
    std::string name;
    int (*open)();
    int (*create)(int device, std::size_t bytes);
};

const Way ways[] = {
    {"udmabuf", [] { return ::open("/dev/udmabuf", O_RDWR | O_CLOEXEC); }, from_udmabuf},
    {"system", open_system_heap, allocate_from_heap},
    {"vgem", open_vgem, from_vgem},
};

} // namespace

Exporter::Exporter(const std::string& who, unsigned count, std::size_t bytes) {
    const Way* found = nullptr;
    for (const Way& way : ways) {
        if (found != nullptr || (!who.empty() && who != way.name))
            continue;
        device_ = way.open();
        found = device_ >= 0 ? &way : nullptr;
    }
    must(found == nullptr ? ENODEV : 0, "no exporter of dma-bufs (udmabuf, system heap, vgem)");
    name_ = found->name;
    while (buffers_.fds().size() < count)
        buffers_.add(found->create(device_, whole_pages(bytes)), bytes);
}

Exporter::~Exporter() {
    ::close(device_);
}
