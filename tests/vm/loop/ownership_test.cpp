// SPDX-License-Identifier: MIT
// Who owns a frame when: the contract's rules of ownership, one by one.
#include "client.h"
#include "control.h"
#include "sleeper.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

struct Ends {
    Ends(unsigned slots = 4, int flags = O_NONBLOCK)
        : writer(loop_node(), flags), reader(loop_node(), flags) {
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, slots) == 0);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, slots) == 0);
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(writer.stream_on() == 0);
        REQUIRE(reader.stream_on() == 0);
    }
    Client writer;
    Client reader;
};

} // namespace

TEST_SUITE("ownership") {
    TEST_CASE("the writer gets its buffer when the reader gave it back, not before") {
        Ends ends;
        v4l2_buffer buffer{};
        REQUIRE(ends.writer.queue(0) == 0);
        CHECK(ends.writer.dequeue(buffer) == EAGAIN);
        CHECK((ends.writer.poll(POLLOUT, 0) & POLLOUT) == 0);
        v4l2_buffer held{};
        REQUIRE(ends.reader.dequeue(held) == 0);
        CHECK(ends.writer.dequeue(buffer) == EAGAIN);
        REQUIRE(ends.reader.queue(held.index) == 0);
        CHECK((ends.writer.poll(POLLOUT, -1) & POLLOUT) != 0);
        REQUIRE(ends.writer.dequeue(buffer) == 0);
        CHECK(buffer.index == 0);
    }

    TEST_CASE("a reader is handed a frame through the buffer of the same index") {
        Ends ends;
        for (const unsigned index : {3U, 1U, 2U, 0U}) {
            REQUIRE(ends.writer.queue(index) == 0);
            v4l2_buffer buffer{};
            REQUIRE(ends.reader.dequeue(buffer) == 0);
            CHECK(buffer.index == index);
        }
    }

    TEST_CASE("without readers the writer never waits") {
        Client writer(loop_node(), O_NONBLOCK);
        start_writing(writer);
        for (unsigned number = 0; number < 100; ++number) {
            REQUIRE(writer.queue(number % 4) == 0);
            v4l2_buffer buffer{};
            REQUIRE(writer.dequeue(buffer) == 0);
            CHECK(buffer.sequence == number);
        }
    }

    TEST_CASE("a waiting frame is dropped for a newer one, and the reader sees the gap") {
        Ends ends;
        const Counting counting;
        v4l2_buffer buffer{};
        for (unsigned number = 0; number < 10; ++number) {
            REQUIRE(ends.writer.queue(number % 4) == 0);
            while (ends.writer.dequeue(buffer) == 0) {
            }
        }
        CHECK(counting.dropped() == 8);
        CHECK(reader_stats(0).waiting == 2);
        REQUIRE(ends.reader.dequeue(buffer) == 0);
        CHECK(buffer.sequence == 8);
        REQUIRE(ends.reader.dequeue(buffer) == 0);
        CHECK(buffer.sequence == 9);
        CHECK(ends.reader.dequeue(buffer) == EAGAIN);
    }

    TEST_CASE("a reader's sequence starts at 0 at its own STREAMON") {
        Client writer(loop_node());
        start_writing(writer);
        v4l2_buffer buffer{};
        for (unsigned number = 0; number < 5; ++number) {
            REQUIRE(writer.queue(0) == 0);
            REQUIRE(writer.dequeue(buffer) == 0);
        }
        Client reader(loop_node());
        start_reading(reader);
        REQUIRE(writer.queue(0) == 0);
        REQUIRE(reader.dequeue(buffer) == 0);
        CHECK(buffer.sequence == 0);
    }

    TEST_CASE("a reader that sits on its frames loses them while the writer starves") {
        Ends ends(4, 0);
        const Counting counting;
        v4l2_buffer buffer{};
        // It takes all that it can get, and never gives anything back.
        for (unsigned index = 0; index < 4; ++index) {
            REQUIRE(ends.writer.queue(index) == 0);
            REQUIRE(ends.reader.dequeue(buffer) == 0);
        }
        // Blocks until the first is reclaimed, then goes on: a stuck reader never stops a camera.
        for (unsigned number = 0; number < 50; ++number) {
            REQUIRE(ends.writer.dequeue(buffer) == 0);
            REQUIRE(ends.writer.queue(buffer.index) == 0);
        }
        CHECK(counting.reclaimed() > 0);
        CHECK(reader_stats(0).reclaimed == counting.reclaimed());
        // The reader may come back as if nothing had been.
        for (unsigned index = 0; index < 4; ++index)
            REQUIRE(ends.reader.queue(index) == 0);
        REQUIRE(ends.writer.dequeue(buffer) == 0);
        REQUIRE(ends.writer.queue(buffer.index) == 0);
        REQUIRE(ends.reader.dequeue(buffer) == 0);
    }

    TEST_CASE("a writer with a single buffer gets it back, too") {
        Client writer(loop_node());
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 1) == 0);
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(writer.stream_on() == 0);
        REQUIRE(reader.stream_on() == 0);
        v4l2_buffer buffer{};
        for (unsigned number = 0; number < 3; ++number) {
            REQUIRE(writer.queue(0) == 0);
            REQUIRE(reader.dequeue(buffer) == 0);
            REQUIRE(writer.dequeue(buffer) == 0); // reclaimed
            REQUIRE(reader.queue(0) == 0);
        }
    }

    TEST_CASE("a frame kept for long is nobody's harm while the writer has others") {
        Ends ends(4, 0);
        const Counting counting;
        v4l2_buffer held{};
        v4l2_buffer buffer{};
        REQUIRE(ends.writer.queue(0) == 0);
        REQUIRE(ends.reader.dequeue(held) == 0);
        const auto reclaim = std::chrono::milliseconds(loop_info().config.reclaim_ms);
        std::this_thread::sleep_for(2 *
                                    reclaim); // longer than it may be kept by a reader of a starving writer
        for (unsigned number = 0; number < 20; ++number) {
            REQUIRE(ends.writer.queue(1 + number % 2) == 0);
            REQUIRE(ends.reader.dequeue(buffer) == 0);
            REQUIRE(ends.reader.queue(buffer.index) == 0);
            REQUIRE(ends.writer.dequeue(buffer) == 0);
        }
        CHECK(counting.reclaimed() == 0);
        CHECK(reader_stats(0).held == 1);
    }

    TEST_CASE("closing gives everything back") {
        Client writer(loop_node());
        start_writing(writer);
        v4l2_buffer buffer{};
        {
            Client reader(loop_node());
            start_reading(reader);
            REQUIRE(writer.queue_all() == 0);
            REQUIRE(reader.dequeue(buffer) == 0);
        }
        for (unsigned index = 0; index < 4; ++index)
            CHECK(writer.dequeue(buffer) == 0);
        CHECK(loop_info().readers == 0);
    }

    TEST_CASE("the writer's STREAMOFF leaves a held frame to the reader, and is counted") {
        Ends ends;
        const Counting counting;
        v4l2_buffer held{};
        v4l2_buffer buffer{};
        REQUIRE(ends.writer.queue(0) == 0);
        REQUIRE(ends.reader.dequeue(held) == 0);
        REQUIRE(ends.writer.queue(1) == 0);
        REQUIRE(ends.writer.stream_off() == 0);
        CHECK(counting.orphaned() == 1);
        CHECK(ends.reader.dequeue(buffer) == EAGAIN);
        REQUIRE(ends.writer.stream_on() == 0);
        REQUIRE(ends.writer.queue(2) == 0);
        REQUIRE(ends.reader.dequeue(buffer) == 0);
        CHECK(buffer.index == 2);
        CHECK(buffer.sequence == 2);
        REQUIRE(ends.reader.queue(held.index) == 0);
    }

    TEST_CASE("a writer that allocates anew does not write where a reader still looks") {
        Ends ends;
        v4l2_buffer held{};
        paint(ends.writer.map(0), 77);
        REQUIRE(ends.writer.queue(0) == 0);
        REQUIRE(ends.reader.dequeue(held) == 0);
        const auto seen = ends.reader.map(held.index);
        REQUIRE(ends.writer.stream_off() == 0);
        ends.writer.unmap_all();
        REQUIRE(ends.writer.reqbufs(output, V4L2_MEMORY_MMAP, 0) == 0);
        REQUIRE(ends.writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        paint(ends.writer.map(0), 78);
        CHECK(painted(seen) == 77);
        // The next frame reaches the old buffer all the same.
        REQUIRE(ends.writer.stream_on() == 0);
        REQUIRE(ends.reader.queue(held.index) == 0);
        REQUIRE(ends.writer.queue(0) == 0);
        REQUIRE(ends.reader.dequeue(held) == 0);
        CHECK(painted(seen) == 78);
    }

    TEST_CASE("one writer, and no more readers than allowed") {
        Client writer(loop_node());
        Client second(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(second.reqbufs(output, V4L2_MEMORY_MMAP, 4) == EBUSY);
        std::uint32_t pixel = 0;
        CHECK(::write(second.fd(), &pixel, sizeof pixel) == -1);
        CHECK(errno == EBUSY);
        std::vector<std::unique_ptr<Client>> readers;
        const unsigned allowed = loop_info().config.max_readers;
        for (unsigned index = 0; index < allowed; ++index) {
            readers.push_back(std::make_unique<Client>(loop_node()));
            CHECK(readers.back()->reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        }
        CHECK(second.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EBUSY);
        readers.pop_back();
        CHECK(second.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
    }

    TEST_CASE("a blocked reader wakes when a frame comes") {
        Ends ends(4, 0);
        std::atomic<int> result = -1;
        Sleeper waiting(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            result = ends.reader.dequeue(buffer);
        });
        REQUIRE(ends.writer.queue(0) == 0);
        waiting.join();
        CHECK(result == 0);
    }

    TEST_CASE("STREAMOFF ends a blocked DQBUF") {
        Ends ends(4, 0);
        std::atomic<int> result = -1;
        Sleeper waiting(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            result = ends.reader.dequeue(buffer);
        });
        REQUIRE(ends.reader.stream_off() == 0);
        waiting.join();
        CHECK(result == EINVAL);
    }

    TEST_CASE("who sleeps for a frame is there for the next writer") {
        auto writer = std::make_unique<Client>(loop_node());
        start_writing(*writer);
        Client streaming(loop_node());
        start_reading(streaming);
        Client reading(loop_node());
        std::vector<std::uint32_t> frame(writer->length() / 4);
        std::atomic<int> result = -1;
        std::atomic<ssize_t> got = -1;
        Sleeper in_dqbuf(SYS_ioctl, [&] {
            v4l2_buffer buffer{};
            result = streaming.dequeue(buffer);
        });
        Sleeper in_read(SYS_read, [&] { got = ::read(reading.fd(), frame.data(), frame.size() * 4); });
        SUBCASE("the writer ends") {
            REQUIRE(writer->stream_off() == 0);
        }
        SUBCASE("the writer closes") {}
        writer.reset();
        CHECK(result == -1); // no frame, no end: they wait
        CHECK(got == -1);
        Client next(loop_node());
        start_writing(next);
        paint(next.map(0), 17);
        REQUIRE(next.queue(0) == 0);
        in_dqbuf.join();
        in_read.join();
        CHECK(result == 0);
        CHECK(painted(streaming.map(0)) == 17);
        CHECK(got == static_cast<ssize_t>(frame.size() * 4));
        CHECK(painted(frame) == 17);
    }
}
