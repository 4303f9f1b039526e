// SPDX-License-Identifier: MIT
// Ends: who closes first, who is killed, and what is asked of the wrong handle.
#include "client.h"
#include "control.h"
#include "process.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

TEST_SUITE("lifetime") {
    TEST_CASE("calls out of order are refused, and break nothing") {
        Client client(loop_node(), O_NONBLOCK);
        v4l2_buffer buffer{};
        buffer.type = capture;
        CHECK(client.ioctl(VIDIOC_QUERYBUF, &buffer) == EINVAL);
        CHECK(client.ioctl(VIDIOC_QBUF, &buffer) == EINVAL);
        CHECK(client.ioctl(VIDIOC_DQBUF, &buffer) == EINVAL);
        buffer.type = V4L2_BUF_TYPE_VBI_CAPTURE;
        CHECK(client.ioctl(VIDIOC_DQBUF, &buffer) == EINVAL);
        CHECK(client.stream_on() == EINVAL);
        CHECK(client.stream_off() == 0);
        REQUIRE(client.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(client.reqbufs(output, V4L2_MEMORY_MMAP, 4) == EBUSY);
        CHECK(client.export_fd(4) == -EINVAL);
        CHECK(client.queue(4) == EINVAL);
        REQUIRE(client.queue(0) == 0);
        CHECK(client.queue(0) == EINVAL);
        char byte = 0;
        CHECK(::read(client.fd(), &byte, 1) == -1);
        CHECK(errno == EBUSY);
        REQUIRE(client.stream_on() == 0);
        CHECK(client.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EBUSY);
        CHECK(client.dequeue(buffer) == EAGAIN);
    }

    TEST_CASE("read() and write() exclude buffers on the same handle") {
        Client writer(loop_node());
        std::uint32_t pixel = 0;
        REQUIRE(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
        CHECK(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == EBUSY);
        CHECK(writer.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EBUSY);
        Client reader(loop_node(), O_NONBLOCK);
        CHECK(::read(reader.fd(), &pixel, sizeof pixel) == -1);
        CHECK(errno == EAGAIN);
        CHECK(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EBUSY);
        // A mere poll() commits to nothing.
        Client polled(loop_node());
        CHECK(polled.poll(POLLIN, 0) == 0);
        CHECK(polled.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
    }

    TEST_CASE("write() finds no slot while readers have them all, and goes on when one is back") {
        Client writer(loop_node(), O_NONBLOCK);
        Client reader(loop_node());
        start_reading(reader);
        std::uint32_t pixel = 0;
        v4l2_buffer buffer{};
        for (unsigned index = 0; index < reader.count(); ++index) {
            REQUIRE(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
            REQUIRE(reader.dequeue(buffer) == 0);
        }
        CHECK(::write(writer.fd(), &pixel, sizeof pixel) == -1);
        CHECK(errno == EAGAIN);
        CHECK((writer.poll(POLLOUT, 0) & POLLOUT) == 0);
        REQUIRE(reader.queue(buffer.index) == 0);
        CHECK((writer.poll(POLLOUT, -1) & POLLOUT) != 0);
        CHECK(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
    }

    TEST_CASE("a killed reader releases everything") {
        Client writer(loop_node());
        start_writing(writer);
        Signpost ready;
        Process child([&] {
            Client reader(loop_node());
            start_reading(reader);
            ready.reach();
            v4l2_buffer buffer{};
            if (reader.dequeue(buffer) != 0)
                return;
            ready.reach();
            ::pause();
        });
        ready.only_wait();
        REQUIRE(ready.await());
        REQUIRE(writer.queue(0) == 0);
        REQUIRE(ready.await());
        CHECK(reader_stats(0).held == 1);
        REQUIRE(child.kill());
        v4l2_buffer buffer{};
        CHECK(writer.dequeue(buffer) == 0);
        CHECK(loop_info().readers == 0);
        CHECK(loop_info().openers == 1);
    }

    TEST_CASE("a writer that leaves is survived, and so is its format") {
        Client reader(loop_node(), O_NONBLOCK);
        start_reading(reader);
        for (unsigned round = 0; round < 3; ++round) {
            Client writer(loop_node());
            start_writing(writer);
            paint(writer.map(1), round);
            REQUIRE(writer.queue(1) == 0);
            v4l2_buffer buffer{};
            REQUIRE(reader.dequeue(buffer) == 0);
            CHECK(buffer.sequence == round);
            CHECK(painted(reader.map(buffer.index)) == round);
            REQUIRE(reader.queue(buffer.index) == 0);
            CHECK((reader.poll(POLLIN, 0)) == 0);
        }
        v4l2_input input{};
        REQUIRE(reader.ioctl(VIDIOC_ENUMINPUT, &input) == 0);
        CHECK((input.status & V4L2_IN_ST_NO_SIGNAL) != 0);
        CHECK(reader.format(capture).width == 640);
    }

    TEST_CASE("a duplicated handle is the same reader") {
        Client writer(loop_node(), O_NONBLOCK);
        start_writing(writer);
        Client reader(loop_node());
        start_reading(reader);
        MappedDmabufs seen;
        seen.add(reader.export_fd(1), reader.length());
        const int copy = ::dup(reader.fd());
        CHECK(loop_info().readers == 1);
        reader.close();
        CHECK(loop_info().readers == 1);
        paint(writer.map(1), 3);
        REQUIRE(writer.queue(1) == 0);
        v4l2_buffer buffer{};
        buffer.type = capture;
        buffer.memory = V4L2_MEMORY_MMAP;
        REQUIRE(::ioctl(copy, VIDIOC_DQBUF, &buffer) == 0);
        CHECK(buffer.index == 1);
        CHECK(painted(seen.map(0)) == 3);
        CHECK(writer.dequeue(buffer) == EAGAIN);
        ::close(copy);
        CHECK(loop_info().readers == 0);
        CHECK(writer.dequeue(buffer) == 0);
    }
}
