// SPDX-License-Identifier: MIT
#include "v4l2/signal.h"

#include "support/fake_receiver.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeReceiver;

namespace {

struct Input {
    testing::FakeSystem system;
    FakeReceiver receiver;
    std::optional<Device> device;

    explicit Input(std::uint32_t capabilities = V4L2_IN_CAP_DV_TIMINGS) {
        receiver.capabilities = capabilities;
        system.add("/dev/video0", BufferType::capture).beside = std::ref(receiver);
        Result<Device> opened = Device::open("0", system);
        REQUIRE(opened);
        device.emplace(std::move(*opened));
    }
    [[nodiscard]] InputSignal look() const {
        const Result<InputSignal> signal = look_at_signal(*device);
        REQUIRE(signal);
        return *signal;
    }
};

} // namespace

TEST_CASE("a digital input is set to the timings on its wire, once") {
    Input input;
    const InputSignal signal = input.look();
    CHECK(signal.usable());
    CHECK(signal.input == "HDMI 000-0");
    CHECK(signal.other == "1920x1080p60");
    CHECK(input.system.count("S_DV_TIMINGS") == 0); // looking changes nothing
    REQUIRE(follow_signal(*input.device, signal));
    CHECK(DvTimings(input.receiver.set).width() == 1920);
    CHECK(input.look().other.empty());
    REQUIRE(follow_signal(*input.device, input.look()));
    CHECK(input.system.count("S_DV_TIMINGS") == 1);
}

TEST_CASE("without a usable signal nothing is set") {
    for (const int code : {ENOLINK, ENOLCK, ERANGE}) {
        Input input;
        input.system.fail("QUERY_DV_TIMINGS", code);
        const InputSignal signal = input.look();
        CHECK_FALSE(signal.usable());
        REQUIRE(follow_signal(*input.device, signal));
        CHECK(input.system.count("S_DV_TIMINGS") == 0);
    }
}

TEST_CASE("an analogue input is set to its standard, and without one it is not waited for") {
    Input input(V4L2_IN_CAP_STD);
    CHECK(input.look().other == "PAL");
    REQUIRE(follow_signal(*input.device, input.look()));
    CHECK(input.receiver.standard == V4L2_STD_PAL);
    input.receiver.standard = V4L2_STD_PAL_B; // one of those that it may be
    CHECK(input.look().other.empty());
    input.receiver.standard_on_wire = V4L2_STD_UNKNOWN;
    CHECK(input.look().usable());
    CHECK(input.look().other.empty());
}

TEST_CASE("an input that cannot tell, and a device without inputs, are left alone") {
    const Input input(0);
    CHECK(input.look().usable());
    CHECK(input.system.count("QUERY_DV_TIMINGS") + input.system.count("QUERYSTD") == 0);
    testing::FakeSystem bare;
    bare.add("/dev/video0", BufferType::capture);
    const Result<Device> device = Device::open("0", bare);
    REQUIRE(device);
    const Result<InputSignal> signal = look_at_signal(*device);
    REQUIRE(signal);
    CHECK(signal->usable());
}

TEST_CASE("what the calls fail with is told") {
    for (const int code : {EIO, ENODEV, EBADF}) {
        for (const char* call : {"G_INPUT", "ENUMINPUT", "QUERY_DV_TIMINGS", "G_DV_TIMINGS"}) {
            Input input;
            input.system.fail(call, code);
            const Result<InputSignal> signal = look_at_signal(*input.device);
            REQUIRE_FALSE(signal);
            CHECK(signal.error().code == code);
        }
        Input input;
        const InputSignal signal = input.look();
        input.system.fail("S_DV_TIMINGS", code);
        const Status status = follow_signal(*input.device, signal);
        REQUIRE_FALSE(status);
        CHECK(status.error().code == code);
    }
}
