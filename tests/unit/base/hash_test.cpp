// SPDX-License-Identifier: MIT
#include "base/hash.h"

#include <array>
#include <doctest/doctest.h>
#include <set>
#include <vector>

using namespace v4l2dma;

TEST_CASE("equal bytes have equal hashes, wherever they lie") {
    std::vector<std::byte> memory(64);
    for (std::size_t i = 0; i < memory.size(); ++i)
        memory[i] = static_cast<std::byte>(i % 21);
    const std::span<const std::byte> whole(memory);
    CHECK(hash_bytes(whole.subspan(0, 20)) == hash_bytes(whole.subspan(21, 20))); // not aligned
    CHECK(hash_bytes({}) == 0xcbf29ce484222325);
}

TEST_CASE("each byte, its place and the length count") {
    std::set<std::uint64_t> seen;
    std::array<std::byte, 27> bytes{};
    for (std::size_t length = 0; length <= bytes.size(); ++length)
        CHECK(seen.insert(hash_bytes(std::span(bytes).first(length))).second);
    for (std::byte& byte : bytes)
        for (const std::byte value : {std::byte{1}, std::byte{0x80}}) {
            byte = value;
            CHECK(seen.insert(hash_bytes(bytes)).second);
            byte = std::byte{0};
        }
}
