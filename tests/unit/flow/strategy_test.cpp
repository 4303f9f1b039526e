// SPDX-License-Identifier: MIT
#include "flow/strategy.h"

#include "support/scripted_endpoints.h"

#include <doctest/doctest.h>
#include <set>

using namespace v4l2dma;
using testing::Script;
using testing::ScriptedSink;
using testing::ScriptedSource;

TEST_CASE("the sink's own memory comes first, then the source's, and every path has a name of its own") {
    CHECK(strategies()[0].name == "sink-exports");
    CHECK(strategies()[1].name == "source-exports");
    std::set<std::string_view> names;
    for (const Strategy& strategy : strategies()) {
        CAPTURE(strategy.name);
        CHECK(names.insert(strategy.name).second);
    }
}

TEST_CASE("the roles of a path fit whose memory it is") {
    using enum MemoryRole;
    const auto owns = [](MemoryRole role) { return role == exports || role == lends; };
    const auto works = [](MemoryRole role) { return role == imports || role == borrows || role == touches; };
    for (const Strategy& strategy : strategies()) {
        CAPTURE(strategy.name);
        switch (strategy.memory) {
        case Strategy::Memory::sink:
            CHECK((works(strategy.source) && owns(strategy.sink)));
            break;
        case Strategy::Memory::source:
            CHECK((owns(strategy.source) && works(strategy.sink)));
            break;
        case Strategy::Memory::both:
            CHECK((owns(strategy.source) && strategy.sink == copies));
            break;
        case Strategy::Memory::dmabuf:
            CHECK((works(strategy.source) && (works(strategy.sink) || strategy.sink == copies)));
            break;
        case Strategy::Memory::plain:
            CHECK((works(strategy.source) && (works(strategy.sink) || strategy.sink == copies)));
            CHECK_FALSE(strategy.moves_dmabufs());
            break;
        }
    }
}

TEST_CASE("every way of the source meets every way of the sink on some path") {
    std::set<std::pair<IoMethod, IoMethod>> found;
    for (const Strategy& strategy : strategies())
        found.emplace(method_of(strategy.source), method_of(strategy.sink));
    CHECK(found.size() == 16);
}

TEST_CASE("zero-copy is what moves dma-bufs and copies nothing") {
    Script script;
    const ScriptedSource source(script);
    const ScriptedSink sink(script);
    for (const Strategy& strategy : strategies()) {
        CAPTURE(strategy.name);
        const Path path = path_between(source, sink, strategy);
        CHECK(path.copies == (strategy.sink == MemoryRole::copies ? 1 : 0));
        CHECK(path.zero_copy() == (path.copies == 0 && strategy.moves_dmabufs()));
    }
}
