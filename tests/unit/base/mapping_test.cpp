// SPDX-License-Identifier: MIT
#include "base/mapping.h"

#include "support/fake_system.h"

#include <algorithm>
#include <cstdint>
#include <doctest/doctest.h>
#include <utility>

using namespace v4l2dma;
using testing::fake_mappings;
using testing::FakeSystem;

TEST_CASE("a mapping outlives its fd and goes with its owner") {
    FakeSystem system;
    UniqueFd fd = testing::fake_memory(8192);
    REQUIRE(::pwrite(fd.get(), "second page", 11, 4096) == 11);
    {
        const Result<Mapping> mapping = Mapping::map(fd.get(), 4096, 4096, MapAccess::read, "buffer", system);
        REQUIRE(mapping);
        fd.reset();
        CHECK(mapping->bytes().size() == 4096);
        CHECK(static_cast<char>(mapping->bytes()[0]) == 's');
        CHECK(fake_mappings() == 1);
    }
    CHECK(system.leaks() == 0);
}

TEST_CASE("a mapping has one owner at a time") {
    FakeSystem system;
    const UniqueFd fd = testing::fake_memory(4096);
    Result<Mapping> first = Mapping::map(fd.get(), 4096, 0, MapAccess::read_write, "buffer", system);
    Result<Mapping> second = Mapping::map(fd.get(), 4096, 0, MapAccess::read_write, "buffer", system);
    REQUIRE(first);
    REQUIRE(second);
    *first = std::move(*second); // unmaps its own
    CHECK(fake_mappings() == 1);
    CHECK_FALSE(*second);
    CHECK(second->bytes().empty());
    Mapping third = std::move(*first);
    CHECK(third.bytes().size() == 4096);
    Mapping& same = third;
    third = std::move(same);
    CHECK(third);
    third.reset();
    third.reset();
    CHECK(fake_mappings() == 0);
}

TEST_CASE("what cannot be mapped says why") {
    FakeSystem system;
    const UniqueFd fd = testing::fake_memory(4096);
    for (const int code : {ENOMEM, EIO, EBADF, ENODEV, EAGAIN}) {
        system.fail("mmap", code);
        const Result<Mapping> mapping =
            Mapping::map(fd.get(), 4096, 0, MapAccess::read_write, "/dev/video7 index 2", system);
        REQUIRE_FALSE(mapping);
        CHECK(mapping.error().operation == "mmap");
        CHECK(mapping.error().object == "/dev/video7 index 2");
        CHECK(mapping.error().code == code);
    }
    CHECK(Mapping::map(-1, 4096, 0, MapAccess::read, "buffer").error().code == EBADF);
    CHECK(Mapping::map(fd.get(), 0, 0, MapAccess::read, "buffer").error().code == EINVAL);
    CHECK(fake_mappings() == 0);
}

TEST_CASE("anonymous memory is zeroed, private and can be written") {
    for (const std::size_t length : {std::size_t{1}, std::size_t{4096}, std::size_t{614400}}) {
        const Result<Mapping> memory = Mapping::anonymous(length);
        REQUIRE(memory);
        CHECK(memory->bytes().size() == length);
        CHECK(reinterpret_cast<std::uintptr_t>(memory->bytes().data()) % 4096 == 0);
        CHECK(std::ranges::count(memory->bytes(), std::byte{0}) == static_cast<std::ptrdiff_t>(length));
        std::ranges::fill(memory->bytes(), std::byte{7});
        CHECK(memory->bytes().back() == std::byte{7});
    }
}

TEST_CASE("anonymous memory goes with its owner; where there is none, the error says how much was wanted") {
    FakeSystem system;
    {
        const Result<Mapping> memory = Mapping::anonymous(8192, system);
        REQUIRE(memory);
        CHECK(fake_mappings() == 1);
    }
    for (const int code : {ENOMEM, EAGAIN, EINVAL}) {
        system.fail("mmap_anonymous", code);
        const Result<Mapping> none = Mapping::anonymous(8192, system);
        REQUIRE_FALSE(none);
        CHECK(none.error().code == code);
        CHECK(none.error().operation == "mmap");
        CHECK(none.error().object == "8192 bytes of memory");
    }
    CHECK(system.leaks() == 0);
    CHECK(Mapping::anonymous(0).error().code == EINVAL);
    CHECK(Mapping::anonymous(std::size_t{1} << 62U).error().code == ENOMEM);
}
