// SPDX-License-Identifier: MIT
#include "flow/pump.h"

#include "support/fake_system.h"
#include "support/scripted_endpoints.h"

#include <csignal>
#include <doctest/doctest.h>

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
    Status started(const Path& path, std::uint64_t) override {
        return script_.call("started", std::string(path.strategy->name));
    }
    Status progress(const Path&, const StatisticsReport& report) override {
        return script_.call("progress", std::to_string(report.frames));
    }
    Status demand(bool wanted) override { return script_.call("demand", wanted ? "yes" : "no"); }

private:
    Script& script_;
};

class Observer final : public FrameObserver {
public:
    explicit Observer(Script& script) : script_(script) {}
    Status observe(const Frame& frame) override {
        return script_.call("observe", std::to_string(frame.metadata.sequence));
    }

private:
    Script& script_;
};

/// A pump between scripted ends. Without on_wait the sink is done with one frame in each wait.
struct Rig {
    Rig() {
        system.ready[source.event_fd()] = [this] { return source.ready(); };
        system.ready[sink.fd()] = [this] { return sink.ready(); };
        system.on_wait = [this] { sink.finish_one(); };
    }
    void add_frames(std::uint32_t count) {
        for (std::uint32_t sequence = 0; sequence < count; ++sequence)
            source.add_frame(sequence);
    }
    Result<PumpResult> run(const PumpOptions& options = {}, const PathWishes& wishes = {}) {
        FrameObserver* const observers[] = {&observer};
        Pump pump(source, sink, wishes, options, signals, listener, observers, system);
        Result<PumpResult> result = pump.run();
        after = pump.result();
        CHECK(source.violations == std::vector<std::string>{});
        CHECK_FALSE(source.running());
        CHECK(source.out() == 0);
        CHECK(sink.in_flight() == 0);
        return result;
    }

    FakeSystem system;
    Script script;
    ScriptedSource source{script};
    ScriptedSink sink{script};
    StopSignals signals = std::move(*StopSignals::create());
    Listener listener{script};
    Observer observer{script};
    PumpResult after;
};

} // namespace

TEST_CASE("the frame limit ends the run with everything given back") {
    Rig rig;
    rig.add_frames(20);
    rig.sink.room = 3;
    const Result<PumpResult> result = rig.run({.frame_limit = 10});
    REQUIRE(result);
    CHECK(result->total.frames == 10);
    CHECK(rig.script.count("started") == 1);
    CHECK(rig.script.count("observe") == 10);
    CHECK_FALSE(result->interrupted);
    CHECK(result->total.dropped == 0);
    CHECK(result->path->strategy->name == "sink-exports");
    CHECK(rig.script.position("source.stop") < rig.script.position("sink.stop"));
}

TEST_CASE("a time limit goes by timestamps, and where these do not move by when frames come") {
    for (const bool stamped : {true, false}) {
        CAPTURE(stamped);
        Rig rig;
        rig.source.interval = stamped ? 40ms : 0ms;
        rig.add_frames(20);
        rig.system.on_wait = [&] {
            rig.sink.finish_one();
            rig.system.time += stamped ? 1s : 40ms; // a frame comes with each wait
        };
        const Result<PumpResult> result = rig.run({.time_limit = 200ms});
        REQUIRE(result);
        CHECK(result->time_is_over);
        CHECK(result->total.frames == 5);
        CHECK(result->streamed == 160ms);
    }
}

TEST_CASE("a sink that has what it wants ends the run") {
    Rig rig;
    rig.add_frames(20);
    rig.sink.enough = 2;
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->total.frames == 2);
    CHECK_FALSE(result->interrupted);
}

TEST_CASE("a full sink keeps one frame waiting and the source paused, in order") {
    Rig rig;
    rig.sink.room = 1;
    rig.add_frames(4);
    const Result<PumpResult> result = rig.run({.frame_limit = 4});
    REQUIRE(result);
    CHECK(result->total.frames == 4);
    std::string observed;
    for (const std::string& entry : rig.script.log)
        if (entry.starts_with("observe"))
            observed += entry.substr(8);
    CHECK(observed == "0123"); // each once, also the one that waited
    const auto second = rig.script.position("sink.put 1");
    const auto taken_back = rig.script.position("source.give_back 0");
    CHECK(second < taken_back); // refused first
    CHECK(std::ranges::count(rig.script.log, "sink.put 1") == 2);
}

TEST_CASE("a frame that waits is put as soon as the sink has room, and takes its own errors along") {
    Rig rig;
    rig.sink.room = 1;
    rig.add_frames(3);
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.position("sink.put 1") < rig.script.log.size())
            rig.script.fail("sink.put", EIO);
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().operation == "put");
    CHECK(result.error().code == EIO);
    CHECK(rig.after.total.frames == 1);
}

TEST_CASE("a sink that has no room for the very first frame is waited for") {
    Rig rig;
    rig.sink.room = 0;
    rig.add_frames(2);
    rig.system.ready[rig.sink.fd()] = [&] { return rig.sink.room > 0 ? 4U : 0U; };
    rig.system.on_wait = [&] {
        if (rig.script.count("sink.put") > 0)
            rig.sink.room = 4;
        rig.sink.finish_one();
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 2});
    REQUIRE(result);
    CHECK(result->total.frames == 2);
    CHECK(rig.script.count("sink.put 0") == 2);
}

TEST_CASE("a frame that waited and is then refused leads to the next path") {
    Rig rig;
    rig.sink.room = 0;
    rig.add_frames(8);
    rig.system.ready[rig.sink.fd()] = [&] { return rig.sink.room > 0 ? 4U : 0U; };
    rig.system.on_wait = [&] {
        const auto puts = rig.script.count("sink.put");
        if (puts == 1) {
            rig.sink.room = 4;
            rig.script.fail("sink.put", EINVAL);
        } else {
            rig.script.errors.erase("sink.put");
        }
        rig.sink.finish_one();
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 3});
    REQUIRE(result);
    CHECK(result->path->strategy->name == "source-exports");
    CHECK(result->total.frames == 3);
}

TEST_CASE("a sink that is ready in several places is asked once") {
    std::array<std::ptrdiff_t, 2> asked{};
    for (const bool two : {false, true}) {
        Rig rig;
        const UniqueFd second(::eventfd(0, EFD_CLOEXEC));
        rig.sink.second_fd = two ? second.get() : -1;
        rig.system.ready[second.get()] = [&] { return rig.sink.ready(); };
        rig.sink.room = 1;
        rig.add_frames(4);
        REQUIRE(rig.run({.frame_limit = 4}));
        asked[two ? 1 : 0] = rig.script.count("sink.reclaim");
    }
    CHECK(asked[0] > 0);
    CHECK(asked[0] == asked[1]);
}

TEST_CASE("what a sink does not wait for any more is not watched, the rest is") {
    Rig rig;
    const UniqueFd second(::eventfd(0, EFD_CLOEXEC));
    unsigned looks = 0;
    rig.sink.second_fd = second.get();
    rig.system.ready[second.get()] = [&] {
        ++looks;
        return 0U;
    };
    rig.sink.room = 1; // is watched on and off
    rig.add_frames(6);
    unsigned looks_before = 0;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("sink.put 2") == 1) {
            looks_before = looks;
            rig.sink.second_fd = -1; // it has failed
        }
    };
    REQUIRE(rig.run({.frame_limit = 6}));
    CHECK(looks_before > 0);
    CHECK(looks <= looks_before + 2); // until it is watched again
}

TEST_CASE("a sink without room and without an event is an error, not a stall") {
    Rig rig;
    rig.sink.has_event = false;
    rig.sink.room = 0;
    rig.add_frames(1);
    const Result<PumpResult> result = rig.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::device);
    CHECK(result.error().object == "/dev/sink");
}

TEST_CASE("a source without an event is asked again and again, but not while the sink is full") {
    Rig rig;
    rig.source.has_event = false;
    rig.sink.room = 1;
    rig.add_frames(5);
    const std::chrono::microseconds before = rig.system.time;
    const Result<PumpResult> result = rig.run({.frame_limit = 5});
    REQUIRE(result);
    CHECK(result->total.frames == 5);
    CHECK(rig.system.time - before < 1s); // no wait ran into its timeout
    CHECK(std::ranges::count(rig.script.log, "sink.put 1") == 2);
}

TEST_CASE("a source without an event does not keep the signals waiting") {
    Rig rig;
    rig.source.has_event = false;
    rig.add_frames(1);
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("source.take") > 20)
            REQUIRE(::raise(SIGINT) == 0);
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(result->total.frames == 1);
}

TEST_CASE("frames that the driver marked as bad go back and are counted") {
    Rig rig;
    rig.source.add_frame(0, V4L2_BUF_FLAG_ERROR);
    rig.source.add_frame(1, 0, 0); // no bytes
    rig.source.add_frame(2);
    const Result<PumpResult> result = rig.run({.frame_limit = 1});
    REQUIRE(result);
    CHECK(result->total.corrupt == 2);
    CHECK(result->total.frames == 1);
    CHECK(result->total.dropped == 0);
    CHECK(rig.script.count("observe") == 1);
    CHECK(rig.script.count("source.give_back 0") == 1);
    CHECK(rig.script.count("source.give_back 1") == 1);
}

TEST_CASE("each call that fails mid-stream ends the run with that error and everything released") {
    for (const std::string call :
         {"source.take", "source.give_back", "sink.put", "sink.reclaim", "observe", "progress"}) {
        CAPTURE(call);
        for (const int code : {EIO, ENODEV, ENOMEM, EBADF}) {
            Rig rig;
            rig.add_frames(3);
            rig.system.on_wait = [&] {
                rig.sink.finish_one();
                if (rig.script.count("sink.put") < 3)
                    return;
                rig.script.fail(call, code);
                rig.source.add_frame(3);
                rig.system.on_wait = [&] { rig.sink.finish_one(); };
            };
            const Result<PumpResult> result = rig.run();
            REQUIRE_FALSE(result);
            CHECK(result.error().code == code);
            CHECK(call.ends_with(result.error().operation));
            CHECK(rig.after.total.frames >= 3); // what got through is still told
            CHECK(rig.script.count("source.release") > 0);
            CHECK(rig.script.count("sink.release") > 0);
        }
    }
}

TEST_CASE("an error before the first frame is through leads to the next path") {
    Rig rig;
    rig.add_frames(8);
    rig.script.fail("sink.put", EINVAL);
    rig.system.on_wait = [&] {
        if (rig.script.count("sink.put") > 0)
            rig.script.errors.erase("sink.put");
        rig.sink.finish_one();
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 3});
    REQUIRE(result);
    CHECK(result->path->strategy->name == "source-exports");
    CHECK(result->total.frames == 3);
    CHECK(rig.script.count("started source-exports") == 1);
    CHECK(rig.script.count("started") == 1);
}

TEST_CASE("paths that all fail at the first frame end with an error that names them") {
    Rig rig;
    rig.add_frames(8);
    rig.script.fail("sink.put", EINVAL);
    const Result<PumpResult> result = rig.run({}, {.zero_copy = true});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::unsupported);
    CHECK(result.error().message().contains("sink-exports: put"));
    CHECK(result.error().message().contains("source-exports: put"));
    CHECK(rig.after.total.frames == 0);
}

TEST_CASE("a copied frame is free at once, and counted in bytes") {
    Rig rig;
    rig.add_frames(4);
    const Result<PumpResult> result =
        rig.run({.frame_limit = 4}, {.source_method = IoMethod::mmap, .sink_method = IoMethod::mmap});
    REQUIRE(result);
    CHECK(result->path->strategy->name == "copy");
    CHECK(result->total.copied_bytes == 4 * 8);
    CHECK(rig.script.count("source.give_back") == 4);
}

TEST_CASE("a signal ends the run cleanly") {
    Rig rig;
    rig.add_frames(2);
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("sink.put") == 2)
            REQUIRE(::raise(SIGINT) == 0);
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(result->total.frames == 2);
    CHECK(rig.signals.take() == 0);
}

TEST_CASE("a second signal forces the end of the drain") {
    Rig rig;
    rig.add_frames(2);
    const std::chrono::microseconds before = rig.system.time;
    rig.system.on_wait = [&] {
        if (rig.script.count("sink.put") == 2)
            REQUIRE(::raise(SIGINT) == 0);
    }; // the sink gives nothing back
    const Result<PumpResult> result = rig.run({.frame_limit = {}, .drain_limit = 1h});
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(result->forced);
    CHECK(rig.system.time - before < 1h);
}

TEST_CASE("the drain waits for the sink, but not without end") {
    Rig rig;
    rig.add_frames(2);
    const std::chrono::microseconds before = rig.system.time;
    rig.system.on_wait = nullptr;
    const Result<PumpResult> result =
        rig.run({.frame_limit = 2, .drain_limit = 1s, .patient_drain_limit = 5s});
    REQUIRE(result);
    CHECK_FALSE(result->forced);
    CHECK(rig.system.time - before == 5s);
}

TEST_CASE("a film's end waits for a slow sink as long as it goes on, and Ctrl-C ends that soon") {
    for (const bool hurry : {false, true}) {
        CAPTURE(hurry);
        Rig rig;
        rig.source.ends = true;
        rig.add_frames(3);
        const std::chrono::microseconds before = rig.system.time;
        rig.system.on_wait = [&] {
            if (rig.script.count("source.stop") == 0)
                return;
            if (hurry) {
                rig.system.on_wait = nullptr;
                REQUIRE(::raise(SIGINT) == 0);
                return;
            }
            rig.system.time += 4s;
            rig.sink.finish_one();
        };
        const Result<PumpResult> result = rig.run({.drain_limit = 1s, .patient_drain_limit = 5s});
        REQUIRE(result);
        CHECK(result->total.frames == 3);
        CHECK(result->interrupted == hurry);
        CHECK(rig.system.time - before == (hurry ? 1s : 12s));
    }
}

TEST_CASE("a sink that gets on with what it holds is waited for, though it gives nothing back") {
    for (const unsigned interrupts : {0U, 1U, 2U}) {
        CAPTURE(interrupts);
        Rig rig;
        rig.source.ends = true;
        rig.add_frames(3);
        const std::chrono::microseconds before = rig.system.time;
        unsigned raised = 0;
        rig.system.on_wait = [&] {
            if (rig.script.count("source.stop") == 0)
                return;
            rig.system.time += 4s;
            if (rig.system.time - before < 60s)
                ++rig.sink.done_steps;
            if (raised++ < interrupts)
                REQUIRE(::raise(SIGINT) == 0);
        };
        REQUIRE(rig.run({.drain_limit = 1s, .patient_drain_limit = 5s}));
        CHECK((rig.system.time - before >= 60s) == (interrupts < 2));
        CHECK(rig.system.time - before < 60s + 3 * 5s);
        CHECK((rig.sink.ending == Ending::forced) == (interrupts == 2));
    }
}

TEST_CASE("zero-copy that turns out to be none is an error where it was demanded") {
    for (const bool demanded : {false, true}) {
        Rig rig;
        rig.source.copied_bytes = 8;
        rig.add_frames(2);
        const Result<PumpResult> result = rig.run({.frame_limit = 2}, {.zero_copy = demanded});
        CHECK(result.has_value() == !demanded);
        if (!result)
            CHECK(result.error().kind == ErrorKind::unsupported);
    }
}

TEST_CASE("a source that ends is the end of the run, and its last frame may wait for room") {
    Rig rig;
    rig.source.ends = true;
    rig.sink.room = 1;
    rig.add_frames(3);
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->total.frames == 3);
    CHECK_FALSE(result->interrupted);
}

TEST_CASE("frames that the sink leaves out are dropped ones, and go back at once") {
    Rig rig;
    rig.sink.late = {2, 3};
    rig.add_frames(6);
    const Result<PumpResult> result = rig.run({.frame_limit = 4});
    REQUIRE(result);
    CHECK(result->total.frames == 4);
    CHECK(result->total.dropped == 2);
    CHECK(result->total.corrupt == 0);
    CHECK(std::ranges::count(rig.script.log, "source.give_back 2") == 1);
}

TEST_CASE("progress is reported in its interval, also before the first frame") {
    Rig rig;
    unsigned waits = 0;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (++waits == 3)
            rig.add_frames(1);
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 1, .report_interval = 2s});
    REQUIRE(result);
    CHECK(rig.script.count("progress 0") == 2);
}

TEST_CASE("a source that only reports an error ends the run") {
    Rig rig;
    rig.system.ready[rig.source.event_fd()] = [] { return static_cast<std::uint32_t>(EPOLLERR); };
    const Result<PumpResult> result = rig.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::device);
    CHECK(result.error().object == "/dev/source");
}

TEST_CASE("a source that fails while it is paused ends the run") {
    Rig rig;
    rig.sink.room = 1;
    rig.add_frames(2);
    rig.system.on_wait = [&] {
        if (rig.script.count("sink.put") == 2)
            rig.system.ready[rig.source.event_fd()] = [] { return static_cast<std::uint32_t>(EPOLLHUP); };
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::device);
}

TEST_CASE("a source that always has a frame does not keep the signals waiting") {
    Rig rig;
    rig.sink.obstacles = {{MemoryRole::exports, "no"}, {MemoryRole::imports, "no"}};
    rig.sink.room = 1'000'000;
    rig.system.on_wait = [&] {
        for (std::uint32_t i = 0; i < 1000; ++i)
            rig.source.add_frame(i, V4L2_BUF_FLAG_ERROR);
        if (rig.script.count("source.take") > 0)
            REQUIRE(::raise(SIGTERM) == 0);
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(rig.script.count("source.take") < 200);
}

TEST_CASE("an interrupted wait is no error, a failed one is") {
    Rig rig;
    rig.add_frames(1);
    rig.system.fail("epoll_wait", EINTR);
    CHECK(rig.run({.frame_limit = 1}));
    Rig failing;
    failing.add_frames(1);
    failing.system.fail("epoll_wait", EBADF);
    const Result<PumpResult> result = failing.run({.frame_limit = 1});
    REQUIRE_FALSE(result);
    CHECK(result.error().operation == "epoll_wait");
    Rig unwatched;
    unwatched.system.fail("epoll_ctl", ENOSPC, 1);
    CHECK(unwatched.run().error().code == ENOSPC);
}

TEST_CASE("a source that says it is another one now ends the stream, and is not failed") {
    Rig rig;
    rig.add_frames(3);
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("source.take") == 3)
            rig.source.change = true;
    };
    const Result<PumpResult> result = rig.run();
    REQUIRE(result);
    CHECK(result->source_changed);
    CHECK(result->total.frames == 3);
    CHECK_FALSE(result->interrupted);
}

TEST_CASE("an event that changes nothing costs no look for a frame") {
    Rig rig;
    rig.source.change = false;
    rig.system.on_wait = [&] {
        if (rig.script.count("source.changed") == 1 && rig.script.count("source.take") == 0)
            rig.add_frames(2);
        rig.sink.finish_one();
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 2});
    REQUIRE(result);
    CHECK_FALSE(result->source_changed);
    CHECK(rig.script.count("source.take") == 2);
}

TEST_CASE("what changed() fails with ends the run") {
    Rig rig;
    rig.source.change = true;
    rig.script.fail("source.changed", ENODEV);
    const Result<PumpResult> result = rig.run();
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ENODEV);
}

TEST_CASE("a source that stalls is named after the time limit, and not before") {
    Rig rig;
    rig.add_frames(2);
    const auto begin = rig.system.time;
    const Result<PumpResult> result = rig.run({.stall_limit = 3s});
    REQUIRE_FALSE(result);
    CHECK(result.error().object == "/dev/source");
    CHECK(result.error().message().contains("no frame came for 3 seconds"));
    CHECK(rig.system.time - begin >= 3s);
    CHECK(rig.after.total.frames == 2);
}

TEST_CASE("a sink that stalls is named, not the source") {
    Rig rig;
    rig.sink.room = 1;
    rig.add_frames(6);
    rig.system.on_wait = [] {};
    const Result<PumpResult> result = rig.run({.drain_limit = 0s, .stall_limit = 3s});
    REQUIRE_FALSE(result);
    CHECK(result.error().object == "/dev/sink");
}

TEST_CASE("a sink that leaves out all frames is named, too") {
    Rig rig;
    for (std::uint32_t sequence = 0; sequence < 100; ++sequence)
        rig.sink.late.insert(sequence);
    std::uint32_t sequence = 0;
    rig.system.on_wait = [&] {
        rig.system.time += 1s;
        rig.source.add_frame(sequence++);
    };
    const Result<PumpResult> result = rig.run({.drain_limit = 0s, .stall_limit = 3s});
    REQUIRE_FALSE(result);
    CHECK(result.error().object == "/dev/sink");
}

TEST_CASE("who was stopped for a while looks for what came meanwhile before it is a stall") {
    Rig rig;
    rig.add_frames(1);
    unsigned waits = 0;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        ++waits;
        if (waits == 2)
            rig.system.time += 10s;
        if (waits == 3)
            rig.source.add_frame(1);
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 2, .stall_limit = 3s});
    REQUIRE(result);
    CHECK(result->total.frames == 2);
}

TEST_CASE("frames that keep coming are no stall, however long it takes") {
    Rig rig;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("source.take") < 8) {
            rig.system.time += 2s;
            rig.source.add_frame(static_cast<std::uint32_t>(rig.script.count("source.take")));
        }
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 8, .stall_limit = 3s});
    REQUIRE(result);
    CHECK(result->total.frames == 8);
}

TEST_CASE("frames that go nowhere are a stall") {
    Rig rig;
    std::uint32_t sequence = 0;
    rig.system.on_wait = [&] {
        rig.system.time += 1s;
        rig.sink.bad.insert(sequence);
        rig.source.add_frame(sequence++);
    };
    const Result<PumpResult> result = rig.run({.stall_limit = 5s});
    REQUIRE_FALSE(result);
    CHECK(result.error().message().contains("no frame came for 5 seconds"));
    CHECK(rig.after.total.corrupt >= 3);
}

TEST_CASE("frames that the sink cannot convert are counted and given back, first ones and later ones") {
    Rig rig;
    rig.add_frames(20);
    rig.sink.bad = {0, 1, 5};
    const Result<PumpResult> result = rig.run({.frame_limit = 10});
    REQUIRE(result);
    CHECK(result->total.frames == 10);
    CHECK(result->total.corrupt == 3);
    CHECK(result->path->strategy->name == "sink-exports"); // no reason to take another one
    CHECK(rig.script.count("started") == 1);
    CHECK(rig.script.position("source.give_back 0") < rig.script.position("started sink-exports"));
}

TEST_CASE("a bad frame that had to wait for room does not stop the others") {
    Rig rig;
    rig.add_frames(12);
    rig.sink.room = 1;
    rig.sink.bad = {2, 3, 4, 5, 6, 7};
    const Result<PumpResult> result = rig.run({.frame_limit = 6});
    REQUIRE(result);
    CHECK(result->total.frames == 6);
    CHECK(result->total.corrupt == 6);
}

TEST_CASE("on demand the source sleeps after its first frame until somebody wants more, and again") {
    Rig rig;
    rig.sink.wanted = false;
    rig.add_frames(1);
    int waits_asleep = 0;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("demand no") == 1 && rig.script.count("demand yes") == 0) {
            CHECK_FALSE(rig.source.running());
            CHECK(rig.system.last_timeout_ms > 1'000'000); // nothing to wake for
            if (++waits_asleep == 3) {
                rig.sink.want(true);
                rig.add_frames(3);
            }
        }
        if (rig.script.count("source.take") == 4 && rig.sink.wanted && rig.script.count("demand no") == 1)
            rig.sink.want(false);
        else if (rig.script.count("demand no") == 2 && !rig.sink.wanted) {
            rig.sink.want(true);
            rig.add_frames(1);
        }
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 5, .on_demand = true});
    REQUIRE(result);
    CHECK(result->total.frames == 5);
    CHECK(result->total.dropped == 0); // the numbers begin anew
    CHECK(rig.script.count("started") == 1);
    CHECK(rig.script.count("demand yes") == 2);
    CHECK(rig.script.count("source.start") == 3);
    CHECK(rig.script.count("source.provide") + rig.script.count("source.use") == 1); // the same path
    CHECK(rig.script.count("progress") == 0);
}

TEST_CASE("on demand a source that is wanted from the start does not sleep") {
    Rig rig;
    rig.add_frames(3);
    const Result<PumpResult> result = rig.run({.frame_limit = 3, .on_demand = true});
    REQUIRE(result);
    CHECK(rig.script.count("demand") == 0);
    CHECK(rig.script.count("source.start") == 1);
}

TEST_CASE(
    "a frame that waited for room goes back when the source falls asleep, and what the sink has later") {
    Rig rig;
    rig.sink.room = 1;
    rig.add_frames(4);
    rig.system.on_wait = [&] {
        if (rig.script.count("sink.put 1") > 0 && rig.sink.wanted && rig.script.count("demand") == 0)
            rig.sink.want(false);
        else if (rig.script.count("demand no") == 1 && rig.script.count("demand yes") == 0) {
            rig.sink.finish_one();
            rig.sink.want(true);
        } else {
            rig.sink.finish_one();
        }
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 3, .on_demand = true});
    REQUIRE(result);
    CHECK(rig.script.count("source.give_back 1") == 1); // not passed on
    CHECK(result->total.frames == 3);
}

TEST_CASE("a signal ends the sleep, and a sink that knows no demand the run before it begins") {
    Rig rig;
    rig.sink.wanted = false;
    rig.add_frames(1);
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (rig.script.count("demand no") == 1)
            ::raise(SIGINT);
    };
    const Result<PumpResult> result = rig.run({.on_demand = true});
    REQUIRE(result);
    CHECK(result->interrupted);

    Rig other;
    other.sink.knows_demand = false;
    const Result<PumpResult> refused = other.run({.on_demand = true});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(other.script.count("source.start") == 0);
}

// Such a sink never needs to be waited for: its room is enough, and too little not to look.
TEST_CASE("on demand the sink is heard also where the buffers neither run short nor abound") {
    Rig rig;
    rig.source.missing = 2;
    std::uint32_t sequence = 0;
    rig.system.on_wait = [&] {
        rig.sink.finish_one();
        if (sequence == 4)
            rig.sink.want(false);
        if (rig.script.count("demand no") == 1)
            ::raise(SIGINT);
        else
            rig.source.add_frame(sequence++);
    };
    const Result<PumpResult> result = rig.run({.frame_limit = 100, .on_demand = true});
    REQUIRE(result);
    CHECK(result->interrupted);
    CHECK(result->total.frames < 10);
}

TEST_CASE("what fails while it falls asleep or wakes ends the run") {
    for (const char* call : {"sink.watch_demand", "sink.is_wanted", "demand"}) {
        Rig rig;
        rig.sink.wanted = false;
        rig.add_frames(2);
        rig.script.fail(call, EIO);
        const Result<PumpResult> result = rig.run({.on_demand = true});
        REQUIRE_FALSE(result);
        CHECK(result.error().code == EIO);
    }
}
