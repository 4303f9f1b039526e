// SPDX-License-Identifier: MIT
#include "cli/table.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("columns are aligned and lines have no trailing spaces") {
    Table table({"format", "size"});
    table.add({"YUYV", "640x480", "x"});
    table.add({"NV12", ""});
    CHECK(table.text(2) == "  format  size\n  YUYV    640x480  x\n  NV12\n");
    CHECK(Table().text().empty());
}

TEST_CASE("a cell counts characters and cannot send escape sequences") {
    Table table;
    table.add({"\xc3\xbc", "a"}); // one character of two bytes
    table.add({"\x1b[2J", "b"});
    CHECK(table.text() == "\xc3\xbc     a\n?[2J  b\n");
}

TEST_CASE("a list goes on in the next line") {
    using Lines = std::vector<std::string>;
    CHECK(wrap_list({}).empty());
    CHECK(wrap_list(Lines{"a", "b"}) == Lines{"a, b"});
    CHECK(wrap_list(Lines{"aaa", "bbb", "ccc"}, 8) == Lines{"aaa, bbb", "ccc"});
    CHECK(wrap_list(Lines{"aaa", "bbb", "ccc"}, 7) == Lines{"aaa", "bbb", "ccc"});
    CHECK(wrap_list(Lines{"aaaaaaaaa", "b"}, 4) == Lines{"aaaaaaaaa", "b"});
}
