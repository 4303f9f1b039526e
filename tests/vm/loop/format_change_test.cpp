// SPDX-License-Identifier: MIT
// The format changes again and again while readers are at work.
#include "client.h"
#include "control.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <thread>

namespace {

constexpr std::uint32_t changes = 200;
constexpr std::array widths{64U, 128U, 192U, 256U, 320U}; // of formats with different sizes

/// A reader that follows every change. What it sees wrong it counts.
class Follower {
public:
    explicit Follower(const std::string& node) : node_(node) {}
    /// Until it has seen a frame with this number.
    void follow(std::uint32_t last);

    std::atomic<unsigned> wrong{0};
    unsigned frames = 0;
    unsigned ends = 0;

private:
    /// One queue: until it ends, or the frame comes.
    bool read_queue(Client& reader, std::uint32_t last);

    std::string node_;
};

void Follower::follow(std::uint32_t last) {
    Client reader(node_);
    while (!read_queue(reader, last)) {
        ++ends;
        REQUIRE(reader.stream_off() == 0);
        reader.unmap_all();
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 0) == 0);
    }
}

bool Follower::read_queue(Client& reader, std::uint32_t last) {
    REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
    for (unsigned index = 0; index < reader.count(); ++index)
        if (reader.queue(index) != 0)
            return false; // already another format
    if (reader.stream_on() != 0)
        return false;
    while (true) {
        v4l2_buffer got{};
        const int error = reader.dequeue(got);
        if (error == EIO)
            return false;
        REQUIRE(error == 0);
        const auto pixels = reader.map(got.index).first(got.bytesused / sizeof(std::uint32_t));
        const auto number = painted(pixels);
        // A frame's number tells its width, and that the bytes it must have.
        if (!number || got.bytesused != widths[*number % widths.size()] * 64 * 2)
            ++wrong;
        ++frames;
        if (number == last)
            return true;
        if (reader.queue(got.index) != 0)
            return false;
    }
}

/// A writer's life with one format, in which frames are painted with @p number.
void write_some(const std::string& node, std::uint32_t number, const std::atomic<unsigned>* until) {
    Client writer(node);
    v4l2_pix_format pix = writer.format(output);
    pix.width = widths[number % widths.size()];
    pix.height = 64;
    pix.pixelformat = V4L2_PIX_FMT_YUYV;
    pix.bytesperline = pix.sizeimage = 0;
    REQUIRE(writer.set_format(pix) == 0);
    start_writing(writer);
    for (unsigned count = 0; until != nullptr ? *until < 2 : count < 6; ++count) {
        unsigned index = count;
        if (count >= writer.count()) {
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
            index = done.index;
        }
        paint(writer.map(index).first(pix.sizeimage / sizeof(std::uint32_t)), number);
        REQUIRE(writer.queue(index) == 0);
    }
}

} // namespace

TEST_SUITE("format change") {
    TEST_CASE("200 changes in full flow: no frame in a wrong layout, no lost wake-up") {
        const AddedLoop loop;
        std::array<Follower, 2> followers{Follower(loop.node()), Follower(loop.node())};
        std::atomic<unsigned> arrived{0};
        std::array<std::thread, 2> threads;
        for (std::size_t i = 0; i < threads.size(); ++i)
            threads[i] = std::thread([&, i] {
                followers[i].follow(changes);
                ++arrived;
            });
        for (std::uint32_t number = 0; number < changes; ++number)
            write_some(loop.node(), number, nullptr);
        // A reader that slept through a change would never see this one.
        write_some(loop.node(), changes, &arrived);
        for (std::thread& thread : threads)
            thread.join();
        for (const Follower& follower : followers) {
            CHECK(follower.wrong == 0);
            CHECK(follower.frames > 0);
            CHECK(follower.ends > 0);
        }
        // Copies there may be: who still looks at a frame when the writer stops keeps its memory.
    }
}
