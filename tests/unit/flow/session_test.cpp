// SPDX-License-Identifier: MIT
#include "flow/session.h"

#include "support/fake_system.h"
#include "support/scripted_endpoints.h"

#include <csignal>
#include <doctest/doctest.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

using namespace v4l2dma;
using namespace std::chrono_literals;
using testing::FakeSystem;
using testing::Script;
using testing::ScriptedSink;
using testing::ScriptedSource;

namespace {

class Listener final : public PumpListener {
public:
    explicit Listener(Script& script) : script_(script) {}
    Status started(const Path&, std::uint64_t) override { return script_.call("started"); }
    Status progress(const Path&, const StatisticsReport&) override { return {}; }
    Status interrupted(std::string_view why) override {
        return script_.call("interrupted", std::string(why));
    }
    Status awaits(std::string_view what) override { return script_.call("awaits", std::string(what)); }

private:
    Script& script_;
};

/// A session between scripted ends; the sink is done with one frame in each wait.
struct Rig {
    Rig() {
        system.ready[source.event_fd()] = [this] { return source.ready(); };
        system.ready[sink.fd()] = [this] { return sink.ready(); };
        system.on_wait = [this] {
            sink.finish_one();
            if (in_wait)
                in_wait();
        };
    }
    void add_frames(std::uint32_t count) {
        for (std::uint32_t sequence = 0; sequence < count; ++sequence)
            source.add_frame(sequence);
    }
    Status run(Session::Options options = {}) {
        Session session(source, sink, std::move(options), signals, listener, {}, system);
        Status status = session.run();
        after = session.result();
        CHECK(source.violations == std::vector<std::string>{});
        CHECK_FALSE(source.running());
        CHECK(source.out() == 0);
        CHECK(sink.in_flight() == 0);
        return status;
    }

    FakeSystem system;
    Script script;
    ScriptedSource source{script};
    ScriptedSink sink{script};
    StopSignals signals = std::move(*StopSignals::create());
    Listener listener{script};
    PumpResult after;
    std::function<void()> in_wait;
};

} // namespace

TEST_CASE("one stream is all there is, unless something happens") {
    Rig rig;
    rig.add_frames(5);
    REQUIRE(rig.run({.pump = {.frame_limit = 5}}));
    CHECK(rig.after.total.frames == 5);
    CHECK(rig.script.count("source.come_back") == 1);
    CHECK(rig.script.count("started") == 1);
    CHECK(rig.script.count("interrupted") == 0);
}

TEST_CASE("a changed source streams again, and the frame limit counts over both streams") {
    Rig rig;
    rig.add_frames(3);
    rig.in_wait = [&] {
        if (rig.script.count("source.take") == 3 && rig.script.count("source.changed") == 0) {
            rig.source.change = true;
            rig.source.next_width = 4;
        }
        if (rig.script.count("source.start") == 2 && rig.script.count("source.take") == 3)
            rig.add_frames(4);
    };
    REQUIRE(rig.run({.pump = {.frame_limit = 7}}));
    CHECK(rig.after.total.frames == 7);
    CHECK(rig.script.count("started") == 2);
    CHECK(rig.script.count("interrupted") == 1);
    CHECK(rig.source.format().width == 4);
}

TEST_CASE("the time limit counts what the frames of both streams last, however long they took") {
    Rig rig;
    rig.source.interval = 40ms;
    rig.add_frames(3); // 80 ms from the first to the last
    rig.in_wait = [&] {
        rig.system.time += 5s;
        if (rig.script.count("source.take") == 3 && rig.script.count("source.changed") == 0)
            rig.source.change = true;
        if (rig.script.count("source.start") == 2 && rig.script.count("source.take") == 3)
            rig.add_frames(9);
    };
    REQUIRE(rig.run({.pump = {.time_limit = 200ms}}));
    CHECK(rig.after.time_is_over);
    CHECK(rig.after.total.frames == 3 + 3); // 120 ms are left: 0, 40 and 80
    CHECK(rig.after.streamed == 160ms);
}

TEST_CASE("a source that is gone is waited for, said once, and asked again when something happens") {
    Rig rig;
    rig.add_frames(2);
    rig.source.returns = true;
    rig.source.comebacks = {true, false, false, true};
    rig.in_wait = [&] {
        if (rig.script.count("source.take") == 2 && rig.script.count("source.come_back") == 1)
            rig.script.fail("source.take", ENODEV);
        if (rig.script.count("source.come_back") == 2)
            rig.script.errors.clear();
        rig.source.change = rig.script.count("source.come_back") == 2 ? std::optional(false) : std::nullopt;
        if (rig.script.count("source.start") == 2 && rig.script.count("started") == 1)
            rig.add_frames(1);
    };
    rig.system.ready[rig.source.event_fd()] = [&] {
        const bool something =
            rig.script.count("source.take") == 2 && rig.script.count("source.come_back") == 1;
        return rig.source.ready() | (something ? 1U : 0U);
    };
    REQUIRE(rig.run({.pump = {.frame_limit = 3}}));
    CHECK(rig.after.total.frames == 3);
    CHECK(rig.script.count("source.come_back") == 4);
    CHECK(rig.script.count("awaits") == 1);
    CHECK(rig.script.count("interrupted") == 1);
}

TEST_CASE("an error that waiting does not mend ends the session") {
    Rig rig;
    rig.script.fail("source.start", ENODEV);
    const Status status = rig.run();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ENODEV);
    CHECK(rig.script.count("source.come_back") == 1);
}

TEST_CASE("a source that cannot come back as it was wished for ends the session with its error") {
    Rig rig;
    rig.script.fail("source.come_back", EINVAL);
    const Status status = rig.run();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == EINVAL);
    CHECK(rig.script.count("source.start") == 0);
}

TEST_CASE("a stream without a frame is not tried again at once") {
    Rig rig;
    rig.source.returns = true;
    rig.script.fail("source.start", EIO);
    rig.in_wait = [&] {
        if (rig.script.count("source.come_back") == 3)
            ::raise(SIGINT);
    };
    const auto begin = rig.system.time;
    REQUIRE(rig.run());
    CHECK(rig.after.interrupted);
    CHECK(rig.script.count("source.come_back") == 3);
    CHECK(rig.script.count("interrupted") == 1); // said once
    CHECK(rig.system.time - begin >= 2s);
}

TEST_CASE("a signal ends the wait for a source") {
    Rig rig;
    rig.source.comebacks.assign(1000, false);
    rig.in_wait = [&] {
        if (rig.script.count("source.come_back") == 2)
            ::raise(SIGTERM);
    };
    REQUIRE(rig.run());
    CHECK(rig.after.interrupted);
    CHECK(rig.script.count("source.start") == 0);
    CHECK(rig.script.count("awaits") == 1);
}

TEST_CASE("a format that will not do ends the session before it streams") {
    Rig rig;
    rig.add_frames(1);
    rig.in_wait = [&] {
        if (rig.script.count("started") == 1 && rig.script.count("source.come_back") == 1) {
            rig.source.change = true;
            rig.source.next_width = 4;
        }
    };
    Session::Options options;
    options.accepts = [](const FrameFormat& format) {
        return format.width == 8 ? Status{}
                                 : make_error(ErrorKind::system, "frames", "8x1", "they are something else");
    };
    const Status status = rig.run(std::move(options));
    REQUIRE_FALSE(status);
    CHECK(status.error().operation == "frames");
    CHECK(rig.script.count("source.start") == 1);
}

TEST_CASE("a source that does not come back in time ends the session, and says what was waited for") {
    for (const auto& [limit, text] : {std::pair{2500ms, "2.5"}, std::pair{3500ms, "3.5"}}) {
        Rig rig;
        rig.source.comebacks.assign(1000, false);
        const auto begin = rig.system.time;
        const Status status = rig.run({.pump = {.stall_limit = limit}});
        REQUIRE_FALSE(status);
        CHECK(status.error().kind == ErrorKind::system);
        CHECK(
            status.error().message() ==
            fmt::format("wait for /dev/source: no frame came for {} seconds; it waited for a miracle", text));
        CHECK(rig.system.time - begin == limit);
        CHECK(rig.script.count("source.start") == 0);
    }
}

TEST_CASE("streams without a frame are no reason to wait longer") {
    Rig rig;
    rig.source.returns = true;
    rig.script.fail("source.start", EIO);
    const auto begin = rig.system.time;
    const Status status = rig.run({.pump = {.stall_limit = 2500ms}});
    REQUIRE_FALSE(status);
    CHECK(status.error().message() == "wait for /dev/source: no frame came for 2.5 seconds");
    CHECK(rig.system.time - begin == 2500ms);
}

TEST_CASE("each stream with a frame gives the next one its full time") {
    Rig rig;
    rig.add_frames(1);
    rig.source.comebacks = {false, false, true, false, false, true};
    rig.in_wait = [&] {
        if (rig.script.count("started") == 1 && rig.script.count("source.changed") == 0)
            rig.source.change = true;
        if (rig.script.count("source.start") == 2 && rig.script.count("started") == 1)
            rig.add_frames(1);
    };
    REQUIRE(rig.run({.pump = {.frame_limit = 2, .stall_limit = 2500ms}}));
    CHECK(rig.after.total.frames == 2);
    CHECK(rig.script.count("source.come_back") == 6);
}
