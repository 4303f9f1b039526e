// SPDX-License-Identifier: MIT
// A free-running writer paints whole frames; readers that dawdle over them must never see one change.
#include "client.h"
#include "control.h"

#include <atomic>
#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <thread>

namespace {

constexpr unsigned readers = 4;
constexpr unsigned frames_each = 250;
constexpr auto dawdle = std::chrono::milliseconds(30);

void run_free(Client& writer, const std::atomic<bool>& stop) {
    std::uint32_t number = 0;
    for (unsigned index = 0; index < writer.count(); ++index) {
        paint(writer.map(index), ++number);
        REQUIRE(writer.queue(index) == 0);
    }
    while (!stop) {
        v4l2_buffer buffer{};
        REQUIRE(writer.dequeue(buffer) == 0);
        paint(writer.map(buffer.index), ++number);
        REQUIRE(writer.queue(buffer.index) == 0);
    }
}

/// Returns the number of torn frames.
unsigned look_slowly(Client& reader) {
    unsigned torn = 0;
    std::uint32_t last = 0;
    for (unsigned frame = 0; frame < frames_each; ++frame) {
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        const auto before = painted(reader.map(buffer.index));
        std::this_thread::sleep_for(dawdle); // the work that a real reader does
        const auto after = painted(reader.map(buffer.index));
        if (!before || before != after || *before <= last)
            ++torn;
        last = before.value_or(last);
        REQUIRE(reader.queue(buffer.index) == 0);
    }
    return torn;
}

} // namespace

TEST_SUITE("torn") {
    TEST_CASE("1000 frames, four dawdling readers, none torn") {
        Client writer(loop_node());
        v4l2_pix_format pix = writer.format(output);
        pix.width = 320;
        pix.height = 240;
        pix.bytesperline = 0;
        pix.sizeimage = 0;
        REQUIRE(writer.set_format(pix) == 0);
        start_writing(writer, 8);

        std::atomic<bool> stop = false;
        std::atomic<unsigned> torn = 0;
        std::vector<std::unique_ptr<Client>> clients;
        for (unsigned index = 0; index < readers; ++index) {
            clients.push_back(std::make_unique<Client>(loop_node()));
            start_reading(*clients.back(), 8);
        }
        const Counting counting;
        std::thread writing([&] { run_free(writer, stop); });
        std::vector<std::thread> reading;
        for (auto& client : clients)
            reading.emplace_back([&] { torn += look_slowly(*client); });
        for (auto& thread : reading)
            thread.join();
        stop = true;
        clients.clear();
        writing.join();
        CHECK(torn == 0);
        CHECK(counting.copies() == 0);
        CHECK(counting.reclaimed() == 0);
        MESSAGE("frames written: ", counting.frames(), ", delivered: ", counting.delivered(), " to ", readers,
                " readers, torn: ", torn.load());
    }
}
