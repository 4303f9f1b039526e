// SPDX-License-Identifier: MIT
#include "flow/v4l2_source.h"

#include "support/fake_receiver.h"
#include "support/quiet_log.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeReceiver;
using testing::FakeSystem;

namespace {

struct Camera {
    testing::QuietLog quiet;
    FakeSystem system;
    FakeReceiver receiver;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);

    Camera() {
        receiver.device = &fake;
        fake.beside = std::ref(receiver);
    }
    Result<std::unique_ptr<V4l2Source>> open(const CaptureWishes& wishes = {}) {
        Result<Device> device = Device::open("/dev/video0", system);
        REQUIRE(device);
        return V4l2Source::open(std::move(*device), wishes);
    }
    std::unique_ptr<V4l2Source> opened(const CaptureWishes& wishes = {}) {
        Result<std::unique_ptr<V4l2Source>> source = open(wishes);
        REQUIRE(source);
        return std::move(*source);
    }
};

CaptureWishes reconnecting() {
    CaptureWishes wishes;
    wishes.reconnect = true;
    return wishes;
}

bool ready(Source& source) {
    const Result<bool> result = source.come_back();
    REQUIRE(result);
    return *result;
}

void stream(V4l2Source& source) {
    REQUIRE(source.provide(MemoryRole::lends, 3));
    REQUIRE(source.start());
}

} // namespace

TEST_CASE("a source takes its format from the signal that is there when it is opened") {
    Camera camera;
    auto source = camera.opened();
    CHECK(source->format().width == 1920);
    CHECK(ready(*source));
    CHECK(camera.system.count("S_DV_TIMINGS") == 1);
}

TEST_CASE("another signal ends the stream, and the source comes back with its format") {
    Camera camera;
    auto source = camera.opened();
    REQUIRE(ready(*source));
    stream(*source);
    CHECK_FALSE(*source->changed());
    camera.receiver.wire = testing::fake_timings(1280, 720, 74'250'000);
    camera.receiver.announce();
    CHECK(*source->changed());
    source->release();
    CHECK(ready(*source));
    CHECK(source->format().width == 1280);
    stream(*source);
    source.reset();
    CHECK(camera.system.leaks() == 0);
}

TEST_CASE("what is announced and is so already ends nothing") {
    Camera camera;
    const auto source = camera.opened();
    camera.receiver.announce(); // as a driver does when we set the timings
    CHECK_FALSE(*source->changed());
    camera.receiver.announce();
    camera.receiver.no_signal = ENOLINK;
    CHECK(*source->changed());
    camera.receiver.no_signal = 0;
    camera.receiver.announce();
    camera.fake.format.width = 16; // the driver's own doing
    CHECK(*source->changed());
}

TEST_CASE("a driver that cannot look while it streams is asked again between two streams") {
    Camera camera;
    camera.receiver.capabilities = V4L2_IN_CAP_STD;
    camera.receiver.standard_on_wire = V4L2_STD_NTSC;
    auto source = camera.opened();
    REQUIRE(ready(*source));
    stream(*source);
    camera.receiver.standard_on_wire = V4L2_STD_PAL;
    camera.receiver.announce();
    camera.system.fail("QUERYSTD", EBUSY);
    CHECK(*source->changed());
    source->release();
    CHECK(ready(*source));
    CHECK(camera.receiver.standard == V4L2_STD_PAL);
}

TEST_CASE("a signal that is lost is waited for") {
    Camera camera;
    camera.receiver.no_signal = ENOLINK;
    auto source = camera.opened();
    CHECK_FALSE(ready(*source));
    CHECK(source->awaited() == "a signal at HDMI 000-0 of /dev/video0: there is no signal at the input");
    CHECK(source->comeback_event().fd == source->device().fd());
    CHECK(source->comeback_event().events == EPOLLPRI); // EPOLLIN would begin to read()
    camera.receiver.no_signal = 0;
    CHECK(ready(*source));
    CHECK(source->format().width == 1920);
}

TEST_CASE("events about something else end nothing") {
    Camera camera;
    auto source = camera.opened();
    v4l2_event event{};
    event.type = V4L2_EVENT_CTRL;
    camera.receiver.events.push_back(event);
    event.type = V4L2_EVENT_SOURCE_CHANGE; // without a new resolution
    camera.receiver.events.push_back(event);
    CHECK_FALSE(*source->changed());
    CHECK(camera.receiver.events.empty());
}

TEST_CASE("a signal that does not fit the wish is an error, and no wrong usage any more") {
    Camera camera;
    auto source = camera.opened({.width = 1920, .height = 1080, .format = {}, .fps = {}});
    REQUIRE(ready(*source));
    camera.receiver.wire = testing::fake_timings(1280, 720, 74'250'000);
    camera.fake.adjust = [](FrameFormat& format) {
        format.width = 1280;
        format.height = 720;
    };
    const Result<bool> back = source->come_back();
    REQUIRE_FALSE(back);
    CHECK(back.error().kind == ErrorKind::system);
    CHECK(back.error().message().contains("the nearest is YUYV 1280x720"));
}

TEST_CASE("an unplugged device is only waited for if that is wished") {
    Camera camera;
    const Error gone = system_error("DQBUF", "/dev/video0", ENODEV).error();
    CHECK_FALSE(camera.opened()->may_come_back(gone));
    CHECK(camera.opened(reconnecting())->may_come_back(gone));
    const Error other = system_error("QBUF", "/dev/video10", ENODEV).error();
    CHECK_FALSE(camera.opened(reconnecting())->may_come_back(other));
}

TEST_CASE("an unplugged device comes back under another number, with what was wished for") {
    Camera camera;
    camera.fake.card = "Front door";
    auto source = camera.opened({.width = 640, .height = {}, .format = {}, .fps = {}, .reconnect = true});
    REQUIRE(ready(*source));
    stream(*source);
    camera.fake.unplugged = true;
    source->release();
    CHECK_FALSE(ready(*source));
    CHECK(source->awaited() == "/dev/video0 to be plugged in again");
    CHECK(source->comeback_event().fd >= 0);
    CHECK(source->comeback_event().fd != source->device().fd());

    FakeDevice& stranger = camera.system.add("/dev/video1", BufferType::capture);
    stranger.card = "Back door";
    CHECK_FALSE(ready(*source));

    FakeDevice& again = camera.system.add("/dev/video2", BufferType::capture);
    again.card = "Front door";
    CHECK(ready(*source));
    CHECK(source->name() == "/dev/video2");
    CHECK(source->format().width == 640);
    stream(*source);
    REQUIRE(again.capture());
    const auto frame = source->take();
    REQUIRE(frame);
    CHECK(frame->has_value());
    source.reset();
    CHECK(camera.system.leaks() == 0);
}

TEST_CASE("an error that is no loss is none to wait for, unless the format changed with it") {
    Camera camera;
    auto source = camera.opened(reconnecting());
    const Error broken = system_error("DQBUF", "/dev/video0", EIO).error();
    CHECK_FALSE(source->may_come_back(broken));
    camera.fake.format.width = 32;
    CHECK(source->may_come_back(broken));
}

TEST_CASE("a driver without events or inputs is no error") {
    Camera camera;
    camera.receiver.has_events = false;
    CHECK(camera.open());
    FakeSystem bare;
    bare.add("/dev/video0", BufferType::capture);
    Result<Device> device = Device::open("0", bare);
    REQUIRE(device);
    CHECK(V4l2Source::open(std::move(*device), {}));
}

TEST_CASE("every call of a comeback can fail, and nothing stays behind") {
    for (const char* call :
         {"G_INPUT", "ENUMINPUT", "QUERY_DV_TIMINGS", "G_DV_TIMINGS", "G_FMT", "DQEVENT"}) {
        for (const int code : {EIO, EBADF, ENOMEM}) {
            Camera camera;
            auto source = camera.opened();
            REQUIRE(ready(*source));
            camera.system.fail(call, code);
            const Result<bool> back = source->come_back();
            REQUIRE_FALSE(back);
            CHECK(back.error().code == code);
            CHECK(ready(*source)); // the next time it goes well
            source.reset();
            CHECK(camera.system.leaks() == 0);
        }
    }
}

// A plug that is pushed in and out again, or a hub that resets its devices.
TEST_CASE("a device that goes again while it is looked at is waited for again") {
    for (const char* call : {"QUERYCAP", "SUBSCRIBE_EVENT", "G_INPUT", "ENUMINPUT", "DQEVENT",
                             "QUERY_DV_TIMINGS", "S_DV_TIMINGS", "G_FMT"}) {
        CAPTURE(call);
        Camera camera;
        auto source = camera.opened(reconnecting());
        REQUIRE(ready(*source));
        camera.fake.unplugged = true;
        REQUIRE_FALSE(ready(*source));
        camera.fake.unplugged = false;
        camera.receiver.set = testing::fake_timings(640, 480, 25'175'000);
        camera.system.fail(call, ENODEV);
        CHECK_FALSE(ready(*source));
        CHECK(camera.system.failed_call() != nullptr);
        CHECK(source->awaited() == "/dev/video0 to be plugged in again");
        CHECK(ready(*source));
        CHECK(source->format().width == 1920);
        source.reset();
        CHECK(camera.system.leaks() == 0);
    }
}

TEST_CASE("a device that another program takes when it is plugged in again is waited for") {
    for (const char* call : {"S_FMT", "REQBUFS"}) {
        CAPTURE(call);
        Camera camera;
        CaptureWishes wishes = reconnecting();
        wishes.width = 640;
        auto source = camera.opened(wishes);
        REQUIRE(ready(*source));
        camera.fake.unplugged = true;
        REQUIRE_FALSE(ready(*source));
        camera.fake.unplugged = false;
        camera.system.fail(call, EBUSY);
        if (call == std::string_view("S_FMT")) {
            CHECK_FALSE(ready(*source));
            CHECK(source->awaited() == "another program to let go of /dev/video0");
        } else {
            REQUIRE(ready(*source));
            const auto memory = source->provide(MemoryRole::lends, 3);
            REQUIRE_FALSE(memory);
            CHECK(source->may_come_back(memory.error()));
            source->release();
        }
        CHECK(camera.system.failed_call() != nullptr);
        CHECK(ready(*source));
        stream(*source);
        REQUIRE(camera.fake.capture());
        REQUIRE(source->take());
        // From now on it is ours: what is busy is so for another reason.
        CHECK_FALSE(source->may_come_back(system_error("QBUF", "/dev/video0", EBUSY).error()));
    }
}

TEST_CASE("a node of another kind that can be opened first is not the camera") {
    const testing::QuietLog quiet;
    Camera camera;
    auto source = camera.opened(reconnecting());
    REQUIRE(ready(*source));
    camera.fake.unplugged = true;
    REQUIRE_FALSE(ready(*source));
    FakeDevice& metadata = camera.system.add("/dev/video1", BufferType::capture);
    metadata.capabilities = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
    CHECK_FALSE(ready(*source));
    camera.fake.unplugged = false;
    CHECK(ready(*source));
    CHECK(source->name() == "/dev/video0");
}

TEST_CASE("a device that is busy at the start is not waited for") {
    Camera camera;
    CHECK_FALSE(
        camera.opened(reconnecting())->may_come_back(system_error("REQBUFS", "/dev/video0", EBUSY).error()));
}
