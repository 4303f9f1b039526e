// SPDX-License-Identifier: MIT
#include "flow/null_sink.h"

#include "support/frames.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using namespace std::chrono_literals;

namespace {

FrameFormat yuyv() {
    FrameFormat format{.fourcc = FourCC("YUYV"), .width = 16, .height = 8};
    format.planes[0] = {.bytesperline = 32, .sizeimage = 300}; // 256 and some padding
    return format;
}

/// Puts frames of this format, one after the other.
class Consumer {
public:
    explicit Consumer(const FrameFormat& format = yuyv()) : format_(format) {
        REQUIRE(sink.set_format(format));
    }
    NullSink::Faults put(std::uint32_t sequence, std::chrono::microseconds timestamp = 0us,
                         std::uint32_t bytesused = 256) {
        Frame frame{.index = sequence % 4, .format = &format_, .metadata = testing::one_plane(bytesused)};
        frame.metadata.sequence = sequence;
        frame.metadata.timestamp = timestamp;
        CHECK(sink.put(frame)->kept);
        CHECK(sink.in_flight() == 1);
        CHECK(sink.reclaim() == frame.index);
        CHECK(sink.reclaim()->has_value() == false);
        CHECK(sink.in_flight() == 0);
        return sink.faults();
    }
    NullSink sink{false};

private:
    FrameFormat format_;
};

} // namespace

TEST_CASE("a good stream has no faults, also with gaps") {
    Consumer consumer;
    consumer.put(0, 10ms);
    consumer.put(1, 10ms);
    CHECK(consumer.put(9, 300ms).sum() == 0);
}

TEST_CASE("a sequence that does not grow is a fault, a wrap is none") {
    Consumer consumer;
    consumer.put(0xffffffff);
    CHECK(consumer.put(0).sequence == 0);
    CHECK(consumer.put(0).sequence == 1);
    consumer.put(5);
    CHECK(consumer.put(4).sequence == 2);
    CHECK(consumer.put(5).sum() == 2);
}

TEST_CASE("a timestamp that goes back is a fault") {
    Consumer consumer;
    consumer.put(0, 2s);
    CHECK(consumer.put(1, 1s).timestamp == 1);
    CHECK(consumer.put(2, 1s).timestamp == 1);
}

TEST_CASE("a payload is as long as the format needs, and no longer than a buffer") {
    Consumer consumer;
    CHECK(consumer.put(0, 0us, 256).size == 0);
    CHECK(consumer.put(1, 0us, 300).size == 0);
    CHECK(consumer.put(2, 0us, 255).size == 1);
    CHECK(consumer.put(3, 0us, 301).size == 2);
    CHECK(consumer.put(4, 0us, 0).size == 3);

    FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 16, .height = 8};
    jpeg.planes[0].sizeimage = 300;
    Consumer compressed(jpeg);
    CHECK(compressed.put(0, 0us, 1).size == 0);
    CHECK(compressed.put(1, 0us, 0).size == 1);
    jpeg.fourcc = FourCC("ZZZZ"); // not in the table: no least size is known
    Consumer unknown(jpeg);
    CHECK(unknown.put(0, 0us, 1).size == 0);
}

TEST_CASE("another format is another stream, the faults stay") {
    Consumer consumer;
    consumer.put(7, 5s);
    consumer.put(7, 5s);
    REQUIRE(consumer.sink.set_format(yuyv()));
    CHECK(consumer.put(0, 1s).sum() == 1);
}

TEST_CASE("it takes what it was made for and has no buffers") {
    NullSink mapped(false);
    CHECK_FALSE(mapped.why_not(MemoryRole::imports).empty());
    CHECK(mapped.why_not(MemoryRole::touches).empty());
    NullSink dmabufs(true);
    CHECK(dmabufs.why_not(MemoryRole::imports).empty());
    for (const MemoryRole role :
         {MemoryRole::exports, MemoryRole::lends, MemoryRole::borrows, MemoryRole::copies})
        CHECK_FALSE(dmabufs.why_not(role).empty());
    CHECK(dmabufs.provide(MemoryRole::lends, 3).error().kind == ErrorKind::unsupported);
    CHECK(dmabufs.event_fds().empty());
}

TEST_CASE("the verdict counts the faults, and is good without any") {
    Consumer good;
    good.put(0, 1ms);
    CHECK(good.sink.verdict());
    Consumer bad;
    bad.put(1, 2ms);
    bad.put(1, 1ms);
    const Status verdict = bad.sink.verdict();
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().message().contains(
        "1 frames with a sequence number that did not grow, 1 with a timestamp that went back"));
}
