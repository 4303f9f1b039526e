// SPDX-License-Identifier: MIT
#include "flow/media_sink.h"

#include "base/event_loop.h"
#include "support/frames.h"
#include "support/jpeg.h"
#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

using namespace v4l2dma;
using namespace v4l2dma::testing;
using namespace std::chrono_literals;

namespace {

FrameFormat small() {
    return *tight_format(FourCC("NV12"), 64, 32);
}

/// A sink on a path of so many buffers, and frames for it.
struct Path {
    explicit Path(const std::string& name, std::uint32_t buffers = 6, const OutputWishes& wishes = {}) {
        Result<std::unique_ptr<MediaSink>> opened = MediaSink::open(name, wishes);
        REQUIRE(opened);
        sink = std::move(*opened);
        REQUIRE(sink->set_format(format));
        REQUIRE(sink->prepare(MemoryRole::touches, buffers));
    }

    Result<PutResult> put(std::uint32_t index, std::chrono::microseconds time) {
        frames.push_back(std::make_unique<PlacedFrame>(format, bytes, format.sizeimage()));
        frames.back()->frame.index = index;
        frames.back()->frame.metadata.timestamp = 1s + time; // 0 would be none
        return sink->put(frames.back()->frame);
    }
    /// Sleeps until the sink tells.
    std::optional<std::uint32_t> wait_for_return() {
        Result<EventLoop> loop = EventLoop::create();
        const EventFds fds = sink->event_fds();
        REQUIRE(loop->add(fds.all()[0], EPOLLOUT, 0, EventLoop::Trigger::edge));
        while (true) {
            const Result<std::optional<std::uint32_t>> index = sink->reclaim();
            if (!index || *index)
                return index ? *index : std::nullopt;
            std::array<epoll_event, 1> events{};
            REQUIRE(loop->wait(events, 20s) == 1); // else it forgot to tell
        }
    }
    void finish() {
        CHECK(sink->finish(Ending::patient) > 0us);
        while (sink->in_flight() > 0)
            REQUIRE(wait_for_return_or_end());
        sink->stop();
    }
    bool wait_for_return_or_end() {
        Result<EventLoop> loop = EventLoop::create();
        const EventFds fds = sink->event_fds();
        REQUIRE(loop->add(fds.all()[0], EPOLLOUT, 0, EventLoop::Trigger::edge));
        std::array<epoll_event, 1> events{};
        while (true) {
            const Result<std::optional<std::uint32_t>> index = sink->reclaim();
            if ((index && *index) || sink->in_flight() == 0)
                return true;
            if (loop->wait(events, 20s) != 1)
                return false;
        }
    }

    FrameFormat format = small();
    std::vector<std::byte> bytes{std::vector<std::byte>(format.sizeimage())};
    std::vector<std::unique_ptr<PlacedFrame>> frames;
    std::unique_ptr<MediaSink> sink;
};

} // namespace

TEST_CASE("frames are kept, written by another thread, and come back") {
    const TemporaryFolder folder;
    Path path(folder.file("a.raw"));
    CHECK(path.sink->why_not(MemoryRole::touches).empty());
    CHECK(!path.sink->why_not(MemoryRole::imports).empty());
    for (std::uint32_t i = 0; i < 20; ++i) {
        const Result<PutResult> result = path.put(i % 3, i * 40ms);
        REQUIRE(result);
        CHECK(result->taken);
        CHECK(result->kept);
        CHECK(result->copied_bytes == 0);
        if (i >= 1)
            CHECK(path.wait_for_return() ==
                  (i - 1) % 3); // the first waits for the second, which says the rate
    }
    path.finish();
    CHECK(path.sink->verdict());
    CHECK(path.sink->summary().frames == 20);
    CHECK(path.sink->summary().bytes == 20U * path.format.sizeimage());
    CHECK(path.sink->summary().duration == 19 * 40ms);
}

TEST_CASE("a run without a frame leaves no file") {
    const TemporaryFolder folder;
    {
        const Path path(folder.file("a.mkv"));
        CHECK(path.sink->in_flight() == 0);
        CHECK(path.sink->finish(Ending::patient) == 0us);
        path.sink->stop();
    }
    CHECK(folder.count() == 0);
}

TEST_CASE("frames without timestamps get the time when they came") {
    const TemporaryFolder folder;
    Path path(folder.file("a.raw"), 32);
    CHECK(path.put(0, -1s)->kept);
    for (const auto first = real_system().now(); real_system().now() <= first;)
        ; // two frames do not come in one microsecond
    const Result<PutResult> second = path.put(1, -1s);
    CHECK(second->kept);
    CHECK(!second->bad);
    path.finish();
    CHECK(path.sink->summary().frames == 2);
}

TEST_CASE("a timestamp that does not grow makes a bad frame, and no more") {
    const TemporaryFolder folder;
    Path path(folder.file("a.raw"), 32);
    CHECK(path.put(0, 100ms)->kept);
    CHECK(path.put(1, 100ms)->bad);
    CHECK(path.put(1, 50ms)->bad);
    CHECK(path.put(1, 140ms)->kept);
    path.finish();
    CHECK(path.sink->summary().frames == 2);
}

TEST_CASE("who is behind leaves out whole frames, and never keeps what the source needs") {
    const TemporaryFolder folder;
    const std::string name = folder.file("pipe.raw");
    REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    const UniqueFd reader(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); // and does not read
    for (const bool lossless : {false, true}) {
        OutputWishes wishes;
        wishes.file.lossless = lossless;
        wishes.file.fps = 25;
        Path path(name, 6, wishes);
        path.bytes.resize(std::size_t{1} << 20); // more than a pipe holds
        path.format = *tight_format(FourCC("GREY"), 1024, 1024);
        REQUIRE(path.sink->set_format(path.format));
        unsigned kept = 0;
        unsigned dropped = 0;
        for (std::uint32_t i = 0; i < 10; ++i) {
            const Result<PutResult> result = path.put(i, i * 40ms);
            REQUIRE(result);
            kept += result->kept ? 1U : 0U;
            dropped += result->dropped ? 1U : 0U;
            CHECK(result->taken == (result->kept || result->dropped));
        }
        CHECK(kept == 3);
        CHECK(dropped == (lossless ? 0U : 7U));
        CHECK(path.sink->in_flight() == 3);
        path.sink->stop(); // gives up who does not read
        CHECK(!path.sink->verdict());
        CHECK(path.sink->verdict().error().code == ETIMEDOUT);
        CHECK(path.sink->in_flight() == 0);
    }
}

TEST_CASE("what fails while it is written comes out of the next put() and of the end") {
    const TemporaryFolder folder;
    const std::string name = folder.file("full.raw");
    REQUIRE(::symlink("/dev/full", name.c_str()) == 0);
    Path path(name, 32);
    CHECK(path.put(0, 0ms));
    CHECK(path.put(1, 40ms));
    Result<PutResult> result = path.put(2, 80ms);
    for (int i = 3; result; ++i) {
        REQUIRE(path.wait_for_return_or_end());
        result = path.put(2, i * 40ms);
    }
    CHECK(result.error().code == ENOSPC);
    CHECK(result.error().remedy.contains("Nothing was written"));
    path.sink->stop();
    REQUIRE(!path.sink->verdict());
    CHECK(path.sink->verdict().error().code == ENOSPC);
}

TEST_CASE("another stream goes into another file, if there is one") {
    const TemporaryFolder folder;
    for (const bool numbered : {false, true}) {
        Path path(folder.file(numbered ? "b%d.mkv" : "a.mkv"));
        CHECK(path.put(0, 0ms));
        path.finish();
        path.sink->release();
        const Status status = path.sink->set_format(path.format);
        CHECK(status.has_value() == numbered);
        if (!numbered) {
            CHECK(status.error().remedy.contains("%d"));
            continue;
        }
        CHECK(path.put(0, 0ms));
        path.finish();
        CHECK(path.sink->summary().files == 2);
        CHECK(path.sink->summary().frames == 2);
    }
    CHECK(folder.count() == 3);
}

TEST_CASE("a picture is full with the first frame") {
    const TemporaryFolder folder;
    Path path(folder.file("a.png"));
    REQUIRE(path.sink->conversion() != nullptr);
    CHECK(path.put(0, 0ms)->kept);
    CHECK(path.wait_for_return() == 0);
    CHECK(path.sink->satisfied());
    CHECK(path.put(1, 40ms)->dropped);
    path.finish();
    CHECK(path.sink->satisfied()); // in another stream, too, which is not for it
    CHECK(path.sink->set_format(*tight_format(FourCC("GREY"), 64, 64)));
    CHECK(path.put(0, 1s)->dropped);
    CHECK(path.sink->verdict());
    CHECK(path.sink->summary().files == 1);
    CHECK(read_file(folder.file("a.png")).substr(1, 3) == "PNG");
}

TEST_CASE("a picture that cannot be read is followed by the next one") {
    const TemporaryFolder folder;
    Path path(folder.file("a.png"));
    path.format = {.fourcc = FourCC("MJPG"), .width = 64, .height = 48, .planes = {MemoryPlane{0, 100'000}}};
    REQUIRE(path.sink->set_format(path.format));
    path.bytes = make_jpeg(64, 48, {80, 90, 200});
    path.format.planes[0].sizeimage = static_cast<std::uint32_t>(path.bytes.size()); // of what is put
    std::ranges::fill(path.bytes, std::byte{0});
    CHECK(path.put(0, 0ms)->kept);
    CHECK(path.wait_for_return() == 0);
    CHECK(!path.sink->satisfied());
    path.bytes = make_jpeg(64, 48, {80, 90, 200});
    CHECK(path.put(1, 40ms)->kept);
    CHECK(path.wait_for_return() == 1);
    CHECK(path.sink->satisfied());
    path.finish();
    CHECK(path.sink->verdict());
    CHECK(path.sink->unreadable() == 1);
    CHECK(read_file(folder.file("a.png")).substr(1, 3) == "PNG");
}

TEST_CASE("what is left is given up at once when the end is forced") {
    const TemporaryFolder folder;
    const std::string name = folder.file("pipe.raw");
    REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    const UniqueFd reader(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); // and does not read
    OutputWishes wishes;
    wishes.file.fps = 25;
    Path path(name, 6, wishes);
    path.bytes.resize(std::size_t{1} << 20); // more than a pipe holds
    path.format = *tight_format(FourCC("GREY"), 1024, 1024);
    REQUIRE(path.sink->set_format(path.format));
    CHECK(path.put(0, 0ms)->kept);
    CHECK(path.sink->finish(Ending::patient) > 0us);
    pollfd begun{.fd = reader.get(), .events = POLLIN, .revents = 0};
    REQUIRE(::poll(&begun, 1, 20'000) == 1); // it writes, and has more than there is room for
    path.sink->stop();
    REQUIRE(!path.sink->verdict());
    CHECK(path.sink->verdict().error().code == ETIMEDOUT);
}

TEST_CASE("an encoder that is not done in time is an error that says so, unless the end was forced") {
    for (const Ending ending : {Ending::patient, Ending::hurried, Ending::forced}) {
        const TemporaryFolder folder;
        OutputWishes wishes;
        wishes.file.codec = "libx264";
        wishes.file.preset = "placebo";
        Path path(folder.file("slow.mkv"), 20, wishes);
        path.format = *tight_format(FourCC("YU12"), 1920, 1080);
        path.bytes.resize(path.format.sizeimage());
        REQUIRE(path.sink->set_format(path.format));
        for (std::uint32_t i = 0; i < 17; ++i)
            REQUIRE(path.put(i, i * 40ms)->kept);
        CHECK(path.sink->finish(ending) > 0us);
        path.sink->stop(); // as if it were time
        CHECK(path.sink->verdict().has_value() == (ending == Ending::forced));
        if (ending != Ending::forced) {
            CHECK(path.sink->verdict().error().kind == ErrorKind::system);
            CHECK(path.sink->verdict().error().message().contains("it took too long, and the last "));
        }
        CHECK(path.sink->summary().frames < 17);
    }
}

TEST_CASE("buffers that are the source's own are not kept") {
    const TemporaryFolder folder;
    const std::string name = folder.file("pipe.raw");
    REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    const UniqueFd reader(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); // and does not read
    Path path(name);
    path.format = *tight_format(FourCC("GREY"), 1024, 1024); // more than a pipe holds
    path.bytes.resize(path.format.sizeimage());
    REQUIRE(path.sink->set_format(path.format));
    path.sink->leave_to_source(10);
    REQUIRE(path.sink->prepare(MemoryRole::touches, 16));
    unsigned kept = 0;
    for (std::uint32_t i = 0; i < 16; ++i)
        kept += path.put(i, i * 40ms)->kept ? 1U : 0U;
    CHECK(kept == 3);
    static_cast<void>(path.sink->finish(Ending::hurried));
}

TEST_CASE("packets in the order of decoding are taken as they come") {
    const TemporaryFolder folder;
    Path path(folder.file("a.raw"), 32);
    REQUIRE(path.put(0, 0ms)->kept);
    const std::array<std::array<std::chrono::milliseconds, 2>, 3> times{
        {{120ms, 40ms}, {40ms, 80ms}, {80ms, 120ms}}};
    for (const auto& [shown, decoded] : times) {
        path.frames.push_back(
            std::make_unique<PlacedFrame>(path.format, path.bytes, path.format.sizeimage()));
        Frame& frame = path.frames.back()->frame;
        frame.metadata.timestamp = 1s + shown;
        frame.metadata.decode_time = 1s + decoded;
        CHECK(path.sink->put(frame)->kept);
    }
    path.finish();
    CHECK(path.sink->summary().frames == 4);
}

TEST_CASE("a source's rate is taken for what it is worth") {
    const TemporaryFolder folder;
    for (const bool keeps : {true, false}) {
        const std::string name = folder.file(keeps ? "a.y4m" : "b.y4m");
        Path path(name);
        path.sink->set_properties({.rate = 27, .keeps_rate = keeps});
        path.format = *tight_format(FourCC("YU12"), 64, 32);
        REQUIRE(path.sink->set_format(path.format));
        CHECK(path.put(0, 0ms)->kept);
        CHECK(path.put(1, 100ms)->kept); // a camera in the dark
        path.finish();
        CHECK(read_file(name).contains(keeps ? " F27:1 " : " F10:1 "));
    }
}

TEST_CASE("rates that cameras mean") {
    CHECK(usual_rate(37'000us, 27) == 27);
    CHECK(usual_rate(100'000us, 27) == 10);
    CHECK(usual_rate(33'333us) == 30);
    CHECK(usual_rate(31'500us) == 30);
    CHECK(usual_rate(40'100us) == 25);
    CHECK(usual_rate(16'600us) == 60);
    CHECK(usual_rate(300'000us) == doctest::Approx(3.3333).epsilon(0.001));
    CHECK(usual_rate(0us) > 1000);
}
