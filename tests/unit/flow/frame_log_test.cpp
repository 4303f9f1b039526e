// SPDX-License-Identifier: MIT
#include "flow/frame_log.h"

#include "base/hash.h"
#include "support/fake_system.h"
#include "support/frames.h"
#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

using namespace v4l2dma;
using testing::FakeSystem;
using testing::read_file;
using testing::TemporaryFolder;

namespace {

const FrameFormat format{};

struct Logged : testing::PlacedFrame {
    Logged(std::span<std::byte> bytes, std::uint32_t bytesused) : PlacedFrame(format, bytes, bytesused) {
        frame.index = 2;
        frame.metadata.sequence = 41;
        frame.metadata.timestamp = std::chrono::microseconds(1'000'007);
    }
};

} // namespace

TEST_CASE("a line for each frame reaches the file at once") {
    const TemporaryFolder folder;
    const std::string path = folder.file("log");
    const auto log = FrameLog::create(path);
    REQUIRE(log);
    std::array<std::byte, 16> memory{};
    REQUIRE((*log)->observe(Logged(memory, 8).frame));
    const std::string line =
        fmt::format("41 1000007 2 - {:016x}\n", hash_bytes(std::span<const std::byte>(memory).first(8)));
    CHECK(read_file(path) == line);
    REQUIRE((*log)->observe(Logged(memory, 8).frame));
    CHECK(read_file(path) == line + line);
}

TEST_CASE("a dma-buf is read by the CPU and named by its inode") {
    const TemporaryFolder folder;
    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    const auto log = FrameLog::create(folder.file("log"));
    REQUIRE(log);
    Logged logged({}, 8);
    logged.memory.planes[0].dmabuf = &*buffer;
    const Frame& frame = logged.frame;
    REQUIRE((*log)->observe(frame));
    CHECK(read_file(folder.file("log")).contains(fmt::format(" 2 {} ", buffer->identity().inode)));
    CHECK(system.cpu_accesses == 0);
    CHECK(system.count("DMA_BUF_IOCTL_SYNC") == 2);

    system.fail("DMA_BUF_IOCTL_SYNC", EIO);
    const Status status = (*log)->observe(frame);
    REQUIRE_FALSE(status);
    CHECK(status.error().operation == "DMA_BUF_IOCTL_SYNC");
}

TEST_CASE("a payload beyond its memory is no frame") {
    const TemporaryFolder folder;
    const auto log = FrameLog::create(folder.file("log"));
    REQUIRE(log);
    std::array<std::byte, 16> memory{};
    const Status status = (*log)->observe(Logged(memory, 17).frame);
    REQUIRE_FALSE(status);
    CHECK(status.error().message().contains("17 bytes"));
    CHECK(read_file(folder.file("log")).empty());
}

TEST_CASE("a log that cannot be written is a failed run, not a missing device") {
    const TemporaryFolder folder;
    const auto log = FrameLog::create(folder.file("missing/log"));
    REQUIRE_FALSE(log);
    CHECK(log.error().kind == ErrorKind::system);
    CHECK(log.error().code == ENOENT);

    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    const auto unread = FrameLog::create(folder.file("pipe"));
    REQUIRE_FALSE(unread);
    CHECK(unread.error().code == ENXIO);

    const auto full = FrameLog::create("/dev/full");
    REQUIRE(full);
    std::array<std::byte, 16> memory{};
    const Status status = (*full)->observe(Logged(memory, 8).frame);
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == "write /dev/full: No space left on device");
}
