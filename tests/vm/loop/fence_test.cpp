// SPDX-License-Identifier: MIT
// Frames whose device is not done with them: fences, made by the kernel's vgem.
#include "client.h"
#include "control.h"
#include "exporters.h"
#include "sleeper.h"

#include <atomic>
#include <doctest/doctest.h>
#include <drm.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

// Of the kernel's include/uapi/drm/vgem_drm.h, which Debian's headers leave out.
struct VgemFenceAttach {
    std::uint32_t handle;
    std::uint32_t flags;
    std::uint32_t out_fence;
    std::uint32_t pad;
};
struct VgemFenceSignal {
    std::uint32_t fence;
    std::uint32_t flags;
};
constexpr std::uint32_t fence_writes = 1;
constexpr unsigned long attach_fence = DRM_IOWR(DRM_COMMAND_BASE + 1, VgemFenceAttach);
constexpr unsigned long signal_fence = DRM_IOW(DRM_COMMAND_BASE + 2, VgemFenceSignal);

/// The virtual GPU. It signals a forgotten fence itself after 10 s.
class Vgem {
public:
    Vgem() : fd_(open_vgem()) { REQUIRE_MESSAGE(fd_ >= 0, "there is no vgem; load it first"); }
    ~Vgem() { ::close(fd_); }
    Vgem(const Vgem&) = delete;
    Vgem& operator=(const Vgem&) = delete;

    /// From now on the GPU writes (or reads) this dma-buf, until signal().
    std::uint32_t begin(int dmabuf, bool writes) {
        drm_prime_handle prime{};
        prime.fd = dmabuf;
        REQUIRE(::ioctl(fd_, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) == 0);
        VgemFenceAttach attach{};
        attach.handle = prime.handle;
        attach.flags = writes ? fence_writes : 0;
        REQUIRE(::ioctl(fd_, attach_fence, &attach) == 0);
        return attach.out_fence;
    }
    void signal(std::uint32_t fence) {
        VgemFenceSignal request{};
        request.fence = fence;
        CHECK(::ioctl(fd_, signal_fence, &request) == 0);
    }

private:
    int fd_;
};

} // namespace

TEST_SUITE("fence") {
    TEST_CASE("a frame that is still being filled passes uncopied at once, and is copied when it is done") {
        Vgem gpu;
        Client writer(loop_node());
        Client lent(loop_node());
        Client copying(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        ForeignBuffers memory(4, writer.length());
        writer.use(memory.fds());
        start_reading(lent);
        start_reading(copying);
        const auto seen = copying.map(0);
        REQUIRE(writer.stream_on() == 0);
        const Counting counting;

        const std::uint32_t fence = gpu.begin(memory.fds()[0], true);
        paint(memory.map(0), 1);
        REQUIRE(writer.queue(0) == 0);
        std::atomic<int> result = -1;
        Sleeper waiting(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            result = copying.dequeue(buffer);
        });
        // The other reader's fence is none of this one's business: its own consumer waits for it.
        v4l2_buffer buffer{};
        REQUIRE(lent.dequeue(buffer) == 0);
        CHECK(counting.copies() == 0);
        CHECK(result == -1);
        paint(memory.map(0), 2); // what the GPU does until it signals
        gpu.signal(fence);
        waiting.join();
        CHECK(result == 0);
        CHECK(painted(seen.first(writer.length() / 4)) == 2);
        CHECK(counting.copies() == 1);
    }

    TEST_CASE("a reader's device delays write() no longer than the reader itself could") {
        Vgem gpu;
        Client reader(loop_node());
        start_reading(reader);
        Client writer(loop_node());
        std::uint32_t pixel = 1;
        // Settles the slots' memory; without this the fences would lie on pages that nobody uses.
        REQUIRE(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
        for (unsigned index = 0; index < 4; ++index) {
            const int fd = reader.export_fd(index);
            REQUIRE(fd >= 0);
            (void)gpu.begin(fd, false); // and never signals
            ::close(fd);
        }
        const Counting counting;
        REQUIRE(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
        CHECK(counting.reclaimed() == 1);
        CHECK(counting.frames() == 1);
    }
}
