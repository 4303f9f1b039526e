// SPDX-License-Identifier: MIT
#include "dmabuf/descriptor.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

FrameFormat nv12(std::uint32_t stride, std::uint32_t size) {
    FrameFormat format{.fourcc = FourCC("NV12"), .width = 16, .height = 8};
    format.planes[0] = {.bytesperline = stride, .sizeimage = size};
    return format;
}

} // namespace

TEST_CASE("a frame's planes lie one after the other in its dma-buf") {
    const Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096));
    REQUIRE(buffer);
    const Result<DmabufDescriptor> descriptor = describe(*buffer, nv12(32, 32 * 12));
    REQUIRE(descriptor);
    CHECK(descriptor->plane_count == 2);
    CHECK(descriptor->planes[0].fd == buffer->fd());
    CHECK(descriptor->planes[0].stride == 32);
    CHECK(descriptor->planes[0].size == 32 * 8);
    CHECK(descriptor->planes[1].offset == 32 * 8);
    CHECK(descriptor->planes[1].size == 32 * 4);
    CHECK(descriptor->modifier == 0);
}

TEST_CASE("a compressed frame is one plane without a stride") {
    const Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096));
    REQUIRE(buffer);
    const Result<DmabufDescriptor> descriptor =
        describe(*buffer, {.fourcc = FourCC("MJPG"), .width = 16, .height = 8});
    REQUIRE(descriptor);
    CHECK(descriptor->plane_count == 1);
    CHECK(descriptor->planes[0].stride == 0);
    CHECK(descriptor->planes[0].size == 4096);
}

TEST_CASE("a dma-buf that is shorter than the frame is refused") {
    const Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096));
    REQUIRE(buffer);
    FrameFormat format = nv12(4096, 4096 * 12);
    const Result<DmabufDescriptor> descriptor = describe(*buffer, format);
    REQUIRE_FALSE(descriptor);
    CHECK(descriptor.error().kind == ErrorKind::device);
    CHECK(descriptor.error().message().contains("4096 bytes"));
    format.fourcc = FourCC("ZZZZ");
    CHECK(describe(*buffer, format).error().kind == ErrorKind::unsupported);
}
