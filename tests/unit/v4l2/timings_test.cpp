// SPDX-License-Identifier: MIT
#include "v4l2/timings.h"

#include "support/fake_receiver.h"

#include <doctest/doctest.h>
#include <linux/v4l2-dv-timings.h>

using namespace v4l2dma;
using testing::FakeReceiver;
using testing::FakeSystem;

namespace {

// The kernel's table is written for C.
v4l2_dv_timings timings_of(std::uint32_t width, std::uint32_t height, std::uint64_t pixelclock,
                           std::uint32_t blank_width, std::uint32_t blank_height) {
    v4l2_dv_timings timings{};
    timings.bt.width = width;
    timings.bt.height = height;
    timings.bt.pixelclock = pixelclock;
    timings.bt.hsync = blank_width;
    timings.bt.vsync = blank_height;
    return timings;
}

v4l2_dv_timings full_hd() {
    return timings_of(1920, 1080, 148'500'000, 280, 45);
}

/// A device with one input that has everything.
struct Receiver : FakeReceiver {
    FakeSystem system;
    Device device = open();

    Receiver() { status = V4L2_IN_ST_NO_SIGNAL; }
    Device open() {
        system.add("/dev/video0", BufferType::capture).beside = std::ref(static_cast<FakeReceiver&>(*this));
        Result<Device> opened = Device::open("0", system);
        REQUIRE(opened);
        return std::move(*opened);
    }
};

} // namespace

TEST_CASE("the current input says whether it has timings or standards") {
    Receiver receiver;
    const auto input = current_input(receiver.device);
    REQUIRE(input);
    REQUIRE(*input);
    CHECK((*input)->index == 3);
    CHECK((*input)->name == "HDMI 000-0");
    CHECK((*input)->has_timings);
    CHECK_FALSE((*input)->has_standards);
    CHECK((*input)->status == V4L2_IN_ST_NO_SIGNAL);
    receiver.capabilities = V4L2_IN_CAP_STD;
    CHECK_FALSE((*current_input(receiver.device))->has_timings);
    CHECK((*current_input(receiver.device))->has_standards);
    CHECK((*current_input(receiver.device))->standards == V4L2_STD_ALL);
}

TEST_CASE("a device without inputs is an answer, a call that fails is none") {
    for (const char* call : {"G_INPUT", "ENUMINPUT"}) {
        Receiver without;
        without.system.fail(call, ENOTTY);
        const auto input = current_input(without.device);
        REQUIRE(input);
        CHECK_FALSE(input->has_value());
        for (const int code : {EIO, ENODEV, EINTR}) {
            Receiver receiver;
            receiver.system.fail(call, code);
            const auto failed = current_input(receiver.device);
            REQUIRE_FALSE(failed);
            CHECK(failed.error().code == code);
            CHECK(failed.error().operation == call);
        }
    }
}

TEST_CASE("timings are written as people call them") {
    CHECK(DvTimings(full_hd()).text() == "1920x1080p60");
    CHECK(DvTimings(timings_of(1920, 1080, 148'351'648, 280, 45)).text() == "1920x1080p59.94");
    CHECK(DvTimings(timings_of(640, 480, 0, 160, 45)).text() == "640x480p");
    CHECK(DvTimings().text() == "0x0p");
    CHECK(DvTimings().rate() == 0);
    v4l2_dv_timings interlaced = timings_of(1920, 1080, 74'250'000, 280, 22);
    interlaced.bt.interlaced = V4L2_DV_INTERLACED;
    interlaced.bt.il_vsync = 23;
    CHECK(DvTimings(interlaced).text() == "1920x1080i60");
    constexpr v4l2_dv_timings from_table = V4L2_DV_BT_CEA_1280X720P50;
    CHECK(DvTimings(from_table).text() == "1280x720p50");
}

TEST_CASE("the wire's timings are detected and set") {
    Receiver receiver;
    const Result<DetectedTimings> detected = detect_timings(receiver.device);
    REQUIRE(detected);
    CHECK(detected->signal == Signal::locked);
    CHECK(detected->timings.text() == "1920x1080p60");
    CHECK((*get_timings(receiver.device))->width() == 640);
    REQUIRE(set_timings(receiver.device, detected->timings));
    CHECK((*get_timings(receiver.device))->height() == 1080);
}

TEST_CASE("what a wire can be like are answers with a sentence each") {
    struct {
        int code;
        Signal signal;
        std::string_view says;
    } const answers[] = {{ENOLINK, Signal::none, "no signal"},      {ENOLCK, Signal::unstable, "unstable"},
                         {EAGAIN, Signal::unstable, "unstable"},    {ERANGE, Signal::out_of_range, "beyond"},
                         {ENODATA, Signal::unknown, "cannot tell"}, {ENOTTY, Signal::unknown, "cannot tell"}};
    for (const auto& [code, signal, says] : answers) {
        Receiver receiver;
        receiver.system.fail("QUERY_DV_TIMINGS", code);
        receiver.system.fail("QUERYSTD", code);
        const Result<DetectedTimings> timings = detect_timings(receiver.device);
        REQUIRE(timings);
        CHECK(timings->signal == signal);
        CHECK(timings->timings.width() == 0);
        CHECK(to_sentence(signal).contains(says));
        CHECK(detect_standard(receiver.device)->signal == signal);
    }
    CHECK(to_sentence(Signal::locked).contains("understood"));
}

TEST_CASE("an input without timings or standards has none") {
    for (const int code : {ENODATA, ENOTTY}) {
        Receiver receiver;
        receiver.system.fail("G_DV_TIMINGS", code);
        receiver.system.fail("G_STD", code);
        CHECK_FALSE(get_timings(receiver.device)->has_value());
        CHECK_FALSE(get_standard(receiver.device)->has_value());
    }
}

TEST_CASE("calls about timings and standards that fail are named") {
    for (const int code : {EIO, ENODEV, EINTR, EACCES}) {
        Receiver receiver;
        for (const char* call :
             {"QUERY_DV_TIMINGS", "G_DV_TIMINGS", "S_DV_TIMINGS", "QUERYSTD", "G_STD", "S_STD"})
            receiver.system.fail(call, code);
        const auto check = [code](const Error& error, std::string_view call) {
            CHECK(error.code == code);
            CHECK(error.operation == call);
            CHECK(error.object.starts_with("/dev/video0"));
        };
        check(detect_timings(receiver.device).error(), "QUERY_DV_TIMINGS");
        check(get_timings(receiver.device).error(), "G_DV_TIMINGS");
        check(set_timings(receiver.device, DvTimings(full_hd())).error(), "S_DV_TIMINGS");
        check(detect_standard(receiver.device).error(), "QUERYSTD");
        check(get_standard(receiver.device).error(), "G_STD");
        check(set_standard(receiver.device, V4L2_STD_PAL).error(), "S_STD");
    }
}

TEST_CASE("timings that cannot be set say why") {
    struct {
        int code;
        ErrorKind kind;
        std::string_view says;
    } const expected[] = {{EBUSY, ErrorKind::device, "in use"},
                          {ENODATA, ErrorKind::unsupported, "does not take it"},
                          {EINVAL, ErrorKind::unsupported, "does not take it"},
                          {ERANGE, ErrorKind::unsupported, "does not take it"}};
    for (const auto& [code, kind, says] : expected) {
        Receiver receiver;
        receiver.system.fail("S_DV_TIMINGS", code);
        const Status status = set_timings(receiver.device, DvTimings(full_hd()));
        REQUIRE_FALSE(status);
        CHECK(status.error().kind == kind);
        CHECK(status.error().object == "/dev/video0 1920x1080p60");
        CHECK(status.error().detail.contains(says));
    }
}

TEST_CASE("an analogue standard is detected, set and written") {
    Receiver receiver;
    CHECK(detect_standard(receiver.device)->standard == V4L2_STD_PAL);
    CHECK(detect_standard(receiver.device)->signal == Signal::locked);
    REQUIRE(set_standard(receiver.device, V4L2_STD_PAL));
    CHECK(**get_standard(receiver.device) == V4L2_STD_PAL);
    receiver.standard_on_wire = V4L2_STD_UNKNOWN;
    CHECK(detect_standard(receiver.device)->signal == Signal::none);
    CHECK(standard_text(V4L2_STD_PAL) == "PAL");
    CHECK(standard_text(V4L2_STD_NTSC | V4L2_STD_SECAM) == "NTSC or SECAM");
    CHECK(standard_text(0) == "0x0");
}
