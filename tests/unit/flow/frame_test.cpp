// SPDX-License-Identifier: MIT
#include "flow/frame.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeSystem;

TEST_CASE("a payload is as long as the frame says, wherever it lies") {
    const FrameFormat format{};
    const std::array<std::byte, 16> memory{};
    Frame frame{.format = &format, .metadata = {.bytesused = 5}, .mapped = memory};
    CHECK(FrameBytes::of(frame)->bytes().size() == 5);
    CHECK(FrameBytes::of(frame)->bytes().data() == memory.data());

    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    frame.mapped = {};
    frame.dmabuf = &*buffer;
    {
        const Result<FrameBytes> payload = FrameBytes::of(frame);
        REQUIRE(payload);
        CHECK(payload->bytes().size() == 5);
        CHECK(system.cpu_accesses == 1);
    }
    CHECK(system.cpu_accesses == 0);
}

TEST_CASE("a payload that is longer than its memory is refused, and the CPU's look ended") {
    const FrameFormat format{};
    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    Frame frame{.format = &format, .metadata = {.bytesused = 4097, .sequence = 3}, .dmabuf = &*buffer};
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    REQUIRE_FALSE(payload);
    CHECK(payload.error().message().starts_with("frame 3: "));
    CHECK(system.cpu_accesses == 0);
    frame.dmabuf = nullptr;
    CHECK_FALSE(FrameBytes::of(frame));
}
