// SPDX-License-Identifier: MIT
//
// Nothing is allocated per frame: operator new is counted between frame 100 and frame 1000, on every path
// between fake devices and for generated pictures.
#include "flow/null_sink.h"
#include "flow/open_endpoint.h"
#include "flow/pump.h"
#include "flow/stamp_verifier.h"

#include "support/allocation_counter.h"
#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using namespace std::chrono_literals;
using testing::allocations;
using testing::FakeDevice;
using testing::FakeSystem;
using testing::Uncounted;

namespace {

constexpr std::uint64_t first = 100;
constexpr std::uint64_t last = 1000;

/// What the fakes allocate in a call is theirs.
class QuietSystem final : public FakeSystem {
public:
    int ioctl(int fd, unsigned long request, void* argument) override {
        const Uncounted quiet;
        return FakeSystem::ioctl(fd, request, argument);
    }
    int fstat(int fd, struct stat& result) override {
        const Uncounted quiet;
        return FakeSystem::fstat(fd, result);
    }
    ssize_t read(int fd, std::span<std::byte> bytes) override {
        const Uncounted quiet;
        return FakeSystem::read(fd, bytes);
    }
    ssize_t write(int fd, std::span<const std::byte> bytes) override {
        const Uncounted quiet;
        return FakeSystem::write(fd, bytes);
    }
    int epoll_control(int epoll_fd, int operation, int fd, epoll_event& event) override {
        const Uncounted quiet;
        return FakeSystem::epoll_control(epoll_fd, operation, fd, event);
    }
    int epoll_wait(int epoll_fd, epoll_event* events, int capacity, int timeout_ms) override {
        const Uncounted quiet;
        return FakeSystem::epoll_wait(epoll_fd, events, capacity, timeout_ms);
    }
};

class Silent final : public PumpListener {
public:
    Status started(const Path&, std::uint64_t) override { return {}; }
    Status progress(const Path&, const StatisticsReport&) override { return {}; }
};

class Counter final : public FrameObserver {
public:
    Status observe(const Frame&) override {
        ++frames_;
        if (frames_ == first)
            before_ = allocations();
        if (frames_ == last)
            between = allocations() - before_;
        return {};
    }
    std::optional<std::uint64_t> between;

private:
    std::uint64_t frames_ = 0;
    std::uint64_t before_ = 0;
};

} // namespace

TEST_CASE("the counter of allocations counts" * doctest::skip(!testing::counts_allocations())) {
    const std::uint64_t before = allocations();
    CHECK(std::make_unique<std::uint64_t>(before) != nullptr);
    CHECK(std::string(100, 'x').size() == 100);
    const std::uint64_t after = allocations();
    CHECK(after >= before + 2);
    const Uncounted quiet;
    const std::uint64_t now = allocations();
    CHECK(std::make_unique<std::uint64_t>(before) != nullptr);
    CHECK(allocations() == now);
}

TEST_CASE("no path between devices allocates per frame" * doctest::skip(!testing::counts_allocations())) {
    unsigned ran = 0;
    for (const Strategy& strategy : strategies()) {
        CAPTURE(strategy.name);
        QuietSystem system;
        system.most_waits = 100'000;
        system.available = 1U << 30;
        system.add_allocator("/dev/dma_heap/system");
        FakeDevice& camera = system.add("/dev/video0", BufferType::capture);
        FakeDevice& output = system.add("/dev/video1", BufferType::output);
        system.on_wait = [&] {
            camera.capture();
            output.show();
        };
        const Result<StopSignals> signals = StopSignals::create();
        Result<std::unique_ptr<Sink>> sink = open_sink("/dev/video1", true, {}, system);
        Result<std::unique_ptr<Source>> source = open_source("/dev/video0", {}, system);
        REQUIRE((signals && sink && source));
        Silent listener;
        Counter counter;
        FrameObserver* const observers[] = {&counter};
        Pump pump(**source, **sink, {.strategy = std::string(strategy.name), .buffers = 4},
                  {.frame_limit = last + 10, .drain_limit = 1s}, *signals, listener, observers, system);
        const Result<PumpResult> result = pump.run();
        const std::string why = result ? "" : result.error().message();
        CHECK(why == "");
        CHECK(counter.between == 0);
        ran += result ? 1U : 0U;
    }
    CHECK(ran == strategies().size());
}

TEST_CASE("generated pictures allocate nothing per frame, nor does who verifies them" *
          doctest::skip(!testing::counts_allocations())) {
    for (const std::string_view name : {"test:bars,64x24,YUYV,10000", "test:checker,64x24,NM12,10000"}) {
        const Result<StopSignals> signals = StopSignals::create();
        Result<std::unique_ptr<Source>> source = open_source(name, {});
        REQUIRE((signals && source));
        NullSink sink(false);
        Silent listener;
        StampVerifier verifier;
        Counter counter;
        FrameObserver* const observers[] = {&verifier, &counter};
        Pump pump(**source, sink, {}, {.frame_limit = last + 10}, *signals, listener, observers);
        const Result<PumpResult> result = pump.run();
        REQUIRE(result);
        CHECK(counter.between == 0);
        CHECK(verifier.verified() == last + 10);
        CHECK(verifier.faults() == 0);
    }
}
