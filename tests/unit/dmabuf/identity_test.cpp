// SPDX-License-Identifier: MIT
#include "dmabuf/identity.h"

#include "base/unique_fd.h"
#include "support/fake_system.h"

#include <doctest/doctest.h>
#include <fcntl.h>

using namespace v4l2dma;
using testing::FakeSystem;

TEST_CASE("a dma-buf is its inode, whatever the fd") {
    FakeSystem system;
    const UniqueFd one = testing::fake_memory(4096);
    const UniqueFd other = testing::fake_memory(4096);
    const UniqueFd again(::fcntl(one.get(), F_DUPFD_CLOEXEC, 0));
    CHECK(*identify_dmabuf(one.get(), system) == *identify_dmabuf(again.get(), system));
    CHECK(*identify_dmabuf(one.get(), system) != *identify_dmabuf(other.get(), system));
}

TEST_CASE("a number that comes back is not the same dma-buf") {
    FakeSystem system;
    UniqueFd fd = testing::fake_memory(4096);
    const int number = fd.get();
    const DmabufIdentity before = *identify_dmabuf(number, system);
    const UniqueFd kept(::fcntl(number, F_DUPFD_CLOEXEC, 0)); // its inode stays taken
    fd.reset();
    fd = testing::fake_memory(4096);
    REQUIRE(fd.get() == number);
    CHECK(*identify_dmabuf(number, system) != before);
}

TEST_CASE("an fd that is none has no identity") {
    FakeSystem system;
    const Result<DmabufIdentity> identity = identify_dmabuf(-1, system);
    REQUIRE_FALSE(identity);
    CHECK(identity.error().operation == "fstat");
    CHECK(identity.error().code == EBADF);
}
