// SPDX-License-Identifier: MIT
#include "flow/fan_out_plan.h"

#include "support/scripted_endpoints.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::Script;
using testing::ScriptedSink;

namespace {

using enum MemoryRole;

/// Two scripted outputs; the second may be gone.
struct Outputs {
    Outputs() { a.writes = b.writes = true; }
    FanOutPlan plan(MemoryRole role, const FanOutWishes& wishes = {}) const {
        const Sink* const present[] = {&a, second_is_gone ? nullptr : &b};
        return plan_fan_out(present, role, wishes);
    }

    Script script;
    ScriptedSink a{script, "a"};
    ScriptedSink b{script, "b"};
    bool second_is_gone = false;
};

} // namespace

TEST_CASE("the first output that can is the one whose memory it is") {
    Outputs outputs;
    CHECK(outputs.plan(exports).provider == 0);
    outputs.a.obstacles[exports] = "no EXPBUF";
    CHECK(outputs.plan(exports).provider == 1);
    CHECK(outputs.plan(exports).obstacle.empty());
    CHECK_FALSE(outputs.plan(imports).provider); // it is the source's
}

TEST_CASE("an output that is gone has no role, and stops nobody") {
    Outputs outputs;
    outputs.second_is_gone = true;
    outputs.b.obstacles = {{imports, "no"}, {copies, "no"}, {touches, "no"}};
    const FanOutPlan plan = outputs.plan(imports);
    CHECK(plan.obstacle.empty());
    REQUIRE(plan.roles.size() == 2);
    CHECK(plan.roles[0].front() == imports);
    CHECK(plan.roles[1].empty());
}

TEST_CASE("what cannot be is said before it is tried, with the output's name") {
    Outputs outputs;
    for (ScriptedSink* output : {&outputs.a, &outputs.b})
        output->obstacles[imports] = "no dma-bufs";
    CHECK(outputs.plan(imports).obstacle == "/dev/a: no dma-bufs, /dev/b: no dma-bufs");
    CHECK(outputs.plan(exports).obstacle.empty()); // the other one copies from there
    CHECK(outputs.plan(exports).copies == 1);
    outputs.b.obstacles[copies] = outputs.b.obstacles[touches] = "no";
    CHECK(outputs.plan(exports).obstacle == "/dev/b: no dma-bufs");
}

TEST_CASE("what the user wants leaves roles out") {
    Outputs outputs;
    constexpr FanOutWishes zero_copy{.zero_copy = true};
    CHECK(outputs.plan(imports, zero_copy).obstacle.empty());
    CHECK(outputs.plan(copies, zero_copy).obstacle == "/dev/a: not zero-copy, /dev/b: not zero-copy");
    outputs.b.obstacles[imports] = outputs.b.obstacles[touches] = "no";
    CHECK(outputs.plan(exports, zero_copy).obstacle == "/dev/b: no");

    const Outputs others;
    constexpr FanOutWishes mapped{.method = IoMethod::mmap};
    CHECK(others.plan(exports, mapped).obstacle.empty());
    CHECK(others.plan(exports, mapped).copies == 1);
    CHECK(others.plan(imports, mapped).obstacle.contains("/dev/b: excluded by the memory type"));
}
