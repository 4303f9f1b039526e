// SPDX-License-Identifier: MIT
// v4l2dma_screen CARD FILE - shows a picture on the first screen of a DRM device until SIGTERM, and writes
// the picture's bytes to FILE (XRGB8888, lines without padding). Prints "WIDTHxHEIGHT INODE" when it is to be
// seen: the inode is that of the dma-buf which the picture lies in.
#include "base/unique_fd.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <drm_mode.h>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

namespace {

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

template <auto free> struct Free {
    void operator()(auto* object) const { free(object); }
};
using Resources = std::unique_ptr<drmModeRes, Free<drmModeFreeResources>>;
using Connector = std::unique_ptr<drmModeConnector, Free<drmModeFreeConnector>>;

Connector find_screen(int card, const drmModeRes& resources) {
    for (int i = 0; i < resources.count_connectors; ++i) {
        Connector connector(drmModeGetConnector(card, resources.connectors[i]));
        if (connector && connector->connection == DRM_MODE_CONNECTED && connector->count_modes > 0)
            return connector;
    }
    fail("find a screen");
}

// No line and no pixel of it is like the next.
std::uint32_t pixel(std::uint32_t x, std::uint32_t y) {
    return 0xff000000U | (x * 2654435761U ^ y * 40503U) % 0xffffffU;
}

void draw(int dmabuf, const drm_mode_create_dumb& dumb, std::FILE* copy) {
    auto* const bytes =
        static_cast<std::byte*>(::mmap(nullptr, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf, 0));
    if (bytes == MAP_FAILED)
        fail("mmap");
    for (std::uint32_t y = 0; y < dumb.height; ++y) {
        auto* const line = reinterpret_cast<std::uint32_t*>(bytes + std::size_t{y} * dumb.pitch);
        for (std::uint32_t x = 0; x < dumb.width; ++x)
            line[x] = pixel(x, y);
        if (std::fwrite(line, sizeof(*line), dumb.width, copy) != dumb.width)
            fail("write");
    }
    ::munmap(bytes, dumb.size);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3)
        return 2;
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, nullptr);
    const v4l2dma::UniqueFd card(::open(argv[1], O_RDWR | O_CLOEXEC));
    const Resources resources(card ? drmModeGetResources(card.get()) : nullptr);
    if (!resources)
        fail(argv[1]);
    Connector screen = find_screen(card.get(), *resources);
    drm_mode_create_dumb dumb{};
    dumb.width = screen->modes[0].hdisplay;
    dumb.height = screen->modes[0].vdisplay;
    dumb.bpp = 32;
    std::uint32_t framebuffer = 0;
    int dmabuf = -1;
    if (drmIoctl(card.get(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb) != 0 ||
        drmPrimeHandleToFD(card.get(), dumb.handle, DRM_CLOEXEC | DRM_RDWR, &dmabuf) != 0 ||
        drmModeAddFB(card.get(), dumb.width, dumb.height, 24, 32, dumb.pitch, dumb.handle, &framebuffer) != 0)
        fail("make a picture");
    const v4l2dma::UniqueFd owner(dmabuf);
    const std::unique_ptr<std::FILE, Free<std::fclose>> copy(std::fopen(argv[2], "w"));
    if (!copy)
        fail(argv[2]);
    draw(dmabuf, dumb, copy.get());
    std::fflush(copy.get());
    if (drmModeSetCrtc(card.get(), resources->crtcs[0], framebuffer, 0, 0, &screen->connector_id, 1,
                       &screen->modes[0]) != 0)
        fail("show the picture");
    struct stat status {};
    ::fstat(dmabuf, &status);
    std::printf("%ux%u %ju\n", dumb.width, dumb.height, static_cast<std::uintmax_t>(status.st_ino));
    std::fflush(stdout);
    int signal = 0;
    sigwait(&end, &signal);
    return 0;
}
