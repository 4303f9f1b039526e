// SPDX-License-Identifier: MIT
#include "exporters.h"

#include "client.h"

#include <cerrno>
#include <cstring>
#include <drm.h>
#include <fcntl.h>
#include <filesystem>
#include <linux/dma-heap.h>
#include <sys/ioctl.h>
#include <unistd.h>

int open_vgem() {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/dri", none)) {
        const int fd = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
        char name[16] = {};
        drm_version version{};
        version.name = name;
        version.name_len = sizeof name - 1;
        if (fd >= 0 && ::ioctl(fd, DRM_IOCTL_VERSION, &version) == 0 && std::strcmp(name, "vgem") == 0)
            return fd;
        ::close(fd);
    }
    return -1;
}

int open_system_heap() {
    return ::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
}

int allocate_from_heap(int heap, std::size_t bytes) {
    dma_heap_allocation_data request{};
    request.len = bytes;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    must(::ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &request) < 0 ? errno : 0, "DMA_HEAP_IOCTL_ALLOC");
    return static_cast<int>(request.fd);
}
