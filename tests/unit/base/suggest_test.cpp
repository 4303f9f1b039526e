// SPDX-License-Identifier: MIT
#include "base/suggest.h"

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

TEST_CASE("near matches come in order of nearness, and a part of a name is near") {
    constexpr std::array<std::string_view, 5> known{"auto_exposure", "exposure_time", "exposur", "gain",
                                                    "go"};
    using Matches = std::vector<std::string_view>;
    CHECK(near_matches("exposure", known, 9) == Matches{"exposure_time", "exposur", "auto_exposure"});
    CHECK(near_matches("exposure", known, 2) == Matches{"exposure_time", "exposur"});
    CHECK(near_matches("gian", known, 9) == Matches{"gain"});
    CHECK(near_matches("ex", known, 9) == Matches{"exposure_time", "exposur"}); // too short for a part
    CHECK(near_matches("", known, 9).empty());
}

TEST_CASE("edits are counted, swapped neighbours as one") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("load", "load") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abcd", "abdc") == 1);
    CHECK(edit_distance("kitten", "sitting") == 3);
}
