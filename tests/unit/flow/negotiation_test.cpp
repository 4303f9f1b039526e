// SPDX-License-Identifier: MIT
#include "flow/negotiation.h"

#include "support/fake_system.h"
#include "support/quiet_log.h"
#include "support/scripted_endpoints.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::Script;
using testing::ScriptedSink;
using testing::ScriptedSource;

namespace {

struct Ends {
    testing::QuietLog quiet;
    testing::FakeSystem system; // without an allocator
    Script script;
    ScriptedSource source{script};
    ScriptedSink sink{script};
};

const PathWishes zero_copy{.zero_copy = true};

/// The paths that were tried, in order.
std::string tried(const Negotiation& negotiation) {
    std::string names;
    for (const Negotiation::Attempt& attempt : negotiation.attempts())
        if (attempt.tried)
            names += (names.empty() ? "" : " ") + std::string(attempt.strategy->name);
    return names;
}

} // namespace

TEST_CASE("the best path is taken if nothing is in its way") {
    Ends ends;
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(negotiation.current().strategy->name == "sink-exports");
    CHECK(ends.script.text() == "sink.set_format, sink.provide exports, source.use imports, source.start");
    CHECK(ends.source.running());
}

TEST_CASE("a source keeps what it needs from a sink that keeps all, once it has its memory") {
    Ends ends;
    ends.sink.keeps = true;
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(ends.script.text() ==
          "sink.set_format, sink.provide exports, source.use imports, source.hold_back, source.start");
}

TEST_CASE("each call that fails leads to the next path, with both sides released") {
    struct {
        std::vector<std::string> failing;
        std::string_view found;
        std::string_view tried;
    } const cases[] = {
        {{"sink.provide exports"}, "source-exports", "sink-exports source-exports"},
        {{"source.use imports"}, "source-exports", "sink-exports source-exports"},
        {{"source.use imports", "source.provide exports"},
         "read-source",
         "sink-exports source-exports shared-dmabuf read-source"},
        {{"source.use imports", "sink.prepare imports"},
         "read-source",
         "sink-exports source-exports shared-dmabuf read-source"},
    };
    for (const auto& [failing, found, all] : cases) {
        Ends ends;
        for (const std::string& call : failing)
            ends.script.fail(call, EINVAL);
        Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
        REQUIRE(negotiation.establish());
        CHECK(negotiation.current().strategy->name == found);
        CHECK(tried(negotiation) == all);
        const Negotiation::Attempt& first = negotiation.attempts().front();
        CHECK(first.obstacle == ends.script.errors.at(failing.front()).message());
        CHECK(negotiation.attempts().back().obstacle.empty());
        CHECK(ends.script.count("source.release") ==
              std::ranges::count_if(negotiation.attempts(), [](const Negotiation::Attempt& attempt) {
                  return attempt.tried && !attempt.obstacle.empty();
              }));
    }
}

TEST_CASE("the importer lets go before the exporter") {
    Ends ends;
    ends.script.fail("source.use imports", EINVAL);
    ends.script.fail("sink.prepare imports", EINVAL);
    ends.sink.obstacles[MemoryRole::touches] = "no reader";
    ends.script.fail("sink.provide copies", EINVAL);
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE_FALSE(negotiation.establish());
    std::string released;
    for (const std::string& entry : ends.script.log)
        if (entry.ends_with(".release"))
            released += entry.substr(0, entry.find('.')) + " ";
    // sink-exports: the source imports. source-exports: the sink does. The copies: nobody.
    CHECK(released.starts_with("source sink sink source sink source sink "));
}

TEST_CASE("the first frame that is refused leads to the next path") {
    Ends ends;
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE(negotiation.establish());
    const Error refused = system_error("QBUF(dmabuf)", "/dev/sink index 0", EINVAL).error();
    REQUIRE(negotiation.fall_back(refused));
    CHECK(negotiation.current().strategy->name == "source-exports");
    CHECK(negotiation.attempts().front().obstacle == refused.message());
    CHECK(ends.script.count("source.release") == 1);
    CHECK(ends.source.running());
}

TEST_CASE("a device that is gone or busy is so on every path") {
    Ends ends;
    ends.script.fail("source.use imports", ENODEV);
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::device);
    CHECK(status.error().code == ENODEV);
    CHECK(tried(negotiation) == "sink-exports");

    Ends others;
    Negotiation running(others.source, others.sink, {}, others.system);
    REQUIRE(running.establish());
    const Status fallen = running.fall_back(system_error("QBUF", "/dev/sink", ENODEV).error());
    REQUIRE_FALSE(fallen);
    CHECK(fallen.error().code == ENODEV);
    CHECK_FALSE(others.source.running());
}

TEST_CASE("a format that the sink refuses ends it: no other path changes that") {
    Ends ends;
    ends.script.fail("sink.set_format", EINVAL);
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().operation == "set_format");
    CHECK(negotiation.attempts().empty());
}

TEST_CASE("demanded zero-copy that cannot be had names each call") {
    Ends ends;
    ends.script.fail("source.use imports", EINVAL);
    ends.script.fail("sink.prepare imports", ENOTTY);
    Negotiation negotiation(ends.source, ends.sink, zero_copy, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::unsupported);
    CHECK(tried(negotiation) == "sink-exports source-exports shared-dmabuf read-dmabuf");
    const std::string message = status.error().message();
    CAPTURE(message);
    CHECK(message.starts_with("zero-copy /dev/source to /dev/sink: "));
    CHECK(message.contains("sink-exports: use imports /dev/scripted: Invalid argument"));
    CHECK(message.contains("source-exports: prepare imports /dev/scripted: Inappropriate ioctl"));
    CHECK_FALSE(message.contains("copy: not zero-copy"));
    CHECK(message.ends_with("Without --dmabuf the frames would be copied"));
}

TEST_CASE("zero-copy that nobody can even try says why") {
    Ends ends;
    ends.source.obstacles[MemoryRole::imports] = "a loop would copy";
    ends.sink.obstacles[MemoryRole::imports] = "not asked for";
    Negotiation negotiation(ends.source, ends.sink, zero_copy, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::unsupported);
    // Each reason once, with the first of the paths that it is in the way of.
    CHECK(status.error().message().contains(
        "no path is possible: a loop would copy (sink-exports, shared-dmabuf, "));
    CHECK(status.error().message().contains("; not asked for (source-exports"));
    CHECK(status.error().message().contains(" more)"));
    CHECK(tried(negotiation).empty());
}

TEST_CASE("forced memory types leave the paths that have them") {
    struct {
        std::optional<IoMethod> source;
        std::optional<IoMethod> sink;
        std::string_view found;
    } const cases[] = {
        {IoMethod::dmabuf, {}, "sink-exports"},   {IoMethod::mmap, {}, "source-exports"},
        {{}, IoMethod::dmabuf, "source-exports"}, {{}, IoMethod::mmap, "sink-exports"},
        {{}, IoMethod::rw, "read-source"},        {IoMethod::mmap, IoMethod::mmap, "copy"},
    };
    for (const auto& [source, sink, found] : cases) {
        Ends ends;
        Negotiation negotiation(ends.source, ends.sink, {.source_method = source, .sink_method = sink},
                                ends.system);
        REQUIRE(negotiation.establish());
        CHECK(negotiation.current().strategy->name == found);
    }
}

TEST_CASE("a forced path is the only one that is tried") {
    Ends ends;
    Negotiation negotiation(ends.source, ends.sink, {.strategy = "copy"}, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(negotiation.current().strategy->name == "copy");
    CHECK(tried(negotiation) == "copy");
    CHECK(ends.script.text() == "sink.set_format, sink.provide copies, source.provide lends, source.start");

    Ends others;
    others.script.fail("source.provide", ENOMEM);
    Negotiation failing(others.source, others.sink, {.strategy = "copy"}, others.system);
    const Status status = failing.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::unsupported);
    CHECK(status.error().message().contains("copy: provide"));
}

TEST_CASE("a forced memory type that fails is unsupported; without one the last call's error stands") {
    Ends ends;
    ends.script.fail("source.use imports", EINVAL);
    Negotiation forced(ends.source, ends.sink, {.source_method = IoMethod::dmabuf}, ends.system);
    const Status refused = forced.establish();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(refused.error().operation == "memory");

    Ends others;
    others.script.fail("source.start", EIO);
    Negotiation free_choice(others.source, others.sink, {}, others.system);
    const Status failed = free_choice.establish();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind == ErrorKind::system);
    CHECK(failed.error().code == EIO);
    CHECK(failed.error().operation == "start");
    CHECK(tried(free_choice) == "sink-exports source-exports shared-dmabuf read-source read-dmabuf copy "
                                "copy-dmabuf copy-shared-dmabuf");
}

TEST_CASE("memory that is short says so, whatever else there was on the way") {
    Ends ends;
    ends.source.obstacles = {{MemoryRole::exports, "no"},
                             {MemoryRole::imports, "no"},
                             {MemoryRole::lends, "no"},
                             {MemoryRole::borrows, "no"}};
    ends.sink.obstacles = {{MemoryRole::exports, "no"}, {MemoryRole::lends, "no"}};
    for (unsigned nth = 0; nth < 8; ++nth)
        ends.system.fail("mmap_anonymous", ENOMEM);
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(tried(negotiation).starts_with("fill-dmabuf")); // there is no allocator
    CHECK(status.error().kind == ErrorKind::system);
    CHECK(status.error().code == ENOMEM);
}

TEST_CASE("the end of a negotiation releases both sides") {
    Ends ends;
    {
        Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
        REQUIRE(negotiation.establish());
    }
    CHECK_FALSE(ends.source.running());
    CHECK(ends.script.position("source.stop") < ends.script.position("source.release"));
    CHECK(ends.script.position("source.release") < ends.script.position("sink.release"));
}

namespace {

FrameFormat in(const char (&fourcc)[5]) {
    return *tight_format(FourCC(fourcc), 8, 1);
}

} // namespace

TEST_CASE("a format of the source's that the sink takes spares the conversion") {
    Ends ends;
    ends.source.others = {in("RGB3"), in("YUYV"), in("MJPG")};
    ends.sink.taken = {FourCC("YUYV"), FourCC("MJPG")};
    Negotiation negotiation(ends.source, ends.sink, zero_copy, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(ends.source.format().fourcc == FourCC("YUYV"));
    CHECK(ends.script.text().starts_with("source.set_format YUYV, sink.set_format, sink.provide exports"));
    CHECK(negotiation.current().zero_copy());
}

TEST_CASE("a sink that takes the source's format leaves the source alone") {
    Ends ends;
    ends.source.others = {in("YUYV")};
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(ends.script.count("source.set_format") == 0);
}

TEST_CASE("a format that the source cannot have after all leads to the next, or back to the first") {
    Ends ends;
    ends.source.others = {in("YUYV"), in("NV12")};
    ends.sink.taken = {FourCC("YUYV"), FourCC("NV12")};
    ends.script.fail("source.set_format YUYV", EINVAL);
    Negotiation negotiation(ends.source, ends.sink, {}, ends.system);
    REQUIRE(negotiation.establish());
    CHECK(ends.source.format().fourcc == FourCC("NV12"));

    Ends others;
    others.source.others = {in("YUYV")};
    others.source.changes_before_it_fails = true;
    others.sink.taken = {FourCC("YUYV")};
    others.script.fail("source.set_format YUYV", EINVAL);
    Negotiation back(others.source, others.sink, {}, others.system);
    REQUIRE(back.establish());
    CHECK(others.source.format().fourcc == FourCC("GREY"));
    CHECK(others.script.count("source.set_format") == 2);
    CHECK(others.sink.conversion() != nullptr);

    Ends gone;
    gone.source.others = {in("YUYV")};
    gone.sink.taken = {FourCC("YUYV")};
    gone.script.fail("source.set_format", ENODEV);
    Negotiation failing(gone.source, gone.sink, {}, gone.system);
    CHECK(failing.establish().error().code == ENODEV);
}

TEST_CASE("demanded zero-copy between formats that differ says which ones meet, and what would do") {
    Ends ends;
    ends.sink.taken = {FourCC("YUYV")};
    Negotiation negotiation(ends.source, ends.sink, zero_copy, ends.system);
    const Status status = negotiation.establish();
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::unsupported);
    CHECK(status.error().message() == "zero-copy /dev/source to /dev/sink: GREY 8x1 becomes YUYV 8x1, "
                                      "because it was asked for. Do not ask. "
                                      "Without --dmabuf the frames are converted");
    CHECK(negotiation.attempts().empty());
}
