// SPDX-License-Identifier: MIT
// Loops that come, change and go while the module is loaded.
#include "client.h"
#include "control.h"
#include "process.h"
#include "sleeper.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <functional>
#include <grp.h>
#include <memory>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

/// open() as a user of these groups, in a process of its own: 0 or the errno.
int open_as(const std::string& node, gid_t group) {
    Process child([&] {
        if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(65534) != 0)
            ::_exit(99);
        ::_exit(::open(node.c_str(), O_RDWR) < 0 ? errno : 0);
    });
    const int result = child.wait();
    REQUIRE(result >= 0);
    return result;
}

/// Open as often as it can be, up to @p limit times.
std::size_t open_often(const std::string& node, std::size_t limit) {
    std::vector<int> fds;
    for (int fd = 0; fds.size() < limit && (fd = ::open(node.c_str(), O_RDWR | O_CLOEXEC)) >= 0;)
        fds.push_back(fd);
    for (const int fd : fds)
        ::close(fd);
    return fds.size();
}

int add(const v4l2dma_loop_config& config) {
    v4l2dma_loop_add request{};
    request.config = config;
    const ControlNode control;
    const int error = control.ioctl(V4L2DMA_IOC_ADD, &request);
    if (error == 0) {
        v4l2dma_loop_remove undo{.id = request.id, .flags = 0};
        CHECK(control.ioctl(V4L2DMA_IOC_REMOVE, &undo) == 0);
    }
    return error;
}

bool exists(const std::string& node) {
    return ::access(node.c_str(), F_OK) == 0;
}

} // namespace

TEST_SUITE("control node") {
    TEST_CASE("a loop is added with its settings, and removed") {
        v4l2dma_loop_config config = any_loop();
        config.flags = V4L2DMA_LOOP_NO_DMABUF | V4L2DMA_LOOP_LOSSLESS;
        config.video_nr = 77;
        config.max_readers = 3;
        config.max_width = 640;
        std::memcpy(config.card_label, "added", 6);
        AddedLoop loop(config);
        const v4l2dma_loop_info info = loop.info();
        CHECK(loop.node() == "/dev/video77");
        CHECK(info.capture_nr == 77);
        CHECK(info.config.flags == config.flags);
        CHECK(info.config.max_readers == 3);
        CHECK(info.config.max_width == 640);
        CHECK(info.config.max_height == 8192); // the default
        CHECK(info.config.reclaim_ms == 500);
        {
            const Client client(loop.node());
            v4l2_capability capability{};
            REQUIRE(client.ioctl(VIDIOC_QUERYCAP, &capability) == 0);
            CHECK(std::string(reinterpret_cast<const char*>(capability.card)) == "added");
            v4l2_pix_format pix = client.format(output);
            pix.width = 4000;
            CHECK(client.set_format(pix) == 0);
            CHECK(pix.width == 640);
            CHECK(loop.info().openers == 1);
            CHECK(loop.remove() == EBUSY);
            CHECK(loop.info().openers == 1); // nothing happened
        }
        CHECK(loop.remove() == 0);
        CHECK_FALSE(exists("/dev/video77"));
        CHECK(loop.remove() == ENOENT);
    }

    TEST_CASE("two loops have two numbers, and a number never comes again") {
        AddedLoop first;
        const std::uint32_t id = first.info().id;
        CHECK(first.remove() == 0);
        const AddedLoop second;
        CHECK(second.info().id > id);
    }

    TEST_CASE("what cannot be is refused, and leaves no loop") {
        using Change = std::function<void(v4l2dma_loop_config&)>;
        const std::array changes{
            Change([](auto& c) { c.flags = 1U << 31; }),
            Change([](auto& c) { c.flags = V4L2DMA_LOOP_EXCLUSIVE_CAPS | V4L2DMA_LOOP_SPLIT_NODES; }),
            Change([](auto& c) { c.video_nr = -2; }),
            Change([](auto& c) { c.video_nr = 256; }),
            Change([](auto& c) { c.capture_nr = INT32_MAX; }),
            Change([](auto& c) { c.min_buffers = 1; }),
            Change([](auto& c) { c.max_buffers = 33; }),
            Change([](auto& c) { c.min_buffers = 9, c.max_buffers = 8; }),
            Change([](auto& c) { c.max_readers = 65; }),
            Change([](auto& c) { c.max_openers = 1025; }),
            Change([](auto& c) { c.max_pending = UINT32_MAX; }),
            Change([](auto& c) { c.reclaim_ms = 60001; }),
            Change([](auto& c) { c.max_width = 15; }),
            Change([](auto& c) { c.max_height = 8193; }),
            Change([](auto& c) { c.debug = 10; }),
            Change([](auto& c) { c.timeout_ms = 3600001; }),
            Change([](auto& c) { std::memset(c.card_label, 'x', sizeof c.card_label); }),
            Change([](auto& c) { c.flags = V4L2DMA_LOOP_ALLOWED_GID_SET, c.allowed_gid = UINT32_MAX; }),
        };
        for (const Change& change : changes) {
            CAPTURE(&change - changes.data());
            v4l2dma_loop_config config = any_loop();
            change(config);
            CHECK(add(config) == EINVAL);
        }
        CHECK(add(any_loop()) == 0);
        v4l2dma_loop_remove remove{.id = 0, .flags = 2};
        CHECK(ControlNode().ioctl(V4L2DMA_IOC_REMOVE, &remove) == EINVAL);
        remove = {.id = UINT32_MAX, .flags = 0};
        CHECK(ControlNode().ioctl(V4L2DMA_IOC_REMOVE, &remove) == ENOENT);
    }

    TEST_CASE("there are only so many loops") {
        std::vector<std::unique_ptr<AddedLoop>> loops;
        const ControlNode control;
        v4l2dma_loop_add request{};
        int error = 0;
        while (true) {
            request = {};
            request.config = any_loop();
            error = control.ioctl(V4L2DMA_IOC_ADD, &request);
            if (error != 0)
                break;
            REQUIRE(loops.size() < 32);
            v4l2dma_loop_remove undo{.id = request.id, .flags = 0};
            REQUIRE(control.ioctl(V4L2DMA_IOC_REMOVE, &undo) == 0);
            loops.push_back(std::make_unique<AddedLoop>());
        }
        CHECK(error == ENOSPC);
        loops.pop_back();
        CHECK(add(any_loop()) == 0);
    }

    TEST_CASE("an older program gets what it knows, and nothing behind it") {
        struct Older {
            std::uint64_t known[8]; // v4l2dma_loop_stats ended with orphaned once
            std::uint64_t beyond;
        } stats{};
        static_assert(offsetof(Older, beyond) == offsetof(v4l2dma_loop_stats, placeholders));
        const AddedLoop loop;
        const std::vector<char> frame(Client(loop.node()).format(output).sizeimage);
        const Client writer(loop.node());
        REQUIRE(::write(writer.fd(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
        stats.known[0] = loop.info().id;
        stats.beyond = 0x5a5a;
        const unsigned long request =
            _IOC(_IOC_READ | _IOC_WRITE, V4L2DMA_IOC_TYPE, V4L2DMA_IOC_STATS_NR, sizeof stats.known);
        CHECK(ControlNode().ioctl(request, &stats) == 0);
        CHECK(stats.known[1] == 1); // frames
        CHECK(stats.beyond == 0x5a5a);
        // Older than the first version is no version.
        const unsigned long short_request =
            _IOC(_IOC_READ | _IOC_WRITE, V4L2DMA_IOC_TYPE, V4L2DMA_IOC_STATS_NR, 56);
        CHECK(ControlNode().ioctl(short_request, &stats) == ENOTTY);
    }

    TEST_CASE("a newer program is served as far as this module goes") {
        struct Newer {
            v4l2dma_loop_query known;
            std::uint64_t unknown;
        } query{};
        query.known.id = loop_info().id;
        const unsigned long request = _IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_QUERY_NR, Newer);
        const ControlNode control;
        CHECK(control.ioctl(request, &query) == 0);
        CHECK(query.known.info.video_nr == loop_info().video_nr);
        query.unknown = 1; // asks for something
        CHECK(control.ioctl(request, &query) == E2BIG);
        // Less than the first version had, another direction, another number: no such request.
        CHECK(control.ioctl(_IOWR(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_QUERY_NR, std::uint64_t), &query) == ENOTTY);
        CHECK(control.ioctl(_IOW(V4L2DMA_IOC_TYPE, V4L2DMA_IOC_QUERY_NR, Newer), &query) == ENOTTY);
        CHECK(control.ioctl(_IOWR(V4L2DMA_IOC_TYPE, 200, Newer), &query) == ENOTTY);
        CHECK(control.ioctl(V4L2DMA_IOC_QUERY, nullptr) == EFAULT);
    }

    TEST_CASE("who may open is changed while the loop exists") {
        const AddedLoop loop;
        REQUIRE(::chmod(loop.node().c_str(), 0666) == 0);
        CHECK(open_as(loop.node(), 1234) == 0);
        const Client before(loop.node());
        v4l2dma_loop_config config = any_loop();
        config.flags = V4L2DMA_LOOP_ALLOWED_GID_SET;
        config.allowed_gid = 4321;
        REQUIRE(loop.set(config, V4L2DMA_SET_ALLOWED_GID) == 0);
        CHECK(open_as(loop.node(), 1234) == EACCES);
        CHECK(open_as(loop.node(), 4321) == 0);
        CHECK(before.format(capture).width == 640); // keeps what it has
        REQUIRE(loop.set(any_loop(), V4L2DMA_SET_ALLOWED_GID) == 0);
        CHECK(open_as(loop.node(), 1234) == 0);
    }

    TEST_CASE("numbers are changed one by one") {
        const AddedLoop loop;
        v4l2dma_loop_config config = any_loop();
        config.max_openers = 3;
        config.max_readers = 1;
        REQUIRE(loop.set(config, V4L2DMA_SET_MAX_OPENERS) == 0);
        CHECK(loop.info().config.max_openers == 3);
        CHECK(loop.info().config.max_readers == 8);
        CHECK(open_often(loop.node(), 10) == 3);
        CHECK(errno == EBUSY);
        REQUIRE(loop.set(config, V4L2DMA_SET_MAX_READERS) == 0);
        Client first(loop.node());
        Client second(loop.node());
        CHECK(first.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(second.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EBUSY);
        config.max_openers = 5000;
        CHECK(loop.set(config, V4L2DMA_SET_MAX_OPENERS) == EINVAL);
        CHECK(loop.set(config, 1U << 30) == EINVAL);
        CHECK(loop.info().config.max_openers == 3);
    }

    TEST_CASE("forced removal is what unplugging a camera is") {
        AddedLoop loop;
        Client reader(loop.node());
        Client writer(loop.node());
        Client idle(loop.node(), O_NONBLOCK);
        const Client hearer(loop.node());
        start_reading(reader);
        start_writing(writer);
        paint(writer.map(0), 42);
        REQUIRE(writer.queue(0) == 0);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        const auto mapping = reader.map(got.index);

        std::array<int, 2> blocked{};
        short revents = 0;
        Sleeper waits_as_reader(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            blocked[0] = reader.dequeue(buffer);
        });
        Sleeper waits_as_writer(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            blocked[1] = writer.dequeue(buffer);
        });
        REQUIRE(hearer.subscribe(V4L2_EVENT_EOS) == 0);
        int heard = -1;
        Sleeper hears(SYS_ioctl, [&] {
            v4l2_event event{};
            heard = hearer.ioctl(VIDIOC_DQEVENT, &event);
        });
        Sleeper polls(SYS_poll, [&] {
            pollfd entry{idle.fd(), POLLPRI, 0};
            while (::poll(&entry, 1, -1) < 0) {
            }
            revents = entry.revents;
        });
        CHECK(loop.remove() == EBUSY);
        CHECK(loop.remove(V4L2DMA_REMOVE_FORCE) == 0);
        waits_as_reader.join();
        waits_as_writer.join();
        polls.join();
        hears.join(); // an event, and the next call says it all
        CHECK(heard == 0);
        CHECK(blocked[0] == ENODEV);
        CHECK(blocked[1] == ENODEV);
        CHECK((revents & (POLLERR | POLLHUP)) != 0);
        CHECK_FALSE(exists(loop.node()));
        CHECK(reader.queue(got.index) == ENODEV);
        CHECK(writer.stream_off() == ENODEV);
        char byte = 0;
        CHECK(::read(idle.fd(), &byte, 1) == -1);
        CHECK(errno == ENODEV);
        CHECK(painted(mapping) == 42); // memory that somebody has stays his
    }

    TEST_CASE("read() and write() end likewise") {
        AddedLoop loop;
        const Client reader(loop.node());
        const Client writer(loop.node());
        const Client holder(loop.node());
        std::array<int, 2> errors{};
        std::thread reads([&] {
            char byte = 0;
            while (::read(reader.fd(), &byte, 1) >= 0) {
            }
            errors[0] = errno;
        });
        std::vector<char> frame(writer.format(output).sizeimage);
        std::thread writes([&] {
            while (::write(writer.fd(), frame.data(), frame.size()) >= 0) {
            }
            errors[1] = errno;
        });
        while (loop.stats().delivered == 0)
            std::this_thread::yield();
        CHECK(loop.remove(V4L2DMA_REMOVE_FORCE) == 0);
        reads.join();
        writes.join();
        CHECK(errors[0] == ENODEV);
        CHECK(errors[1] == ENODEV);
    }
}
