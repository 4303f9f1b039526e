// SPDX-License-Identifier: MIT
#include "base/numbered_name.h"

#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fstream>

using namespace v4l2dma;
using v4l2dma::testing::TemporaryFolder;

namespace {

NumberedName parsed(std::string_view name) {
    const std::optional<NumberedName> numbered = NumberedName::parse(name);
    REQUIRE(numbered.has_value());
    return *numbered;
}

} // namespace

TEST_CASE("a numbered name is that of many files") {
    CHECK(parsed("a%d.mkv").file(12) == "a12.mkv");
    CHECK(parsed("a%03d.mkv").file(7) == "a007.mkv");
    CHECK(parsed("a%03d.mkv").file(1234) == "a1234.mkv");
    CHECK(parsed("b/%3d").file(7) == "b/007");
    for (const char* const name :
         {"a.mkv", "100%.mkv", "%s.mkv", "%d%d.mkv", "%99999d.mkv", "%.mkv", "%", "", "a%%03d.mkv"}) {
        CAPTURE(name);
        CHECK(!NumberedName::parse(name).has_value());
    }
}

TEST_CASE("a file's number is read from its name") {
    CHECK(parsed("a%03d.mkv").number_of("a007.mkv") == 7);
    CHECK(parsed("a%03d.mkv").number_of("a1234.mkv") == 1234);
    CHECK(parsed("a%d").number_of("a0") == 0);
    CHECK(parsed("a%3d").number_of("a007") == 7);
    for (const char* const name : {"a07.mkv", "a0007.mkv", "a.mkv", "a7.mkv", "a00x.mkv", "b007.mkv",
                                   "a007.mk", "", "a-07.mkv", "a99999999999999.mkv", "a0+7.mkv"}) {
        CAPTURE(name);
        CHECK(!parsed("a%03d.mkv").number_of(name).has_value());
    }
    CHECK(!parsed("aa%da").number_of("aa").has_value()); // where begin and end overlap
}

TEST_CASE("names of many files that have one in common") {
    const auto overlap = [](std::string_view a, std::string_view b) {
        CHECK(parsed(a).overlaps(parsed(b)) == parsed(b).overlaps(parsed(a)));
        return parsed(a).overlaps(parsed(b));
    };
    CHECK(overlap("a%d.mkv", "a%03d.mkv"));
    CHECK(overlap("a%d.mkv", "a1%d.mkv"));
    CHECK(!overlap("a%d.mkv", "ab%d.mkv"));
    CHECK(!overlap("a%d.mkv", "b%d.mkv"));
    CHECK(!overlap("a%d.mkv", "a%d.mp4"));
}

TEST_CASE("the numbers of the files that are there") {
    const TemporaryFolder folder;
    CHECK(parsed(folder.file("f%02d.png")).there()->empty());
    for (const char* const name : {"f12.png", "f07.png", "f003.png", "g01.png", "f100.png"})
        std::ofstream(folder.file(name)) << "x";
    CHECK((*parsed(folder.file("f%02d.png")).there() == std::vector<unsigned>{7, 12, 100}));
    CHECK(!parsed(folder.file("gone/f%02d.png")).there().has_value());
    CHECK(!parsed(folder.file("f%02d/a.png")).there().has_value());
}
