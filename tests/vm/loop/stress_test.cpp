// SPDX-License-Identifier: MIT
// Many handles that do anything at any time. What each call answers does not matter; the kernel's log, the
// idle loop afterwards, and that frames then pass as ever, do.
#include "client.h"
#include "control.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <random>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr unsigned threads = 6;
constexpr unsigned handles_each = 40;
constexpr unsigned calls_each = 60;

/// One open handle that is used without plan. Its random numbers are its own, so that a run can be repeated.
class Fool {
public:
    explicit Fool(std::mt19937& random) : random_(random), client_(loop_node(), O_NONBLOCK) {}
    ~Fool() {
        for (const int fd : fds_)
            ::close(fd);
    }
    Fool(const Fool&) = delete;
    Fool& operator=(const Fool&) = delete;

    void act() {
        switch (below(14)) {
        case 0:
        case 1:
            (void)client_.reqbufs(side(), memory(), below(7));
            break;
        case 2:
            (void)client_.create_bufs(side(), V4L2_MEMORY_MMAP, 1 + below(2));
            break;
        case 3:
            (void)client_.stream_on();
            break;
        case 4:
            if (below(4) == 0)
                (void)client_.stream_off();
            break;
        case 5:
            map_something();
            break;
        case 6:
            export_something();
            break;
        case 7:
            (void)client_.poll(POLLIN | POLLOUT | POLLPRI, 0);
            break;
        case 8:
            read_or_write();
            break;
        case 9:
            set_format();
            break;
        default:
            turn_over();
        }
    }

private:
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    v4l2_buf_type side() { return below(3) == 0 ? output : capture; }
    v4l2_memory memory() {
        constexpr v4l2_memory types[] = {V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP, V4L2_MEMORY_USERPTR,
                                         V4L2_MEMORY_DMABUF};
        const v4l2_memory type = types[below(4)];
        client_.use(
            std::vector<int>(32, fds_.empty() ? -1 : fds_[below(static_cast<unsigned>(fds_.size()))]));
        return type;
    }
    void map_something() {
        v4l2_buffer buffer{};
        buffer.index = below(6);
        buffer.type = side();
        if (client_.ioctl(VIDIOC_QUERYBUF, &buffer) != 0 || buffer.memory != V4L2_MEMORY_MMAP)
            return;
        void* start = ::mmap(nullptr, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, client_.fd(),
                             static_cast<off_t>(buffer.m.offset));
        if (start == MAP_FAILED)
            return;
        *static_cast<volatile std::uint32_t*>(start) = 1;
        if (below(2) == 0)
            (void)client_.reqbufs(buffer.type == capture ? capture : output, V4L2_MEMORY_MMAP, 0);
        ::munmap(start, buffer.length);
    }
    void export_something() {
        const int fd = client_.count() == 0 ? -1 : client_.export_fd(below(client_.count()));
        if (fd < 0)
            return;
        fds_.push_back(fd);
        if (fds_.size() > 8) {
            ::close(fds_.front());
            fds_.erase(fds_.begin());
        }
    }
    void read_or_write() {
        std::uint32_t data[1024] = {};
        if (below(2) == 0)
            (void)!::read(client_.fd(), data, 1 + below(sizeof data));
        else
            (void)!::write(client_.fd(), data, 1 + below(sizeof data));
    }
    void set_format() {
        v4l2_pix_format pix{};
        pix.pixelformat = below(2) == 0 ? V4L2_PIX_FMT_YUYV : V4L2_PIX_FMT_NV12;
        pix.width = 64 + 32 * below(4);
        pix.height = 64;
        (void)client_.set_format(pix);
    }
    void turn_over() {
        v4l2_buffer buffer{};
        if (client_.count() == 0)
            return;
        (void)client_.queue(below(client_.count()));
        if (client_.dequeue(buffer) == 0 && below(3) != 0)
            (void)client_.queue(buffer.index);
    }

    std::mt19937& random_;
    Client client_;
    std::vector<int> fds_;
};

void be_foolish(unsigned seed) {
    std::mt19937 random(seed);
    for (unsigned handle = 0; handle < handles_each; ++handle) {
        Fool fool(random);
        for (unsigned call = 0; call < calls_each; ++call)
            fool.act();
    }
}

} // namespace

TEST_SUITE("stress") {
    TEST_CASE("whatever handles do, the loop is idle and well afterwards") {
        v4l2_pix_format usual = Client(loop_node()).format(output);
        std::vector<std::thread> crowd;
        for (unsigned seed = 0; seed < threads; ++seed)
            crowd.emplace_back(be_foolish, seed);
        for (auto& thread : crowd)
            thread.join();

        CHECK(loop_info().slots == 0);
        CHECK(loop_info().readers == 0);
        CHECK(loop_info().openers == 0);
        Client writer(loop_node());
        REQUIRE(writer.set_format(usual) == 0);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        Client reader(loop_node());
        start_reading(reader);
        REQUIRE(writer.stream_on() == 0);
        paint(writer.map(2), 42);
        REQUIRE(writer.queue(2) == 0);
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        CHECK(painted(reader.map(buffer.index)) == 42);
    }
}
