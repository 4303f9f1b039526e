// SPDX-License-Identifier: MIT
#include "base/unique_fd.h"

#include "support/fake_device.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::fake_memory;
using testing::open_fake_fds;

TEST_CASE("an fd is closed once, by its last owner") {
    {
        UniqueFd first = fake_memory(0);
        UniqueFd second = std::move(first);
        CHECK_FALSE(first);
        CHECK(second);
        CHECK(open_fake_fds() == 1);
        first = fake_memory(0);
        second = std::move(first); // closes its own
        CHECK(open_fake_fds() == 1);
        UniqueFd& same = second;
        second = std::move(same);
        CHECK(second);
        CHECK(open_fake_fds() == 1);
    }
    CHECK(open_fake_fds() == 0);
}

TEST_CASE("a released fd is somebody else's") {
    UniqueFd fd = fake_memory(0);
    const int number = fd.release();
    CHECK_FALSE(fd);
    CHECK(fd.get() == -1);
    CHECK(open_fake_fds() == 1);
    fd.reset(number);
    fd.reset();
    fd.reset();
    CHECK(open_fake_fds() == 0);
}

TEST_CASE("0 is an fd, too") {
    UniqueFd fd(0);
    CHECK(fd);
    CHECK(fd.release() == 0);
}
