// SPDX-License-Identifier: MIT
#include "cli/suggest.h"

#include <array>
#include <doctest/doctest.h>
#include <string>

using namespace v4l2dma;

TEST_CASE("a near match is found for typing errors and for nothing else") {
    constexpr std::array<std::string_view, 4> known{"load", "clone", "play", "inspect"};
    CHECK(nearest("lod", known) == "load");
    CHECK(nearest("laod", known) == "load");
    CHECK(nearest("cloen", known) == "clone");
    CHECK(nearest("insp", known) == "inspect");
    CHECK(nearest("inspcet", known) == "inspect");
    CHECK(nearest("banana", known).empty());
    CHECK(nearest("", known).empty());
    CHECK(nearest(std::string(100000, 'x'), known).empty());
}
