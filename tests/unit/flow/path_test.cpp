// SPDX-License-Identifier: MIT
//
// The whole path from a fake camera to a fake output, with every one of its calls failing in turn.
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

constexpr std::uint64_t frames = 6;

class Silent final : public PumpListener {
public:
    Status started(const Path&, std::uint64_t) override { return {}; }
    Status progress(const Path&, const StatisticsReport&) override { return {}; }
};

/// What becomes of the content of the frames.
struct Road {
    Road() {
        system.on_wait = [this] {
            camera.capture();
            if (!output.queued_indexes().empty())
                shown.push_back(output.content(output.queued_indexes().front(), 7));
            output.show();
        };
    }
    Result<PumpResult> run(const PathWishes& wishes) {
        const Result<StopSignals> signals = StopSignals::create();
        REQUIRE(signals);
        Result<std::unique_ptr<Sink>> sink = open_sink("/dev/video1", true, {}, system);
        if (!sink)
            return std::unexpected(sink.error());
        Result<std::unique_ptr<Source>> source = open_source("/dev/video0", {}, system);
        if (!source)
            return std::unexpected(source.error());
        Silent listener;
        Pump pump(**source, **sink, wishes, {.frame_limit = frames, .drain_limit = 1s}, *signals, listener,
                  {}, system);
        Result<PumpResult> result = pump.run();
        if (!output.written().empty())
            shown = output.written();
        return result;
    }

    testing::QuietLog quiet;
    FakeSystem system;
    FakeDevice& camera = system.add("/dev/video0", BufferType::capture);
    FakeDevice& output = system.add("/dev/video1", BufferType::output);
    std::vector<std::string> shown;
};

const PathWishes any{.zero_copy = false, .buffers = 3};
const PathWishes zero_copy{.zero_copy = true, .buffers = 3};

/// Leads to each of the paths that two devices can have.
struct Way {
    std::string_view name;
    PathWishes wishes;
    std::string_view
        released; ///< the devices whose queue is given back, in order: 0 the camera, 1 the output
};
PathWishes only(const char* strategy) {
    return {.strategy = strategy, .buffers = 3};
}
const Way ways[] = {
    {"sink-exports", only("sink-exports"), "01"},
    {"source-exports", only("source-exports"), "10"},
    {"sink-lends", only("sink-lends"), "01"},
    {"source-lends", only("source-lends"), "10"},
    {"fill-sink", only("fill-sink"), "1"},
    {"read-source", only("read-source"), "0"},
    {"copy", only("copy"), "01"},
    {"copy-dmabuf", only("copy-dmabuf"), "01"},
};

void check_clean(const Road& path) {
    CHECK(path.system.leaks() == 0);
    CHECK(path.system.cpu_accesses == 0);
    CHECK(path.system.violations() == std::vector<std::string>{});
}

/// False once the path has no call at @p position.
bool check_failure(const Way& way, std::size_t position, int code) {
    Road path;
    path.system.fail_at(position, code);
    const Result<PumpResult> result = path.run(way.wishes);
    const FakeSystem::Call* const failed = path.system.failed_call();
    if (failed == nullptr)
        return false;
    CAPTURE(way.name);
    CAPTURE(failed->name);
    CAPTURE(failed->object);
    CAPTURE(code);
    check_clean(path);
    if (!result) {
        const Error& error = result.error();
        // A path that was forced and failed before its first frame names the call within the sentence.
        const bool named =
            error.operation.starts_with(failed->name) || error.message().contains(failed->name);
        const bool no_device = failed->name == "QUERYCAP" && error.message().contains("not a V4L2 device");
        CHECK((named || no_device));
        CHECK((error.code == code || error.kind == ErrorKind::unsupported || no_device));
        if (code == ENODEV && failed->name != "epoll_ctl")
            CHECK(error.kind == ErrorKind::device);
    } else {
        CHECK(result->total.frames == frames);
    }
    return true;
}

} // namespace

TEST_CASE("every path moves the frames' content, in order, and gives everything back") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        Road path;
        const Result<PumpResult> result = path.run(way.wishes);
        REQUIRE(result);
        CHECK(result->path->strategy->name == way.name);
        CHECK(result->total.frames == frames);
        CHECK(result->total.copied_bytes == result->path->copies * frames * 256);
        REQUIRE(path.shown.size() >= frames);
        for (std::size_t i = 0; i < frames; ++i)
            CHECK(path.shown[i] == "frame " + std::to_string(i));
        check_clean(path);
        CHECK(path.camera.allocated() == 0);
        CHECK(path.output.allocated() == 0);
    }
}

TEST_CASE("the camera is asked to stop before the output, and the importer to let go first") {
    for (const Way& way : ways) {
        CAPTURE(way.name);
        Road path;
        REQUIRE(path.run(way.wishes));
        std::string order;
        for (const FakeSystem::Call& call : path.system.calls())
            if (call.name == "REQBUFS(0)")
                order += call.object.back();
        CHECK(order == way.released);
        const std::string ends = path.system.calls_named({"STREAMON", "STREAMOFF"}, "/dev/video0");
        if (way.released.contains('0')) // read() has no queue
            CHECK(ends.starts_with("STREAMON STREAMOFF"));
    }
}

TEST_CASE("every call of every path can fail: nothing leaks, and the error names the call") {
    for (const Way& way : ways)
        for (const int code : {ENODEV, EIO, ENOMEM, EBADF, ENOTTY, EBUSY, EINVAL}) {
            std::size_t position = 0;
            while (check_failure(way, position, code))
                ++position;
            CHECK(position > 30);
        }
}

TEST_CASE("a driver that refuses at REQBUFS, EXPBUF or QBUF leads to the next path") {
    struct {
        std::function<void(Road&)> cripple;
        std::string_view found;
    } const cases[] = {
        {[](Road& path) { path.camera.has_import = false; }, "source-exports"},
        {[](Road& path) { path.camera.imports_nothing = true; }, "source-exports"},
        {[](Road& path) { path.output.has_export = false; }, "source-exports"},
        {[](Road& path) { path.camera.has_import = path.camera.has_export = false; }, "sink-lends"},
        {[](Road& path) { path.camera.has_import = path.output.has_import = false; }, "sink-lends"},
        {[](Road& path) {
             path.camera.has_import = path.camera.has_userptr = false;
             path.output.imports_nothing = true; // by address neither
         },
         "copy"},
    };
    for (const auto& [cripple, found] : cases) {
        Road path;
        cripple(path);
        const Result<PumpResult> result = path.run(any);
        REQUIRE(result);
        CHECK(result->path->strategy->name == found);
        CHECK(result->total.frames == frames);
        check_clean(path);
    }
}

TEST_CASE("zero-copy that cannot be had names the call of each path") {
    Road path;
    path.camera.has_import = false;
    path.output.imports_nothing = true; // refused at the first frame's QBUF
    const Result<PumpResult> result = path.run(zero_copy);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::unsupported);
    const std::string message = result.error().message();
    CAPTURE(message);
    CHECK(message.contains("sink-exports: REQBUFS(dmabuf, capture) /dev/video0: Invalid argument"));
    CHECK(message.contains("source-exports: QBUF(dmabuf) /dev/video1 index 0: Invalid argument"));
    check_clean(path);
}

TEST_CASE("a camera that is unplugged mid-stream ends the run as a device error") {
    for (const Way& way : ways) {
        Road path;
        unsigned waits = 0;
        const auto live = path.system.on_wait;
        path.system.on_wait = [&] {
            live();
            path.camera.unplugged = ++waits > 3;
        };
        const Result<PumpResult> result = path.run(way.wishes);
        REQUIRE_FALSE(result);
        CHECK(result.error().kind == ErrorKind::device);
        CHECK(result.error().message().contains("unplugged"));
        CHECK(path.system.cpu_accesses == 0);
        CHECK(testing::fake_mappings() == 0);
    }
}

TEST_CASE("formats that differ: frames are converted on the way, and every call can fail without a leak") {
    const auto run = [](Road& path) {
        path.output.format.fourcc = FourCC("NV12");
        path.output.grant_offers();
        return path.run(any);
    };
    Road path;
    const Result<PumpResult> result = run(path);
    REQUIRE(result);
    CHECK(result->path->strategy->name == "copy");
    CHECK(result->path->copies == 1);
    CHECK(result->total.frames == frames);
    CHECK(result->total.copied_bytes >= frames * 16 * 8 * 3 / 2);
    CHECK(path.output.format.text() == "NV12 16x8");
    check_clean(path);
    for (const int code : {ENODEV, EIO, ENOMEM, EINVAL})
        for (std::size_t position = 0;; ++position) {
            Road failing;
            failing.system.fail_at(position, code);
            static_cast<void>(run(failing));
            if (failing.system.failed_call() == nullptr)
                break;
            CAPTURE(failing.system.failed_call()->name);
            check_clean(failing);
        }
}
