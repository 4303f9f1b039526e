// SPDX-License-Identifier: MIT
// What one user of a loop must not be able to do to the others, nor to the kernel.
#include "client.h"
#include "control.h"
#include "sleeper.h"

#include <atomic>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

/// How many references to the file behind @p fd there are.
long references(int fd) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
    for (std::string line; std::getline(info, line);)
        if (line.starts_with("count:"))
            return std::stol(line.substr(6));
    return -1;
}

/// A complaint that some kernels make of what a test does, until the end of the scope: see
/// tests/vm/lib/scan-kernel-log.
class AllowedComplaint {
public:
    explicit AllowedComplaint(const std::string& pattern) { say("allow begin " + pattern); }
    ~AllowedComplaint() { say("expect end"); }
    AllowedComplaint(const AllowedComplaint&) = delete;
    AllowedComplaint& operator=(const AllowedComplaint&) = delete;

private:
    static void say(const std::string& text) {
        std::ofstream("/dev/kmsg") << "v4l2dma-vm: " << text << std::endl;
    }
};

} // namespace

TEST_SUITE("rivals") {
    TEST_CASE("mmap() while another thread makes and frees the buffers") {
        Client reader(loop_node());
        std::atomic<bool> stop = false;
        std::atomic<unsigned> mapped = 0;
        std::thread mapper([&] {
            while (!stop) {
                void* const start = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, reader.fd(), 0);
                if (start == MAP_FAILED)
                    continue;
                ++mapped;
                ::munmap(start, 4096);
            }
        });
        // Until it hit often enough: where the buffers are there for a moment, it maps them.
        for (unsigned round = 0; round < 200 || (mapped < 20 && round < 20'000); ++round) {
            (void)reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4);
            (void)reader.reqbufs(capture, V4L2_MEMORY_MMAP, 0);
        }
        stop = true;
        mapper.join();
        CHECK(mapped >= 20);
        CHECK(loop_info().slots == 0);
    }

    TEST_CASE("a refused dma-buf is not kept") {
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        const int fd = reader.export_fd(0);
        REQUIRE(fd >= 0);
        const long before = references(fd);
        REQUIRE(before > 0);
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        for (unsigned times = 0; times < 3; ++times) {
            v4l2_buffer buffer{};
            buffer.type = output;
            buffer.memory = V4L2_MEMORY_DMABUF;
            buffer.m.fd = fd;
            buffer.length = static_cast<std::uint32_t>(::lseek(fd, 0, SEEK_END)) + 4096;
            CHECK(writer.ioctl(VIDIOC_QBUF, &buffer) == EFAULT);
        }
        CHECK(references(fd) == before);
        ::close(fd);
    }

    TEST_CASE("a stopped reader keeps no slot that another one gave back") {
        Client working(loop_node());
        Client stopped(loop_node());
        Client writer(loop_node());
        start_reading(working);
        start_reading(stopped);
        // Fewer slots than a reader's frames may wait in: whatever waits at the stopped one is in the way.
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 2) == 0);
        REQUIRE(writer.stream_on() == 0);
        v4l2_buffer buffer{};
        REQUIRE(writer.queue(0) == 0);
        REQUIRE(working.dequeue(buffer) == 0);
        REQUIRE(writer.queue(1) == 0);
        REQUIRE(working.queue(buffer.index) == 0);
        REQUIRE(writer.dequeue(buffer) == 0); // blocks for ever if nobody looks at the waiting ones again
        CHECK(buffer.index == 0);
        REQUIRE(working.dequeue(buffer) == 0);
        REQUIRE(working.queue(buffer.index) == 0);
        for (unsigned number = 0; number < 20; ++number) {
            REQUIRE(writer.queue(number % 2) == 0);
            REQUIRE(working.dequeue(buffer) == 0);
            CHECK(buffer.index == number % 2);
            REQUIRE(working.queue(buffer.index) == 0);
            REQUIRE(writer.dequeue(buffer) == 0); // the one before: dropped at the stopped reader
            CHECK(buffer.index == 1 - number % 2);
        }
        // The stopped one is given the newest when it comes back.
        REQUIRE(stopped.dequeue(buffer) == 0);
        CHECK(buffer.sequence == 21);
    }

    TEST_CASE("a writer's only buffer does not stay at a reader that never asks") {
        Client writer(loop_node());
        Client reader(loop_node());
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 1) == 0);
        start_reading(reader);
        REQUIRE(writer.stream_on() == 0);
        const Counting counting;
        v4l2_buffer buffer{};
        for (unsigned number = 0; number < 2; ++number) {
            REQUIRE(writer.queue(0) == 0);
            REQUIRE(writer.dequeue(buffer) == 0);
        }
        CHECK(counting.dropped() == 2);
        CHECK(counting.reclaimed() == 0); // nothing was in its hands
    }

    TEST_CASE("a lost frame is not copied over the one that another reader holds") {
        Client losing(loop_node());
        Client holding(loop_node());
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        ForeignBuffers memory(5, writer.length());
        for (unsigned index = 0; index < 5; ++index)
            paint(memory.map(index), 100 + index);
        writer.use(memory.fds());
        start_reading(losing);
        start_reading(holding);
        for (unsigned index = 0; index < 4; ++index)
            (void)holding.map(index);
        REQUIRE(writer.stream_on() == 0);
        v4l2_buffer buffer{};
        for (unsigned index = 0; index < 4; ++index) {
            REQUIRE(writer.queue(index) == 0);
            REQUIRE(holding.dequeue(buffer) == 0);
            REQUIRE(holding.queue(buffer.index) == 0);
            REQUIRE(losing.dequeue(buffer) == 0); // and keeps it
        }
        REQUIRE(writer.dequeue(buffer) == 0); // reclaimed
        const unsigned slot = buffer.index;
        std::vector<int> fds = memory.fds();
        fds[slot] = fds[4];
        writer.use(fds);
        REQUIRE(writer.queue(slot) == 0);
        REQUIRE(holding.dequeue(buffer) == 0);
        REQUIRE(buffer.index == slot);
        CHECK(painted(holding.map(slot)) == 104);
        (void)losing.map(slot);
        CHECK(painted(holding.map(slot)) == 104);
    }

    TEST_CASE("a failed QBUF of other memory leaves nothing of it behind") {
        // vb2 frees the memory without buf_cleanup then, and VIDEO_ADV_DEBUG remarks on it.
        const AllowedComplaint complaint("unbalanced counters for queue");
        Client reader(loop_node());
        Client slots(loop_node());
        REQUIRE(slots.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        const int fd = slots.export_fd(0);
        REQUIRE(fd >= 0);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_DMABUF, 4) == 0);
        reader.use(std::vector<int>(4, fd));
        REQUIRE(reader.queue(0) == 0);
        REQUIRE(reader.stream_off() == 0);
        reader.use(std::vector<int>(4, -1));
        CHECK(reader.queue(0) == EINVAL);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_DMABUF, 0) == 0);
        ::close(fd);
        start_reading(reader);
        // Slots beyond the reader's: it has no buffer for these frames, so the writer never waits for it.
        Client writer(loop_node());
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 6) == 0);
        REQUIRE(writer.stream_on() == 0);
        v4l2_buffer buffer{};
        REQUIRE(writer.queue(5) == 0);
        CHECK(reader_stats(1).waiting == 0);
        REQUIRE(writer.dequeue(buffer) == 0);
        CHECK(buffer.index == 5);
    }

    TEST_CASE("who waits to write is woken when the writer leaves") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        Client next(loop_node());
        CHECK(next.poll(POLLOUT, 0) == 0);
        std::atomic<short> answer = 0;
        Sleeper waiting(SYS_poll, [&] { answer = next.poll(POLLOUT, -1); });
        writer.close();
        waiting.join();
        CHECK((answer & POLLOUT) != 0);
    }

    TEST_CASE("no priority keeps the writer from its queue") {
        Client idle(loop_node());
        std::uint32_t priority = V4L2_PRIORITY_RECORD;
        CHECK(idle.ioctl(VIDIOC_S_PRIORITY, &priority) == 0);
        Client writer(loop_node());
        CHECK(writer.ioctl(VIDIOC_G_PRIORITY, &priority) == 0);
        CHECK(priority == V4L2_PRIORITY_RECORD);
        CHECK(writer.ioctl(VIDIOC_S_PRIORITY, &priority) == EBUSY);
        CHECK(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(writer.stream_on() == 0);
        idle.close();
        CHECK(writer.ioctl(VIDIOC_S_PRIORITY, &priority) == 0);
        priority = 17;
        CHECK(writer.ioctl(VIDIOC_S_PRIORITY, &priority) == EINVAL);
    }

    TEST_CASE("only the writer says how often it writes") {
        Client writer(loop_node());
        Client other(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        v4l2_streamparm parameters{};
        parameters.type = output;
        parameters.parm.output.timeperframe = {.numerator = 1, .denominator = 24};
        REQUIRE(writer.ioctl(VIDIOC_S_PARM, &parameters) == 0);
        parameters.parm.output.timeperframe = {.numerator = 1, .denominator = 77};
        REQUIRE(other.ioctl(VIDIOC_S_PARM, &parameters) == 0);
        CHECK(parameters.parm.output.timeperframe.denominator == 24);
        parameters.parm.output.timeperframe = {.numerator = 1, .denominator = 30};
        REQUIRE(writer.ioctl(VIDIOC_S_PARM, &parameters) == 0);
    }

    // Run in a cgroup whose memory is limited: see tests/vm/cases/10-loop.sh.
    TEST_CASE("more memory than there is fails, and ends nobody" * doctest::skip()) {
        Client writer(loop_node());
        v4l2_pix_format pix{};
        pix.pixelformat = V4L2_PIX_FMT_NV24;
        pix.width = 8192;
        pix.height = 8192;
        pix.bytesperline = 16384;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == 3U * 16384 * 8192);
        CHECK(writer.reqbufs(output, V4L2_MEMORY_MMAP, 32) == ENOMEM);
        CHECK(loop_info().slots == 0);
    }
}
