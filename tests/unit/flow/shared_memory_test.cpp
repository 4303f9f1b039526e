// SPDX-License-Identifier: MIT
#include "flow/shared_memory.h"

#include "support/fake_system.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeSystem;

TEST_CASE("ordinary memory for every plane of every buffer, page-aligned and zeroed, also after a move") {
    const FrameFormat format = *tight_format(FourCC("NM12"), 64, 32);
    Result<SharedMemory> made = SharedMemory::plain(format, 3);
    REQUIRE(made);
    SharedMemory memory = std::move(*made);
    REQUIRE(memory.buffers().size() == 3);
    for (const BufferMemory& buffer : memory.buffers()) {
        REQUIRE(buffer.plane_count == 2);
        for (std::uint32_t i = 0; i < 2; ++i) {
            const std::span<std::byte> bytes = buffer.planes[i].bytes;
            CHECK(bytes.size() == format.planes[i].sizeimage);
            CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096 == 0);
            CHECK(std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; }));
            CHECK(buffer.planes[i].dmabuf == nullptr);
            bytes[0] = std::byte{1}; // each has memory of its own
        }
    }
}

TEST_CASE("without an allocator there are no dma-bufs, and nothing is left behind") {
    FakeSystem system;
    const FrameFormat format = *tight_format(FourCC("YUYV"), 64, 32);
    const Result<SharedMemory> memory = SharedMemory::dmabufs(format, 3, "", true, system);
    REQUIRE_FALSE(memory);
    CHECK(memory.error().message().contains("none works"));
    CHECK(system.leaks() == 0);
}
