// SPDX-License-Identifier: MIT
#include "base/system.h"

#include "base/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace v4l2dma;

TEST_CASE("the kernel's answers: what is negative is an errno") {
    System& system = real_system();
    CHECK(system.open("/nonexistent/v4l2dma", O_RDONLY | O_CLOEXEC) == -ENOENT);
    const UniqueFd null(system.open("/dev/null", O_RDWR | O_CLOEXEC));
    REQUIRE(null);
    v4l2_capability capability{};
    CHECK(system.ioctl(null.get(), VIDIOC_QUERYCAP, &capability) == -ENOTTY);
    CHECK(system.ioctl(-1, VIDIOC_QUERYCAP, &capability) == -EBADF);
    struct stat status {};
    CHECK(system.fstat(null.get(), status) == 0);
    CHECK(S_ISCHR(status.st_mode));
    CHECK(system.fstat(-1, status) == -EBADF);
    CHECK(system.mmap(-1, 4096, PROT_READ, 0).error() == EBADF);
    epoll_event event{};
    CHECK(system.epoll_control(-1, EPOLL_CTL_ADD, 0, event) == -EBADF);
    CHECK(system.epoll_wait(-1, &event, 1, 0) == -EBADF);
}

TEST_CASE("the clock does not go back") {
    const auto before = real_system().now();
    CHECK(before.count() > 0);
    CHECK(real_system().now() >= before);
}

TEST_CASE("video nodes are listed in order of number") {
    std::vector<unsigned> numbers;
    for (const std::string& node : real_system().video_nodes()) {
        REQUIRE(node.starts_with("/dev/video"));
        unsigned number = 0;
        const auto [rest, error] = std::from_chars(node.data() + 10, node.data() + node.size(), number);
        CHECK(error == std::errc());
        CHECK(rest == node.data() + node.size());
        numbers.push_back(number);
    }
    CHECK(std::ranges::is_sorted(numbers));
}

TEST_CASE("a sealed memfd grows and does not shrink") {
    System& system = real_system();
    const UniqueFd memory(system.memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(memory);
    CHECK(system.ftruncate(memory.get(), 8192) == 0);
    CHECK(system.add_seals(memory.get(), F_SEAL_SHRINK) == 0);
    CHECK(system.ftruncate(memory.get(), 4096) == -EPERM);
    struct stat status {};
    CHECK(system.fstat(memory.get(), status) == 0);
    CHECK(status.st_size == 8192);

    CHECK(system.memfd_create("test", ~0U) == -EINVAL);
    CHECK(system.ftruncate(-1, 4096) == -EBADF);
    CHECK(system.add_seals(-1, F_SEAL_SHRINK) == -EBADF);
}

TEST_CASE("a folder is listed in order; what cannot be read is empty") {
    System& system = real_system();
    const std::vector<std::string> names = system.list_folder("/dev");
    CHECK(std::ranges::is_sorted(names));
    CHECK(std::ranges::count(names, "null") == 1);
    CHECK(system.list_folder("/dev/nonexistent").empty());
    CHECK(system.list_folder("/dev/null").empty());
}

TEST_CASE("some memory is available, in bytes") {
    const std::optional<std::uint64_t> available = real_system().available_memory();
    REQUIRE(available);
    CHECK(*available > 1U << 20U);
    CHECK(*available < static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}
