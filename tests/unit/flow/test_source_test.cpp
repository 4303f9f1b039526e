// SPDX-License-Identifier: MIT
#include "flow/test_source.h"

#include "flow/frame_stamp.h"
#include "flow/shared_memory.h"

#include <doctest/doctest.h>
#include <poll.h>

using namespace v4l2dma;

namespace {

Result<std::unique_ptr<TestSource>> open(std::string_view name, const CaptureWishes& wishes = {}) {
    return TestSource::open(name, wishes);
}

/// Waits for the source's next frame as the pump does.
std::optional<Frame> next(TestSource& source) {
    pollfd waiting{.fd = source.event_fd(), .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&waiting, 1, 10'000) == 1);
    const Result<std::optional<Frame>> frame = source.take();
    REQUIRE(frame);
    return *frame;
}

} // namespace

TEST_CASE("a name says what is drawn, in any order; options go before it") {
    CHECK((*open("test:"))->format().text() == "YUYV 640x480");
    CHECK((*open("test:smpte,NV12,320x180,25"))->format().text() == "NV12 320x180");
    CHECK((*open("test:smpte,25,320x180"))->format().text() == "YUYV 320x180");
    CHECK((*open("test:,,NV12,"))->format().text() == "NV12 640x480");
    CaptureWishes wishes;
    wishes.width = 64;
    wishes.format = "RGB3";
    CHECK((*open("test:bars,320x180,NV12", wishes))->format().text() == "RGB3 64x180");
}

TEST_CASE("what cannot be drawn is a usage error") {
    for (const std::string_view name : {"test:bar", "test:bars,0x480", "test:bars,640x99999", "test:bars,NV1",
                                        "test:bars,640x", "test:bars,0", "test:bars,-5", "test:bars,nan",
                                        "test:bars,1e9", "test:bars,640x480x2", "test:bars,99999999999x1"}) {
        CAPTURE(name);
        const auto source = open(name);
        REQUIRE_FALSE(source);
        CHECK(source.error().kind == ErrorKind::usage);
    }
    CHECK_FALSE(open("test:bars,MJPG"));
}

TEST_CASE("each frame carries its number, in whatever buffer it is drawn") {
    auto source = open("test:gradient,320x180,NM12,1000");
    REQUIRE(source);
    Result<SharedMemory> memory = SharedMemory::plain((*source)->format(), 2);
    REQUIRE(memory);
    REQUIRE((*source)->use(MemoryRole::touches, memory->buffers()));
    REQUIRE((*source)->start());
    std::optional<std::uint32_t> previous;
    for (int i = 0; i < 5; ++i) {
        const std::optional<Frame> frame = next(**source);
        REQUIRE(frame);
        const Result<FrameBytes> bytes = FrameBytes::of(*frame);
        REQUIRE(bytes);
        const std::optional<FrameStamp> stamp = read_stamp((*source)->format(), bytes->planes());
        REQUIRE(stamp);
        CHECK(stamp->frame_number == frame->metadata.sequence);
        CHECK(stamp->timestamp == frame->metadata.timestamp);
        if (previous)
            CHECK(frame->metadata.sequence > *previous);
        previous = frame->metadata.sequence;
        REQUIRE((*source)->give_back(frame->index));
    }
}

TEST_CASE("a frame for which there is no buffer is missing in the sequence") {
    auto source = open("test:black,64x24,YUYV,1000");
    REQUIRE(source);
    Result<SharedMemory> memory = SharedMemory::plain((*source)->format(), 1);
    REQUIRE(memory);
    REQUIRE((*source)->use(MemoryRole::touches, memory->buffers()));
    REQUIRE((*source)->start());
    const std::optional<Frame> first = next(**source);
    REQUIRE(first);
    CHECK((*source)->available() == 0);
    CHECK_FALSE(next(**source));
    REQUIRE((*source)->give_back(first->index));
    CHECK(next(**source)->metadata.sequence > first->metadata.sequence + 1);
    (*source)->release();
    CHECK((*source)->available() == 0);
}

TEST_CASE("it can draw other formats of the same size, unless one was asked for") {
    const auto source = *open("test:bars,320x180");
    const std::vector<FrameFormat> others = source->other_formats();
    CHECK(others.size() > 20);
    for (const FrameFormat& format : others) {
        CHECK(format.width == 320);
        CHECK(format.height == 180);
        CHECK(format.fourcc != FourCC("YUYV"));
        CHECK(TestPatternPainter::create(TestPattern::bars, format));
    }
    CHECK((*open("test:bars,NV12"))->other_formats().empty());
    CaptureWishes wishes;
    wishes.format = "YUYV";
    CHECK((*open("test:bars", wishes))->other_formats().empty());
}

TEST_CASE("another format is drawn from the next frame on") {
    const auto source = *open("test:bars,64x24,1000");
    const auto nv12 = *tight_format(FourCC("NV12"), 64, 24);
    REQUIRE(source->set_format(nv12));
    CHECK(source->format() == nv12);
    auto memory = *SharedMemory::plain(nv12, 2, real_system());
    REQUIRE(source->use(MemoryRole::touches, memory.buffers()));
    REQUIRE(source->start());
    const std::optional<Frame> frame = next(*source);
    REQUIRE(frame);
    CHECK(frame->metadata.payload() == 64 * 24 * 3 / 2);
    CHECK(frame->format->fourcc == FourCC("NV12"));
    CHECK_FALSE(source->set_format({.fourcc = FourCC("MJPG"), .width = 64, .height = 24}));
    source->release();
}
