// SPDX-License-Identifier: MIT
// A loop that loses nothing: the writer waits for the slowest reader.
#include "client.h"
#include "control.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace {

v4l2dma_loop_config lossless() {
    v4l2dma_loop_config config = any_loop();
    config.flags = V4L2DMA_LOOP_LOSSLESS;
    config.reclaim_ms = 1; // and does not count here
    return config;
}

/// Writes @p count frames, each painted with its number, as fast as it gets buffers.
void write_frames(Client& writer, std::uint32_t count) {
    for (std::uint32_t number = 0; number < count; ++number) {
        unsigned index = number;
        if (number >= writer.count()) {
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
            index = done.index;
        }
        paint(writer.map(index), number);
        REQUIRE(writer.queue(index) == 0);
    }
}

} // namespace

TEST_SUITE("lossless") {
    TEST_CASE("every reader gets every frame, in order, however they dawdle") {
        constexpr std::uint32_t frames = 200;
        const AddedLoop loop(lossless());
        Client writer(loop.node());
        v4l2_pix_format pix = writer.format(output);
        pix.width = pix.height = 64;
        REQUIRE(writer.set_format(pix) == 0);
        Client first(loop.node());
        Client second(loop.node());
        start_reading(first);
        start_reading(second);
        start_writing(writer);
        const auto read_all = [](Client& reader, unsigned hold) {
            // Keeps so many buffers before it gives the oldest back.
            std::vector<unsigned> held;
            for (std::uint32_t number = 0; number < frames; ++number) {
                v4l2_buffer got{};
                REQUIRE(reader.dequeue(got) == 0);
                CHECK(got.sequence == number);
                CHECK(painted(reader.map(got.index)) == number);
                held.push_back(got.index);
                if (held.size() <= hold)
                    continue;
                REQUIRE(reader.queue(held.front()) == 0);
                held.erase(held.begin());
            }
        };
        std::thread writes([&] { write_frames(writer, frames); });
        std::thread reads([&] { read_all(first, 2); });
        read_all(second, 0);
        reads.join();
        writes.join();
        CHECK(loop.stats().frames == frames);
        CHECK(loop.stats().delivered == 2 * frames);
        CHECK(loop.stats().dropped == 0);
        CHECK(loop.stats().reclaimed == 0);
        CHECK(loop.stats().copies == 0);
    }

    TEST_CASE("the writer waits for a reader that does nothing, until that is closed") {
        const AddedLoop loop(lossless());
        Client writer(loop.node(), O_NONBLOCK);
        Client reader(loop.node());
        start_reading(reader);
        start_writing(writer);
        for (unsigned index = 0; index < 4; ++index)
            REQUIRE(writer.queue(index) == 0);
        v4l2_buffer done{};
        CHECK(writer.dequeue(done) == EAGAIN);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0); // one in its hands, three wait
        CHECK(writer.poll(POLLOUT, 50) == 0);
        CHECK(loop.stats().reclaimed == 0);
        REQUIRE(reader.queue(got.index) == 0);
        REQUIRE(writer.dequeue(done) == 0);
        CHECK(writer.dequeue(done) == EAGAIN);
        reader.close();
        for (unsigned count = 0; count < 3; ++count)
            CHECK(writer.dequeue(done) == 0);
        CHECK(loop.stats().dropped == 0);
    }

    TEST_CASE("a frame waits for the buffer of its index, and none overtakes it") {
        const AddedLoop loop(lossless());
        Client writer(loop.node());
        Client reader(loop.node(), O_NONBLOCK);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        REQUIRE(reader.queue(1) == 0);
        REQUIRE(reader.stream_on() == 0);
        start_writing(writer);
        REQUIRE(writer.queue(0) == 0);
        REQUIRE(writer.queue(1) == 0);
        v4l2_buffer got{};
        CHECK(reader.dequeue(got) == EAGAIN);
        REQUIRE(reader.queue(0) == 0);
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(got.index == 0);
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(got.index == 1);
        CHECK(loop.stats().dropped == 0);
    }

    TEST_CASE("who only polls stops nobody") {
        const AddedLoop loop(lossless());
        Client writer(loop.node());
        const Client watcher(loop.node());
        CHECK(watcher.poll(POLLIN, 0) == 0);
        start_writing(writer);
        write_frames(writer, 20);
        CHECK((watcher.poll(POLLIN, 0) & POLLIN) != 0);
        CHECK(loop.stats().dropped > 0);
    }

    TEST_CASE("write() and read() lose nothing either") {
        constexpr std::uint32_t frames = 50;
        const AddedLoop loop(lossless());
        const Client writer(loop.node());
        const Client reader(loop.node());
        v4l2_pix_format pix = writer.format(output);
        pix.width = pix.height = 64;
        REQUIRE(writer.set_format(pix) == 0);
        std::vector<std::uint32_t> frame(pix.sizeimage / sizeof(std::uint32_t));
        CHECK(::read(reader.fd(), frame.data(), 0) == 0); // begins to read
        std::thread writes([&] {
            std::vector<std::uint32_t> mine(frame.size());
            for (std::uint32_t number = 0; number < frames; ++number) {
                paint(mine, number);
                REQUIRE(::write(writer.fd(), mine.data(), pix.sizeimage) ==
                        static_cast<ssize_t>(pix.sizeimage));
            }
        });
        for (std::uint32_t number = 0; number < frames; ++number) {
            REQUIRE(::read(reader.fd(), frame.data(), pix.sizeimage) == static_cast<ssize_t>(pix.sizeimage));
            CHECK(painted(frame) == number);
        }
        writes.join();
        CHECK(loop.stats().dropped == 0);
    }
}
