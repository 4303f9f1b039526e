// SPDX-License-Identifier: MIT
// What an allocator gives: size, content, identity, and what it leaves behind.
#include "subject.h"

#include <algorithm>
#include <cerrno>
#include <drm.h>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <sys/ioctl.h>

using namespace v4l2dma;

namespace {

constexpr std::byte dirt{0xa5};

std::size_t open_fds() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                  std::filesystem::directory_iterator()));
}

DmabufBuffer other_fd_of(const DmabufBuffer& buffer) {
    return must(DmabufBuffer::adopt(UniqueFd(::fcntl(buffer.fd(), F_DUPFD_CLOEXEC, 0))));
}

} // namespace

TEST_CASE("memory comes in whole pages and is zeroed, also what somebody else filled before") {
    const auto allocator = open_subject();
    for (int round = 0; round < 8; ++round)
        for (const std::size_t bytes : {std::size_t{1}, std::size_t{4097}, std::size_t{3110400}}) {
            DmabufBuffer buffer = must(allocator->allocate(bytes));
            CHECK(buffer.size() >= bytes);
            CHECK(buffer.size() % 4096 == 0);
            {
                const CpuAccess access = must(buffer.read());
                CHECK(access.bytes().size() == buffer.size());
                CHECK(std::ranges::count(access.bytes(), std::byte{0}) ==
                      static_cast<std::ptrdiff_t>(buffer.size()));
            }
            std::ranges::fill(must(buffer.write()).bytes(), dirt);
        }
}

TEST_CASE("what is written through one fd is read through another; one dma-buf is not another") {
    const auto allocator = open_subject();
    DmabufBuffer buffer = must(allocator->allocate(614400));
    DmabufBuffer same = other_fd_of(buffer);
    DmabufBuffer other = must(allocator->allocate(614400));
    CHECK(same.fd() != buffer.fd());
    CHECK(same.identity() == buffer.identity());
    CHECK(other.identity() != buffer.identity());
    {
        const CpuWriteAccess access = must(buffer.write());
        for (std::size_t i = 0; i < access.bytes().size(); ++i)
            access.bytes()[i] = static_cast<std::byte>(i / 7);
    }
    const CpuAccess seen = must(same.read());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < seen.bytes().size(); ++i)
        wrong += seen.bytes()[i] != static_cast<std::byte>(i / 7) ? 1U : 0U;
    CHECK(wrong == 0);
    CHECK(must(other.read()).bytes()[100] == std::byte{0});
}

TEST_CASE("buffers outlive their allocator and leave nothing open") {
    const std::size_t before = open_fds();
    {
        auto allocator = open_subject();
        DmabufBuffer buffer = must(allocator->allocate(4096));
        for (int i = 0; i < 50; ++i)
            must(allocator->allocate(4096));
        CHECK(open_fds() == before + 2);
        allocator.reset();
        must(buffer.write()).bytes()[0] = dirt;
        CHECK(must(buffer.read()).bytes()[0] == dirt);
    }
    CHECK(open_fds() == before);
}

// A heap would try, and the kernel end everything else for it.
TEST_CASE("more than there is, is an error") {
    const auto allocator = open_subject();
    const Result<DmabufBuffer> buffer = allocator->allocate(std::size_t{1} << 40U);
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().code == ENOMEM);
    CHECK(buffer.error().object.contains(allocator->path()));
}

TEST_CASE("udmabuf's limit is an error that names it") {
    const auto allocator = open_subject();
    const Result<DmabufBuffer> buffer = allocator->allocate(std::size_t{65} << 20U);
    CHECK(buffer.has_value() == (allocator->name() != "udmabuf"));
    if (!buffer) {
        CHECK(buffer.error().code == EINVAL);
        CHECK(buffer.error().detail.contains("size_limit_mb"));
    }
}

TEST_CASE("a card can be shown on by somebody else") {
    const auto allocator = open_subject();
    if (allocator->name() != "drm")
        return;
    // Whoever opens a card without a master is its master; to become it again changes nothing then.
    const UniqueFd other(::open(allocator->path().c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(other);
    CHECK_MESSAGE(::ioctl(other.get(), DRM_IOCTL_SET_MASTER, nullptr) == 0, errno);
}

TEST_CASE("the list says what works") {
    const std::string subject = environment("V4L2DMA_ALLOCATOR");
    bool found = false;
    for (const AllocatorState& state : list_allocators()) {
        MESSAGE(state.name, " ", state.path, ": ", state.usable ? "works" : state.usable.error().message());
        found = found || (state.name == subject && state.usable);
    }
    CHECK(found);
    CHECK(DmabufAllocator::open(""));
    CHECK(DmabufAllocator::open("nonsense").error().kind == ErrorKind::usage);
}

// Run as somebody else than root.
TEST_CASE("nobody may allocate" * doctest::skip()) {
    for (const AllocatorState& state : list_allocators()) {
        REQUIRE_FALSE(state.usable);
        const int code = state.usable.error().code;
        CHECK_MESSAGE((code == EACCES || code == ENOENT), state.usable.error().message());
        CHECK_FALSE(state.usable.error().remedy.empty());
    }
    const auto best = DmabufAllocator::open("");
    REQUIRE_FALSE(best);
    CHECK(best.error().message().contains("Permission denied"));
    CHECK(best.error().remedy.starts_with("Run as"));
}
