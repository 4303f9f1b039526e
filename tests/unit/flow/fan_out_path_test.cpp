// SPDX-License-Identifier: MIT
//
// From a fake camera to two fake outputs and a consumer without buffers, with every call failing in turn.
#include "flow/fan_out_sink.h"
#include "flow/open_endpoint.h"
#include "flow/pump.h"

#include "support/fake_system.h"
#include "support/quiet_log.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using namespace std::chrono_literals;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

constexpr std::uint64_t frames = 7;
const std::string second = "/dev/video2";

class Silent final : public PumpListener {
public:
    Status started(const Path&, std::uint64_t) override { return {}; }
    Status progress(const Path&, const StatisticsReport&) override { return {}; }
};

/// One camera, and what becomes of its frames at two outputs.
struct Fork {
    Fork() {
        system.on_wait = [this] {
            camera.capture();
            show(one, shown_by_one);
            show(two, shown_by_two);
        };
    }
    static void show(FakeDevice& output, std::vector<std::string>& shown) {
        if (!output.queued_indexes().empty() && output.streaming())
            shown.push_back(output.content(output.queued_indexes().front(), 7));
        output.show();
    }
    Result<std::unique_ptr<Sink>> open_sinks(const FanOutWishes& wishes) {
        std::vector<std::unique_ptr<Sink>> sinks;
        for (const std::string& name : {std::string("/dev/video1"), second, std::string("null:")}) {
            Result<std::unique_ptr<Sink>> sink = open_sink(name, true, {}, system);
            if (!sink)
                return sink;
            sinks.push_back(std::move(*sink));
        }
        return std::make_unique<FanOutSink>(std::move(sinks), wishes);
    }
    Result<PumpResult> run(const PathWishes& wishes = {}) {
        const Result<StopSignals> signals = StopSignals::create();
        REQUIRE(signals);
        Result<std::unique_ptr<Sink>> sink =
            open_sinks({.zero_copy = wishes.zero_copy, .method = wishes.sink_method});
        if (!sink)
            return std::unexpected(sink.error());
        Result<std::unique_ptr<Source>> source = open_source("/dev/video0", {}, system);
        if (!source)
            return std::unexpected(source.error());
        Silent listener;
        Pump pump(**source, **sink, wishes, {.frame_limit = frames, .drain_limit = 1s}, *signals, listener,
                  {}, system);
        Result<PumpResult> result = pump.run();
        verdict = (*sink)->verdict();
        parts = (*sink)->parts();
        return result;
    }
    std::string roles() const {
        std::string all;
        for (const SinkPart& part : parts)
            all += (all.empty() ? "" : " ") + std::string(part.role ? to_text(*part.role) : "-");
        return all;
    }
    void check_clean() const {
        CHECK(system.leaks() == 0);
        CHECK(system.cpu_accesses == 0);
        CHECK(system.violations() == std::vector<std::string>{});
    }

    testing::QuietLog quiet;
    FakeSystem system;
    FakeDevice& camera = system.add("/dev/video0", BufferType::capture);
    FakeDevice& one = system.add("/dev/video1", BufferType::output);
    FakeDevice& two = system.add(second, BufferType::output);
    std::vector<std::string> shown_by_one;
    std::vector<std::string> shown_by_two;
    Status verdict;
    std::vector<SinkPart> parts;
};

struct Way {
    const char* strategy;
    std::string_view roles;
    unsigned copies;
    std::string_view released; ///< the devices whose queue is given back, in order
};
const Way ways[] = {
    {"sink-exports", "exports imports imports", 0, "021"},
    {"source-exports", "imports imports imports", 0, "120"},
    {"sink-lends", "lends borrows touches", 0, "021"},
    {"source-lends", "borrows borrows touches", 0, "120"},
    {"copy", "copies copies touches", 2, "012"},
    {"read-source", "copies copies touches", 2, "120"},
};

PathWishes only(const char* strategy) {
    return {.strategy = strategy, .buffers = 6};
}

/// False once the path has no call at @p position.
bool check_failure(const Way& way, std::size_t position, int code) {
    Fork fork;
    fork.system.fail_at(position, code);
    const Result<PumpResult> result = fork.run(only(way.strategy));
    const FakeSystem::Call* const failed = fork.system.failed_call();
    if (failed == nullptr)
        return false;
    CAPTURE(way.strategy);
    CAPTURE(failed->name);
    CAPTURE(failed->object);
    CAPTURE(code);
    fork.check_clean();
    if (!result) {
        const bool named = result.error().operation.starts_with(failed->name) ||
                           result.error().message().contains(failed->name);
        const bool no_device =
            failed->name == "QUERYCAP" && result.error().message().contains("not a V4L2 device");
        CHECK((named || no_device));
    } else {
        CHECK(result->total.frames == frames);
        CHECK(fork.parts[2].frames == frames); // who has nothing to do with it
        if (!fork.verdict)
            CHECK(fork.verdict.error().code == code);
    }
    return true;
}

} // namespace

TEST_CASE("every output gets every frame's content, in the memory that the path says") {
    for (const Way& way : ways) {
        CAPTURE(way.strategy);
        Fork fork;
        const Result<PumpResult> result = fork.run(only(way.strategy));
        REQUIRE(result);
        CHECK(fork.verdict);
        CHECK(fork.roles() == way.roles);
        CHECK(result->total.frames == frames);
        CHECK(result->total.copied_bytes == way.copies * frames * 256);
        CHECK(result->path->copies == way.copies);
        for (const std::vector<std::string>& shown : {fork.shown_by_one, fork.shown_by_two}) {
            REQUIRE(shown.size() >= frames - 1);
            for (std::size_t i = 0; i < shown.size(); ++i)
                CHECK(shown[i] == "frame " + std::to_string(i));
        }
        fork.check_clean();
        std::string order;
        for (const FakeSystem::Call& call : fork.system.calls())
            if (call.name == "REQBUFS(0)")
                order += call.object.back();
        CHECK(order == way.released);
    }
}

TEST_CASE("a frame lies in the same memory at each output") {
    Fork fork;
    std::size_t same = 0;
    fork.system.on_wait = [&] {
        fork.camera.capture();
        if (!fork.two.queued_indexes().empty()) {
            const std::uint32_t index = fork.two.queued_indexes().front();
            CHECK(fork.two.inode(index) == fork.one.inode(index));
            CHECK(fork.two.inode(index) == fork.camera.inode(index));
            ++same;
        }
        fork.one.show();
        fork.two.show();
    };
    REQUIRE(fork.run({.zero_copy = true}));
    CHECK(same >= frames - 1);
}

TEST_CASE("every call can fail: nothing leaks, and the outputs that are left go on") {
    for (const Way& way : ways)
        for (const int code : {ENODEV, EINVAL}) {
            std::size_t position = 0;
            while (check_failure(way, position, code))
                ++position;
            CHECK(position > 40);
        }
}

TEST_CASE("an output that refuses at REQBUFS or at its first QBUF copies, the other one does not") {
    for (const bool late : {false, true}) {
        Fork fork;
        fork.two.has_import = late;
        fork.two.imports_nothing = late;
        const Result<PumpResult> result = fork.run();
        REQUIRE(result);
        CHECK(fork.verdict);
        CHECK(fork.roles() == "exports copies imports");
        CHECK(fork.parts[0].copied_bytes == 0);
        CHECK(fork.parts[1].copied_bytes == frames * 256);
        CHECK(result->total.copied_bytes == frames * 256);
        REQUIRE(fork.shown_by_two.size() >= frames - 1);
        CHECK(fork.shown_by_two[2] == "frame 2");
        CHECK(fork.system.count("REQBUFS(0)", "/dev/video1") == 1); // it did not notice
        fork.check_clean();
    }
    Fork zero;
    zero.two.imports_nothing = true;
    const Result<PumpResult> result = zero.run({.zero_copy = true});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::unsupported);
    CHECK(result.error().message().contains("sink-exports: QBUF(dmabuf) /dev/video2 index 0"));
    zero.check_clean();
}

TEST_CASE("in a steady state a frame costs one wait, and a DQBUF and a QBUF at each device") {
    Fork fork;
    REQUIRE(fork.run());
    for (const char* device : {"/dev/video0", "/dev/video1", "/dev/video2"}) {
        CAPTURE(device);
        CHECK(fork.system.count("QBUF", device) <= frames + 6);
        CHECK(fork.system.count("DQBUF", device) <= frames + 4);
    }
    CHECK(fork.system.count("epoll_wait") <= frames + 4);
}

TEST_CASE("an output that is unplugged mid-stream is given up, and the run says so at its end") {
    for (const Way& way : ways)
        for (const bool first : {true, false}) {
            CAPTURE(way.strategy);
            Fork fork;
            FakeDevice& gone = first ? fork.one : fork.two;
            unsigned waits = 0;
            const auto live = fork.system.on_wait;
            fork.system.on_wait = [&] {
                live();
                gone.unplugged = ++waits > 4;
            };
            const Result<PumpResult> result = fork.run(only(way.strategy));
            REQUIRE(result);
            CHECK(result->total.frames == frames);
            REQUIRE_FALSE(fork.verdict);
            CHECK(fork.verdict.error().kind == ErrorKind::device);
            CHECK(fork.verdict.error().message().contains("the device was removed"));
            CHECK(fork.parts[first ? 0 : 1].failure);
            CHECK(fork.parts[first ? 1 : 0].frames == frames);
            CHECK(fork.system.cpu_accesses == 0);
            CHECK(testing::fake_mappings() == 0);
        }
}

TEST_CASE("an output that shows nothing any more does not stop the others") {
    Fork fork;
    unsigned waits = 0;
    fork.system.on_wait = [&] {
        fork.camera.capture();
        fork.one.show();
        if (++waits < 3)
            fork.two.show();
    };
    const Result<PumpResult> result = fork.run();
    REQUIRE(result);
    CHECK(fork.verdict);
    CHECK(fork.parts[0].frames == frames);
    CHECK(fork.parts[0].dropped == 0);
    CHECK(fork.parts[1].dropped > 0);
    CHECK(fork.parts[1].frames + fork.parts[1].dropped == frames);
    fork.check_clean();
}
