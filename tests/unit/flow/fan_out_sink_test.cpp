// SPDX-License-Identifier: MIT
#include "flow/fan_out_sink.h"

#include "flow/null_sink.h"
#include "support/quiet_log.h"
#include "support/scripted_endpoints.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::Script;
using testing::ScriptedSink;

namespace {

using enum MemoryRole;

constexpr std::uint32_t buffers = 6;

/// Scripted outputs "a", "b", "c" behind one sink.
struct Fan {
    explicit Fan(std::size_t count = 2, const FanOutWishes& wishes = {}) {
        std::vector<std::unique_ptr<Sink>> sinks;
        for (std::size_t i = 0; i < count; ++i) {
            auto output = std::make_unique<ScriptedSink>(script, std::string(1, static_cast<char>('a' + i)));
            output->room = buffers;
            output->writes = true;
            outputs.push_back(output.get());
            sinks.push_back(std::move(output));
        }
        fan.emplace(std::move(sinks), wishes);
    }
    ScriptedSink& at(std::size_t i) { return *outputs[i]; }
    Result<PutResult> put(std::uint32_t index) {
        frame.index = index;
        frame.metadata.sequence = index;
        return fan->put(frame);
    }
    /// All that come back now, in order: "2 0".
    std::string reclaimed() {
        std::string all;
        while (true) {
            const Result<std::optional<std::uint32_t>> index = fan->reclaim();
            REQUIRE(index);
            if (!*index)
                return all;
            all += (all.empty() ? "" : " ") + std::to_string(**index);
        }
    }
    /// What each output does: "exports imports", "-" for one that is given up.
    std::string roles() const {
        std::string all;
        for (const SinkPart& part : fan->parts())
            all += (all.empty() ? "" : " ") + std::string(part.role ? to_text(*part.role) : "-");
        return all;
    }

    testing::QuietLog quiet;
    Script script;
    std::vector<ScriptedSink*> outputs;
    std::optional<FanOutSink> fan;
    FrameFormat format;
    std::vector<std::byte> bytes = std::vector<std::byte>(8);
    BufferMemory memory{.planes = {PlaneMemory{.bytes = bytes}}};
    Frame frame{.index = 0, .format = &format, .metadata = testing::one_plane(8), .memory = &memory};
};

const Error removed = system_error("QBUF", "/dev/b", ENODEV).error();

} // namespace

TEST_CASE("the first output that can provides the memory, the others work in it") {
    Fan fan(3);
    CHECK(fan.fan->name() == "/dev/a, /dev/b, /dev/c");
    CHECK(fan.fan->why_not(exports).empty());
    CHECK(fan.fan->copies(exports) == 0);
    const Result<std::span<BufferMemory>> memory = fan.fan->provide(exports, buffers);
    REQUIRE(memory);
    CHECK(memory->size() == 4);
    CHECK(fan.script.text() == "a.provide exports, b.prepare imports, c.prepare imports");
    CHECK(fan.roles() == "exports imports imports");

    Fan other(3);
    other.at(0).obstacles[exports] = "no EXPBUF";
    REQUIRE(other.fan->provide(exports, buffers));
    CHECK(other.script.text() == "b.provide exports, a.prepare imports, c.prepare imports");

    Fan failing;
    failing.at(0).refuses_to_begin = {exports};
    REQUIRE(failing.fan->provide(exports, buffers));
    CHECK(failing.script.text() == "a.provide exports, a.release, b.provide exports, a.prepare imports");
    failing.script.log.clear();
    failing.fan->release(); // who works in another's memory lets go first
    CHECK(failing.script.text() == "a.stop, b.stop, a.release, b.release");
}

TEST_CASE("each output plays the role that copies least where the frames lie, and one the path's") {
    struct {
        MemoryRole path;
        std::set<MemoryRole> missing; // of the second output
        std::string_view roles;
        unsigned copies;
    } const cases[] = {
        {imports, {}, "imports imports", 0},
        {imports, {imports}, "imports copies", 1},
        {imports, {imports, copies}, "imports touches", 1},
        {exports, {}, "exports imports", 0},
        {exports, {exports, imports}, "exports copies", 1},
        {lends, {}, "lends borrows", 0},
        {lends, {lends, borrows}, "lends copies", 1},
        {borrows, {}, "borrows borrows", 0},
        {borrows, {borrows}, "borrows copies", 1},
        {copies, {}, "copies copies", 2},
        {copies, {copies}, "copies touches", 2},
        {touches, {}, "touches copies", 2}, // copies is better, but nobody would write
        {touches, {copies}, "copies touches", 2},
    };
    for (const auto& [path, missing, roles, copied] : cases) {
        Fan fan;
        for (ScriptedSink* output : fan.outputs)
            output->obstacles.clear();
        for (const MemoryRole role : missing)
            fan.at(1).obstacles[role] = "no";
        CAPTURE(to_text(path));
        CHECK(fan.fan->why_not(path).empty());
        CHECK(fan.fan->copies(path) == copied);
        if (path == exports || path == lends || path == copies)
            CHECK(fan.fan->provide(path, buffers));
        else
            CHECK(fan.fan->prepare(path, buffers));
        CHECK(fan.roles() == roles);
    }
}

TEST_CASE("a format that one output refuses is refused") {
    Fan fan(3);
    fan.script.fail("b.set_format", EBUSY);
    const Status status = fan.fan->set_format(fan.format);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == EBUSY);
    CHECK(fan.script.text() == "a.set_format, b.set_format");
}

TEST_CASE("an output that refuses its role plays the next one, and the others do not notice") {
    Fan fan(3);
    fan.at(1).refuses_to_begin = {imports};
    fan.at(2).refuses = {imports}; // as late as can be
    fan.at(2).obstacles[copies] = "no";
    REQUIRE(fan.fan->prepare(imports, buffers));
    CHECK(fan.roles() == "imports copies imports");
    const Result<PutResult> result = fan.put(0);
    REQUIRE(result);
    CHECK(result->taken);
    CHECK(result->copied_bytes == 16);
    CHECK(fan.roles() == "imports copies touches");
    CHECK(fan.script.count("a.release") == 0);
    CHECK(fan.script.count("c.put") == 2);
    CHECK(fan.fan->parts()[0].copied_bytes == 0);
    CHECK(fan.fan->parts()[2].copied_bytes == 8);
    CHECK(fan.fan->parts()[2].copies == 1);
    CHECK(fan.fan->verdict());
}

TEST_CASE("a path is refused when nobody plays its role any more") {
    Fan fan;
    fan.at(0).refuses = fan.at(1).refuses = {imports};
    REQUIRE(fan.fan->prepare(imports, buffers));
    const Result<PutResult> result = fan.put(0);
    REQUIRE_FALSE(result);
    CHECK(result.error().object == "/dev/b");
    CHECK(fan.roles() == "copies -");

    Fan early;
    early.at(0).refuses_to_begin = early.at(1).refuses_to_begin = {imports};
    const Status status = early.fan->prepare(imports, buffers);
    REQUIRE_FALSE(status);
    CHECK(status.error().operation == "prepare");

    Fan provider;
    provider.at(0).refuses = {exports};
    REQUIRE(provider.fan->provide(exports, buffers));
    CHECK_FALSE(provider.put(0));
    CHECK(provider.script.count("a.release") == 0); // the source works in it
}

TEST_CASE("when nothing but zero-copy will do, nobody copies") {
    Fan fan(2, {.zero_copy = true});
    fan.at(1).refuses = {imports};
    fan.at(1).obstacles[touches] = "no";
    REQUIRE(fan.fan->provide(exports, buffers));
    const Result<PutResult> result = fan.put(0);
    REQUIRE_FALSE(result);
    CHECK(result.error().object == "/dev/b");
    CHECK(fan.script.count("b.provide") == 0);
}

TEST_CASE(
    "a device that is busy or gone before the first frame ends it, an output that can do nothing does not") {
    for (const std::string call : {"b.prepare", "b.put"}) {
        Fan fan;
        fan.script.errors[call] = removed;
        const Status begun = fan.fan->prepare(imports, buffers);
        if (begun)
            CHECK_FALSE(fan.put(0));
        CHECK(begun.has_value() == (call == "b.put"));
        CHECK(fan.script.count("b.prepare") == 1);
    }
    Fan fan;
    fan.script.fail("b.put", EINVAL);
    REQUIRE(fan.fan->prepare(imports, buffers));
    const Result<PutResult> result = fan.put(0);
    REQUIRE(result);
    CHECK(result->taken);
    CHECK(fan.roles() == "imports -");
    CHECK(fan.fan->verdict().error().code == EINVAL);
    CHECK(fan.script.count("b.put") == 3); // imports, copies, touches
}

TEST_CASE("a frame is given back once everybody gave it back") {
    Fan fan(3);
    REQUIRE(fan.fan->prepare(imports, buffers));
    for (std::uint32_t index = 0; index < 3; ++index) {
        const Result<PutResult> result = fan.put(index);
        REQUIRE(result);
        CHECK(result->kept);
    }
    CHECK(fan.reclaimed().empty());
    fan.at(0).finish_one();
    fan.at(0).finish_one();
    fan.at(1).finish_one();
    CHECK(fan.reclaimed().empty());
    fan.at(2).finish_one();
    CHECK(fan.reclaimed() == "0");
    fan.at(1).finish_one();
    fan.at(2).finish_one();
    fan.at(2).finish_one();
    CHECK(fan.reclaimed() == "1");
    CHECK(fan.fan->in_flight() == 2); // frame 2, at two outputs
    REQUIRE(fan.put(0));
    for (ScriptedSink* output : fan.outputs)
        while (output->in_flight() > 0) {
            output->finish_one();
            static_cast<void>(fan.fan->reclaim());
        }
    fan.fan->stop();
    CHECK(fan.fan->in_flight() == 0);
}

TEST_CASE("a frame that was copied for everybody is not kept") {
    Fan fan(2, {.method = IoMethod::mmap});
    REQUIRE(fan.fan->provide(copies, buffers));
    const Result<PutResult> result = fan.put(0);
    REQUIRE(result);
    CHECK(result->taken);
    CHECK_FALSE(result->kept);
    CHECK(result->copied_bytes == 16);
    fan.at(0).finish_one();
    CHECK(fan.reclaimed().empty());
    CHECK(fan.fan->in_flight() == 1);
}

TEST_CASE("in a steady state each output is asked once for each frame, and until it is empty when need be") {
    Fan fan;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    fan.script.log.clear();
    for (std::uint32_t frame = 1; frame <= 10; ++frame) { // the second output is a frame late
        REQUIRE(fan.put(frame % buffers));
        fan.at(0).finish_one();
        if (frame > 1)
            fan.at(1).finish_one();
        const Result<std::optional<std::uint32_t>> index = fan.fan->reclaim();
        REQUIRE(index);
        CHECK(index->has_value() == (frame > 1));
    }
    CHECK(fan.script.count("a.reclaim") <= 11);
    CHECK(fan.script.count("b.reclaim") == 10);
    for (ScriptedSink* output : fan.outputs)
        for (int i = 0; i < 3; ++i)
            output->finish_one();
    CHECK(fan.reclaimed() == "3 4");
}

TEST_CASE("a frame is dropped for an output without room, alone; without room anywhere it waits") {
    Fan fan;
    fan.at(1).room = 1;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    const Result<PutResult> second = fan.put(1);
    REQUIRE(second);
    CHECK(second->taken);
    CHECK(fan.fan->parts()[0].frames == 2);
    CHECK(fan.fan->parts()[1].frames == 1);
    CHECK(fan.fan->parts()[1].dropped == 1);
    fan.at(0).room = 2;
    const Result<PutResult> third = fan.put(2);
    REQUIRE(third);
    CHECK_FALSE(third->taken);
    CHECK(fan.fan->parts()[1].dropped == 1); // nobody got it
    fan.at(0).finish_one();
    fan.at(0).finish_one();
    CHECK(fan.reclaimed() == "1"); // 0 is still at the other one
}

TEST_CASE("what an output is done with makes room, asked or not") {
    Fan fan;
    fan.at(1).room = 1;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    fan.at(1).finish_one();
    REQUIRE(fan.put(1));
    CHECK(fan.fan->parts()[1].dropped == 0);
    CHECK(fan.fan->parts()[1].frames == 2);

    Fan late;                             // it has as much as it may keep, but is done with it
    late.at(0).obstacles[imports] = "no"; // keeps nothing, has always room
    REQUIRE(late.fan->prepare(imports, buffers));
    for (std::uint32_t index = 0; index < buffers; ++index) {
        REQUIRE(late.put(index)->taken);
        late.at(1).finish_one();
    }
    CHECK(late.fan->parts()[0].dropped == 0);
    CHECK(late.fan->parts()[1].dropped == 0);
}

TEST_CASE("an output that keeps its frames leaves the source enough for the others") {
    Fan fan;
    REQUIRE(fan.fan->prepare(imports, buffers));
    for (std::uint32_t index = 0; index < buffers; ++index) {
        REQUIRE(fan.put(index)->taken);
        fan.at(0).finish_one();
        static_cast<void>(fan.reclaimed());
    }
    CHECK(fan.fan->parts()[0].dropped == 0);
    CHECK(fan.at(1).in_flight() == 3); // of six
    CHECK(fan.fan->parts()[1].dropped == 3);

    Fan equal; // if all are slow nobody waits for them: they may have what they have room for
    REQUIRE(equal.fan->prepare(imports, buffers));
    for (std::uint32_t index = 0; index < buffers; ++index)
        REQUIRE(equal.put(index)->taken);
    CHECK(equal.at(0).in_flight() == buffers);
    CHECK(equal.at(1).in_flight() == buffers);
}

TEST_CASE("buffers that are the source's own are kept by no output that is slow alone") {
    Fan fan;
    fan.fan->leave_to_source(1);
    REQUIRE(fan.fan->prepare(imports, buffers));
    CHECK(fan.at(0).left == 1);
    CHECK(fan.at(1).left == 1);
    for (std::uint32_t index = 0; index < buffers; ++index) {
        REQUIRE(fan.put(index)->taken);
        fan.at(0).finish_one();
        static_cast<void>(fan.reclaimed());
    }
    CHECK(fan.fan->parts()[0].dropped == 0);
    CHECK(fan.at(1).in_flight() == 2); // of six, one of them the source's
}

TEST_CASE("an output that fails mid-stream is given up, and what it had counts as given back") {
    const std::pair<std::string, int> failures[] = {
        {"b.put", ENODEV}, {"b.put", EIO}, {"b.reclaim", ENODEV}, {"b.reclaim", EIO}};
    for (const auto& [call, code] : failures) {
        CAPTURE(call);
        CAPTURE(code);
        Fan fan(3);
        REQUIRE(fan.fan->provide(exports, buffers));
        REQUIRE(fan.put(0));
        const EventFds before = fan.fan->event_fds();
        CHECK(before.all().size() == 3);
        fan.at(0).finish_one();
        fan.at(2).finish_one();
        fan.script.fail(call, code);
        REQUIRE(fan.put(1));
        CHECK(fan.reclaimed() == "0");
        CHECK(fan.roles() == "exports - imports");
        CHECK_FALSE(fan.fan->event_fds().contains(fan.at(1).fd()));
        CHECK(fan.script.count("b.stop") == 1);
        CHECK(fan.script.count("b.release") == 0); // frames may lie in its memory
        const auto calls = fan.script.count(call);
        REQUIRE(fan.put(2));
        CHECK(fan.script.count(call) == calls);
        CHECK(fan.script.count("b.prepare") == 1); // nor in another role
        CHECK(fan.script.count("b.provide") == 0);
        REQUIRE_FALSE(fan.fan->verdict());
        CHECK(fan.fan->verdict().error().code == code);
        fan.fan->release();
        CHECK(fan.fan->verdict().error().code == code); // still, for the exit code
        CHECK(fan.fan->parts()[1].failure);
    }
}

TEST_CASE("frames that lie in the memory of an output that is given up stay where they are") {
    Fan fan;
    fan.at(0).room = 0; // its first frame is not its own
    REQUIRE(fan.fan->provide(exports, buffers));
    REQUIRE(fan.put(0)->taken);
    fan.at(0).refuses = {exports};
    REQUIRE(fan.put(1)->taken);
    CHECK(fan.roles() == "- imports");
    CHECK(fan.script.count("a.stop") == 1);
    CHECK(fan.script.count("a.release") == 0);
    CHECK_FALSE(fan.fan->verdict());
}

TEST_CASE("with the last output gone the run ends with its error") {
    Fan fan;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    fan.script.errors["a.put"] = removed;
    REQUIRE(fan.put(1)->taken);
    fan.script.fail("b.put", EIO);
    const Result<PutResult> result = fan.put(2);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == EIO);
    CHECK(fan.fan->event_fds().empty());
}

TEST_CASE("each stream says what its own first frame cost, and a refused path counts for nothing") {
    Fan fan;
    REQUIRE(fan.fan->provide(exports, buffers));
    REQUIRE(fan.put(0)->taken);
    CHECK(fan.fan->parts()[1].first_copied_bytes == 0);
    fan.fan->release();
    REQUIRE(fan.fan->provide(copies, buffers));
    REQUIRE(fan.put(0)->taken);
    CHECK(fan.fan->parts()[1].first_copied_bytes == fan.fan->parts()[1].copied_bytes);
    CHECK(fan.fan->parts()[1].first_copied_bytes > 0);
    fan.fan->release();

    Fan zero(2, {.zero_copy = true});
    zero.at(1).refuses = {imports};
    REQUIRE(zero.fan->prepare(imports, buffers));
    CHECK_FALSE(zero.put(0)); // after the first output took it
    CHECK(zero.fan->parts()[0].frames == 1);
    zero.fan->release();
    REQUIRE(zero.fan->prepare(imports, buffers));
    CHECK(zero.fan->parts()[0].frames == 0);
}

TEST_CASE("the next path begins without the failures of the one before") {
    Fan fan;
    fan.script.fail("b.put", EINVAL);
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    CHECK(fan.roles() == "imports -");
    fan.fan->release();
    fan.script.errors.clear();
    REQUIRE(fan.fan->prepare(touches, buffers));
    CHECK(fan.roles() == "touches copies");
    CHECK(fan.fan->verdict());
    CHECK(fan.fan->parts()[0].frames == 1); // counted over all paths
}

TEST_CASE("an output whose device is gone stays so on the next path, and in the verdict") {
    Fan fan;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    fan.script.errors["b.put"] = removed;
    REQUIRE(fan.put(1));
    fan.fan->release();
    fan.script.errors.clear();
    fan.script.log.clear();
    CHECK(fan.fan->set_format(fan.format));
    CHECK(fan.script.text() == "a.set_format");
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(2));
    CHECK(fan.roles() == "imports -");
    CHECK(fan.fan->verdict().error().code == ENODEV);
    CHECK(fan.script.count("b.put") + fan.script.count("b.prepare") == 0);
}

TEST_CASE("frames are wanted if one output wants them, and known to be only if all know") {
    Fan fan;
    CHECK(*fan.fan->watch_demand());
    fan.at(0).wanted = false;
    fan.at(1).wanted = false;
    CHECK_FALSE(*fan.fan->is_wanted());
    fan.at(1).want(true);
    CHECK(*fan.fan->is_wanted());
    CHECK_FALSE(fan.at(1).demand_changed); // was asked
    fan.at(0).knows_demand = false;
    CHECK_FALSE(*fan.fan->watch_demand());
}

// Between two streams nobody is there to see to it, as little as while they run.
TEST_CASE("an output that goes or is taken between two streams is given up, and the others go on") {
    for (const char* call : {"a.set_format", "a.provide exports", "b.set_format", "b.prepare imports"}) {
        CAPTURE(call);
        Fan fan;
        REQUIRE(fan.fan->set_format(fan.format));
        REQUIRE(fan.fan->provide(exports, buffers));
        REQUIRE(fan.put(0)->taken);
        fan.fan->release();
        fan.script.errors[call] = removed;
        const bool first = std::string_view(call).starts_with("a");
        REQUIRE(fan.fan->set_format(fan.format));
        REQUIRE(fan.fan->provide(exports, buffers));
        CHECK(fan.roles() == (first ? "- exports" : "exports -"));
        REQUIRE(fan.put(0)->taken);
        CHECK(fan.fan->parts()[first ? 0 : 1].frames == 1);
        CHECK(fan.fan->parts()[first ? 1 : 0].frames == 2);
        CHECK(fan.fan->verdict().error().code == ENODEV);
        fan.fan->release();
        fan.script.log.clear();
        REQUIRE(fan.fan->set_format(fan.format));
        CHECK(fan.script.text() == (first ? "b.set_format" : "a.set_format")); // nor is it asked again
    }
    Fan asked;
    REQUIRE(asked.fan->provide(exports, buffers));
    asked.script.errors["a.watch_demand"] = removed;
    CHECK_FALSE(asked.fan->watch_demand()); // nothing has run yet
    REQUIRE(asked.put(0)->taken);
    asked.fan->release();
    CHECK(*asked.fan->watch_demand());
    CHECK(asked.fan->parts()[0].failure);
    CHECK_FALSE(asked.fan->parts()[1].failure);

    Fan none;
    REQUIRE(none.fan->provide(exports, buffers));
    REQUIRE(none.put(0)->taken);
    none.fan->release();
    none.script.errors["a.set_format"] = none.script.errors["b.set_format"] = removed;
    CHECK(none.fan->set_format(none.format).error().code == ENODEV);
}

// As a film that is finished with the first stream.
TEST_CASE("an output that refuses another stream's format gets none of it, and the others do") {
    Fan fan(2, {.zero_copy = true});
    REQUIRE(fan.fan->set_format(fan.format));
    REQUIRE(fan.fan->provide(exports, buffers));
    REQUIRE(fan.put(0)->taken);
    fan.fan->release();
    fan.script.fail("b.set_format", EINVAL);
    REQUIRE(fan.fan->set_format(fan.format));
    REQUIRE(fan.fan->provide(exports, buffers));
    CHECK(fan.roles() == "exports -");
    REQUIRE(fan.put(0)->taken);
    CHECK(fan.fan->parts()[1].frames == 1);
    CHECK(fan.fan->verdict().error().code == EINVAL);
    fan.fan->release();
    fan.script.errors.clear();
    REQUIRE(fan.fan->set_format(fan.format)); // a third one it takes
    REQUIRE(fan.fan->provide(exports, buffers));
    CHECK(fan.roles() == "exports imports");
    CHECK(fan.fan->verdict());
}

TEST_CASE("several outputs are satisfied when each is, or has failed") {
    Fan fan(3);
    fan.at(0).enough = 1;
    fan.at(1).enough = 2;
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0)->taken);
    CHECK_FALSE(fan.fan->satisfied());
    fan.script.fail("c.put", EIO);
    REQUIRE(fan.put(1)->taken);
    CHECK(fan.fan->satisfied());
}

TEST_CASE("each output converts on its own, and the others take the frames as they are") {
    Fan fan;
    fan.at(1).taken = {FourCC("NV12")};
    fan.format.fourcc = FourCC("GREY");
    CHECK_FALSE(fan.fan->takes(fan.format));
    REQUIRE(fan.fan->set_format(fan.format));
    REQUIRE(fan.fan->conversion() != nullptr);
    fan.at(1).obstacles[imports] = "the formats differ";
    REQUIRE(fan.fan->prepare(imports, buffers));
    CHECK(fan.roles() == "imports copies");
    CHECK_FALSE(fan.fan->parts()[0].converted);
    CHECK(fan.fan->parts()[1].converted->fourcc == FourCC("NV12"));
}

TEST_CASE("a frame that one output cannot convert is bad for that one alone, and for all if all cannot") {
    Fan fan;
    fan.at(1).bad = {1, 2};
    fan.at(0).bad = {2};
    REQUIRE(fan.fan->prepare(imports, buffers));
    REQUIRE(fan.put(0));
    const Result<PutResult> one = fan.put(1);
    REQUIRE(one);
    CHECK_FALSE(one->bad);
    CHECK(one->kept);
    const Result<PutResult> all = fan.put(2);
    REQUIRE(all);
    CHECK(all->taken);
    CHECK(all->bad);
    CHECK_FALSE(all->kept);
    CHECK(fan.fan->parts()[0].corrupt == 1);
    CHECK(fan.fan->parts()[1].corrupt == 2);
    CHECK(fan.fan->parts()[1].frames == 1);
}

TEST_CASE("a consumer without buffers gets each frame beside an output that is slow") {
    Script script;
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::make_unique<ScriptedSink>(script, "a"));
    sinks.push_back(std::make_unique<NullSink>(true));
    FanOutSink fan(std::move(sinks), {});
    Fan one;
    REQUIRE(fan.provide(exports, buffers));
    for (std::uint32_t index = 0; index < 4; ++index) {
        one.frame.index = index;
        one.frame.metadata.sequence = index;
        REQUIRE(fan.put(one.frame)->taken);
        static_cast<void>(fan.reclaim());
    }
    CHECK(fan.parts()[1].frames == 4);
    CHECK(fan.parts()[0].frames == 2); // its four buffers, less what the source needs
    CHECK(fan.parts()[0].dropped == 2);
}
