// SPDX-License-Identifier: MIT
#include "dmabuf/buffer.h"

#include "support/fake_system.h"
#include "support/pipe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/dma-buf.h>

using namespace v4l2dma;
using testing::FakeSystem;

TEST_CASE("a dma-buf is adopted with its identity and size") {
    FakeSystem system;
    UniqueFd fd = testing::fake_memory(8192);
    const int number = fd.get();
    const Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(fd), system);
    REQUIRE(buffer);
    CHECK(buffer->fd() == number);
    CHECK(buffer->size() == 8192);
    CHECK(buffer->identity().inode != 0);
    CHECK_FALSE(DmabufBuffer());
}

TEST_CASE("an fd that cannot be adopted is closed") {
    FakeSystem system;
    system.fail("fstat", ENOMEM);
    const Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().operation == "fstat");
    CHECK(buffer.error().code == ENOMEM);
    CHECK(system.leaks() == 0);

    testing::Pipe pipe; // has no size
    const int end = pipe.reader.get();
    const Result<DmabufBuffer> sizeless = DmabufBuffer::adopt(std::move(pipe.reader), system);
    REQUIRE_FALSE(sizeless);
    CHECK(sizeless.error().operation == "lseek");
    CHECK(sizeless.error().code == ESPIPE);
    char byte = 0;
    CHECK(::read(end, &byte, 1) < 0); // closed
    CHECK(errno == EBADF);

    const Result<DmabufBuffer> none = DmabufBuffer::adopt(UniqueFd(), system);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == EBADF);
}

TEST_CASE("the CPU's look is begun and ended, its mapping kept") {
    FakeSystem system;
    {
        Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
        REQUIRE(buffer);
        REQUIRE(::pwrite(buffer->fd(), "pixels", 6, 0) == 6);
        for (int i = 0; i < 2; ++i) {
            Result<CpuAccess> access = buffer->read();
            REQUIRE(access);
            CHECK(system.cpu_accesses == 1);
            CHECK(access->bytes().size() == 4096);
            CHECK(static_cast<char>(access->bytes()[0]) == 'p');
            const CpuAccess moved = std::move(*access);
            CHECK(moved.bytes().size() == 4096);
        }
        CHECK(system.cpu_accesses == 0); // also by what was moved from, once
        CHECK(system.count("mmap") == 1);
        CHECK(testing::fake_mappings() == 1);
    }
    CHECK(system.leaks() == 0);
}

TEST_CASE("what the CPU writes is in the dma-buf, and can be read at the same time") {
    FakeSystem system;
    {
        Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
        REQUIRE(buffer);
        const Result<CpuAccess> before = buffer->read();
        REQUIRE(before);
        {
            Result<CpuWriteAccess> access = buffer->write();
            REQUIRE(access);
            CHECK(system.cpu_accesses == 2);
            CHECK(access->bytes().size() == 4096);
            access->bytes()[5] = std::byte{'w'};
            CHECK(before->bytes()[5] == std::byte{'w'}); // one memory, and still mapped
        }
        char written = 0;
        REQUIRE(::pread(buffer->fd(), &written, 1, 5) == 1);
        CHECK(written == 'w');
        CHECK(buffer->write());
        CHECK(buffer->read());
        CHECK(system.count("mmap") == 2); // one of each kind, kept
    }
    CHECK(system.cpu_accesses == 0);
    CHECK(system.leaks() == 0);
}

TEST_CASE("an access ends once, with the flags it started with") {
    FakeSystem system;
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
    REQUIRE(buffer);
    {
        Result<CpuWriteAccess> access = buffer->write();
        REQUIRE(access);
        const CpuWriteAccess moved = std::move(*access);
        CHECK(moved.bytes().size() == 4096);
        CHECK(access->bytes().empty());
    }
    CHECK(system.sync_flags == std::vector<std::uint64_t>{DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW,
                                                          DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW});
    system.sync_flags.clear();
    CHECK(buffer->read());
    CHECK(system.sync_flags == std::vector<std::uint64_t>{DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ,
                                                          DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ});
}

TEST_CASE("a dma-buf exported for reading can be read, and says why it cannot be written") {
    FakeSystem system;
    const UniqueFd memory = testing::fake_memory(4096);
    const std::string path = "/proc/self/fd/" + std::to_string(memory.get());
    Result<DmabufBuffer> buffer =
        DmabufBuffer::adopt(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), system);
    REQUIRE(buffer);
    const Result<CpuWriteAccess> refused = buffer->write();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == EACCES);
    CHECK(refused.error().message().contains("exported for reading only"));
    CHECK(system.cpu_accesses == 0);
    CHECK(buffer->read());
}

TEST_CASE("a write that fails is not begun, and may be tried again") {
    for (const int code : {EIO, EBADF, ENOMEM, EINTR, EAGAIN, ENODEV})
        for (const std::string_view call : {"mmap", "DMA_BUF_IOCTL_SYNC"}) {
            FakeSystem system;
            system.fail(call, code);
            {
                Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
                REQUIRE(buffer);
                const Result<CpuWriteAccess> access = buffer->write();
                REQUIRE_FALSE(access);
                CHECK(access.error().operation == call);
                CHECK(access.error().code == code);
                CHECK(system.cpu_accesses == 0);
                CHECK(buffer->write());
                CHECK(system.cpu_accesses == 0);
            }
            CHECK(system.leaks() == 0);
        }
}

TEST_CASE("a look that fails is not begun, and may be tried again") {
    for (const int code : {EIO, EBADF, ENOMEM, EBUSY, EAGAIN, ENOTTY})
        for (const std::string_view call : {"mmap", "DMA_BUF_IOCTL_SYNC"}) {
            FakeSystem system;
            system.fail(call, code);
            {
                Result<DmabufBuffer> buffer = DmabufBuffer::adopt(testing::fake_memory(4096), system);
                REQUIRE(buffer);
                const Result<CpuAccess> access = buffer->read();
                REQUIRE_FALSE(access);
                CHECK(access.error().operation == call);
                CHECK(access.error().code == code);
                CHECK(access.error().object == "dma-buf inode " + std::to_string(buffer->identity().inode));
                CHECK(system.cpu_accesses == 0);
                CHECK(buffer->read());
                CHECK(system.cpu_accesses == 0);
            }
            CHECK(system.leaks() == 0);
        }
}
