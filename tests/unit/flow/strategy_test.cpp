// SPDX-License-Identifier: MIT
#include "flow/strategy.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("paths are ordered from best to worst") {
    std::string names;
    for (const Strategy& strategy : strategies())
        names += (names.empty() ? "" : " ") + std::string(strategy.name);
    CHECK(names == "sink-exports source-exports mmap copy");
    bool still_zero_copy = true;
    for (const Strategy& strategy : strategies()) {
        CHECK_FALSE((strategy.zero_copy && !still_zero_copy));
        CHECK_FALSE((strategy.zero_copy && strategy.copies));
        still_zero_copy = strategy.zero_copy;
    }
}

TEST_CASE("each role's memory type") {
    CHECK(Strategy::memory_of(MemoryRole::exports) == Memory::mmap);
    CHECK(Strategy::memory_of(MemoryRole::maps) == Memory::mmap);
    CHECK(Strategy::memory_of(MemoryRole::imports) == Memory::dmabuf);
    CHECK_FALSE(Strategy::memory_of(MemoryRole::reads));
}
