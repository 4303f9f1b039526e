// SPDX-License-Identifier: MIT
#include "flow/frame.h"

#include "support/fake_system.h"
#include "support/frames.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeSystem;
using testing::PlacedFrame;

TEST_CASE("a payload is as long as the frame says, wherever it lies") {
    const FrameFormat format{};
    std::array<std::byte, 16> bytes{};
    PlacedFrame placed(format, bytes, 5);
    const Result<FrameBytes> mapped = FrameBytes::of(placed.frame);
    REQUIRE(mapped);
    CHECK(mapped->size() == 5);
    CHECK(mapped->planes().front().data() == bytes.data());

    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    placed.memory.planes[0] = {.dmabuf = &*buffer, .bytes = {}};
    {
        const Result<FrameBytes> payload = FrameBytes::of(placed.frame);
        REQUIRE(payload);
        CHECK(payload->size() == 5);
        CHECK(system.cpu_accesses == 1);
    }
    CHECK(system.cpu_accesses == 0);
}

TEST_CASE("planes that lie apart are read one by one, each from where its frame begins") {
    const FrameFormat format{};
    FakeSystem system;
    Result<DmabufBuffer> first = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    Result<DmabufBuffer> second = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    BufferMemory memory{.plane_count = 2,
                        .planes = {PlaneMemory{.dmabuf = &*first}, PlaneMemory{.dmabuf = &*second}}};
    Frame frame{.format = &format, .memory = &memory};
    frame.metadata.plane_count = 2;
    frame.metadata.planes = {PlanePayload{.bytesused = 300, .data_offset = 100},
                             PlanePayload{.bytesused = 50}};
    {
        const Result<FrameBytes> payload = FrameBytes::of(frame);
        REQUIRE(payload);
        REQUIRE(payload->planes().size() == 2);
        CHECK(payload->planes()[0].size() == 200);
        CHECK(payload->planes()[1].size() == 50);
        CHECK(payload->size() == 250);
        CHECK(system.cpu_accesses == 2);
    }
    CHECK(system.cpu_accesses == 0);

    frame.metadata.planes[1].bytesused = 4097;
    CHECK_FALSE(FrameBytes::of(frame));
    frame.metadata.planes[1] = {.bytesused = 10, .data_offset = 20}; // nonsense of a driver
    CHECK(FrameBytes::of(frame)->planes()[1].empty());
    CHECK(system.cpu_accesses == 0);
}

TEST_CASE("a payload that is longer than its memory is refused, and the CPU's look ended") {
    const FrameFormat format{};
    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    PlacedFrame placed(format, {}, 4097);
    placed.frame.metadata.sequence = 3;
    placed.memory.planes[0].dmabuf = &*buffer;
    const Result<FrameBytes> payload = FrameBytes::of(placed.frame);
    REQUIRE_FALSE(payload);
    CHECK(payload.error().message().starts_with("frame 3: "));
    CHECK(system.cpu_accesses == 0);
    placed.memory.planes[0].dmabuf = nullptr;
    CHECK_FALSE(FrameBytes::of(placed.frame));
}
