// SPDX-License-Identifier: MIT
// Many handles that do anything at any time. What each call answers does not matter; the kernel's log, the
// idle loop afterwards, and that frames then pass as ever, do.
#include "client.h"
#include "control.h"

#include <algorithm>
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
    Fool(std::mt19937& random, const std::string& node, bool planar)
        : random_(random), planar_(planar), client_(node, O_NONBLOCK) {}
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
    v4l2_buf_type side() {
        if (planar_)
            return below(3) == 0 ? planar_output : planar_capture;
        return below(3) == 0 ? output : capture;
    }
    v4l2_memory memory() {
        constexpr v4l2_memory types[] = {V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP, V4L2_MEMORY_USERPTR,
                                         V4L2_MEMORY_DMABUF};
        const v4l2_memory type = types[below(4)];
        std::vector<int> fds(std::size_t{32} * VIDEO_MAX_PLANES, -1);
        if (!fds_.empty())
            std::ranges::generate(fds, [this] { return fds_[below(static_cast<unsigned>(fds_.size()))]; });
        client_.use(std::move(fds));
        return type;
    }
    void map_something() {
        const v4l2_buf_type type = side();
        PlanarBuffer planar;
        v4l2_buffer& buffer = planar.buffer;
        buffer.index = below(6);
        buffer.type = type;
        buffer.length = planar_ ? VIDEO_MAX_PLANES : 0;
        if (client_.ioctl(VIDIOC_QUERYBUF, planar.connect()) != 0 || buffer.memory != V4L2_MEMORY_MMAP)
            return;
        const v4l2_plane& plane = planar.planes[planar_ ? below(buffer.length) : 0];
        const std::size_t length = planar_ ? plane.length : buffer.length;
        const auto offset = static_cast<off_t>(planar_ ? plane.m.mem_offset : buffer.m.offset);
        void* start = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, client_.fd(), offset);
        if (start == MAP_FAILED)
            return;
        *static_cast<volatile std::uint32_t*>(start) = 1;
        if (below(2) == 0)
            (void)client_.reqbufs(type, V4L2_MEMORY_MMAP, 0);
        ::munmap(start, length);
    }
    void export_something() {
        const int fd =
            client_.count() == 0 ? -1 : client_.export_fd(below(client_.count()), planar_ ? below(3) : 0);
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
        if (planar_) {
            constexpr std::uint32_t fourccs[] = {V4L2_PIX_FMT_NV12M, V4L2_PIX_FMT_NV16M, V4L2_PIX_FMT_YUV444M,
                                                 V4L2_PIX_FMT_YUYV};
            v4l2_pix_format_mplane pix{};
            pix.pixelformat = fourccs[below(4)];
            pix.width = 64 + 32 * below(4);
            pix.height = 64;
            (void)client_.set_format(pix);
            return;
        }
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
        if (planar_ && below(4) == 0)
            queue_with_offset();
        (void)client_.queue(below(client_.count()));
        if (client_.dequeue(buffer) == 0 && below(3) != 0)
            (void)client_.queue(buffer.index);
    }

    void queue_with_offset() {
        PlanarBuffer planar = client_.filled_in(below(client_.count()));
        for (v4l2_plane& plane : planar.planes) {
            if (planar.buffer.memory == V4L2_MEMORY_DMABUF) // not more of our own memory than there is
                plane.length *= 1 + below(3);
            plane.data_offset = below(2) * below(20000);
            plane.bytesused = below(2) * below(40000);
        }
        (void)client_.ioctl(VIDIOC_QBUF, planar.connect());
    }

    std::mt19937& random_;
    bool planar_;
    Client client_;
    std::vector<int> fds_;
};

void be_foolish(unsigned seed, const std::string& node, bool planar) {
    std::mt19937 random(seed);
    for (unsigned handle = 0; handle < handles_each; ++handle) {
        Fool fool(random, node, planar);
        for (unsigned call = 0; call < calls_each; ++call)
            fool.act();
    }
}

void crowd(const std::string& node, bool planar) {
    std::vector<std::thread> all;
    for (unsigned seed = 0; seed < threads; ++seed)
        all.emplace_back(be_foolish, seed, node, planar);
    for (auto& thread : all)
        thread.join();
}

} // namespace

TEST_SUITE("stress") {
    TEST_CASE("whatever handles do, the loop is idle and well afterwards") {
        v4l2_pix_format usual = Client(loop_node()).format(output);
        crowd(loop_node(), false);
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

    TEST_CASE("and so with several memory planes") {
        v4l2dma_loop_config config = any_loop();
        config.flags = V4L2DMA_LOOP_MULTIPLANAR;
        AddedLoop loop(config);
        crowd(loop.node(), true);
        CHECK(loop.info().slots == 0);
        CHECK(loop.info().readers == 0);
        CHECK(loop.info().openers == 0);
        Client writer(loop.node());
        v4l2_pix_format_mplane pix = writer.planar_format(planar_output);
        pix.pixelformat = V4L2_PIX_FMT_NV12M;
        REQUIRE(writer.set_format(pix) == 0);
        REQUIRE(writer.reqbufs(planar_output, V4L2_MEMORY_MMAP, 4) == 0);
        Client reader(loop.node());
        start_reading(reader, 4, planar_capture);
        REQUIRE(writer.stream_on() == 0);
        paint(writer.map(2, 1), 42);
        REQUIRE(writer.queue(2) == 0);
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        CHECK(painted(reader.map(buffer.index, 1)) == 42);
    }
}
