// SPDX-License-Identifier: MIT
#include "flow/v4l2_source.h"

#include "support/fake_controls.h"
#include "support/fake_system.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeControls;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

struct Camera {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);

    Result<std::unique_ptr<V4l2Source>> open(const CaptureWishes& wishes = {}) {
        Result<Device> device = Device::open("/dev/video0", system);
        REQUIRE(device);
        return V4l2Source::open(std::move(*device), wishes);
    }
};

CaptureWishes size_wish(std::uint32_t width, std::uint32_t height) {
    return {.width = width, .height = height, .format = {}, .fps = {}};
}

} // namespace

TEST_CASE("without wishes the camera stays as it is") {
    Camera camera;
    const auto source = camera.open();
    REQUIRE(source);
    CHECK((*source)->format() == camera.fake.format);
    CHECK(camera.system.count("S_FMT") == 0);
}

TEST_CASE("a wish that the driver would adjust is refused before anything is set") {
    Camera camera;
    camera.fake.adjust = [](FrameFormat& format) { format.width = 320; };
    const auto source = camera.open(size_wish(640, 8));
    REQUIRE_FALSE(source);
    CHECK(source.error().kind == ErrorKind::usage);
    CHECK(source.error().message().contains("the nearest is YUYV 320x8"));
    CHECK(source.error().remedy.starts_with("It offers YUYV"));
    CHECK(camera.system.count("S_FMT") == 0);
    CHECK(camera.system.leaks() == 0);
}

TEST_CASE("only what was wished for must be granted") {
    Camera camera;
    camera.fake.adjust = [](FrameFormat& format) { format.height = 240; };
    const auto source = camera.open({.width = 320, .height = {}, .format = {}, .fps = {}});
    REQUIRE(source);
    CHECK((*source)->format().width == 320);
    CHECK((*source)->format().height == 240);
}

TEST_CASE("a driver without TRY_FMT is set and then judged") {
    Camera camera;
    camera.system.fail("TRY_FMT", ENOTTY);
    REQUIRE(camera.open(size_wish(320, 240)));
    Camera other;
    other.system.fail("TRY_FMT", ENOTTY);
    other.fake.adjust = [](FrameFormat& format) { format.width = 100; };
    CHECK(other.open(size_wish(320, 240)).error().kind == ErrorKind::usage);
}

TEST_CASE("a frame rate that the camera does not have is a wish, too") {
    Camera camera; // knows no S_PARM
    const auto source = camera.open({.width = {}, .height = {}, .format = {}, .fps = 30.0});
    REQUIRE_FALSE(source);
    CHECK(source.error().operation == "S_PARM");
    CHECK(source.error().remedy == "Leave --fps away");
}

TEST_CASE("controls are set after the format, and a wrong one is refused") {
    Camera camera;
    FakeControls controls = FakeControls::of_every_type();
    camera.fake.beside = std::ref(controls);
    CaptureWishes wishes = size_wish(320, 240);
    wishes.controls = {"brightness=5", "name=abc"};
    REQUIRE(camera.open(wishes));
    CHECK(controls.at("Brightness").value == 5);
    CHECK(camera.system.calls_named({"S_FMT", "S_EXT_CTRLS"}) == "S_FMT S_EXT_CTRLS");
    wishes.controls = {"name=xyz", "brightness=6"};
    CHECK(camera.open(wishes).error().kind == ErrorKind::usage);
    CHECK(controls.at("Name").text == "abc");
    CHECK(camera.system.leaks() == 0);
}

TEST_CASE("errors of a stream say what happened") {
    struct {
        int code;
        std::string_view says;
    } const cases[] = {{ENODEV, "unplugged"}, {EPIPE, "the stream ended"}, {EIO, "gave up"}};
    for (const auto& [code, says] : cases) {
        Camera camera;
        auto source = camera.open();
        REQUIRE(source);
        REQUIRE((*source)->provide(MemoryRole::lends, 3));
        REQUIRE((*source)->start());
        camera.system.fail("DQBUF", code);
        const auto frame = (*source)->take();
        REQUIRE_FALSE(frame);
        CHECK(frame.error().code == code);
        CHECK(frame.error().detail.contains(says));
    }
}

TEST_CASE("mapped frames come as mappings, exported ones as dma-bufs that stay the same") {
    for (const bool exports : {false, true}) {
        Camera camera;
        auto source = camera.open();
        REQUIRE(source);
        const auto memory = (*source)->provide(exports ? MemoryRole::exports : MemoryRole::lends, 2);
        REQUIRE(memory);
        CHECK(memory->size() == 2);
        REQUIRE((*source)->start());
        CHECK(camera.fake.queued() == 2);
        CHECK((*source)->take()->has_value() == false);
        camera.fake.capture();
        const auto frame = (*source)->take();
        REQUIRE(frame);
        REQUIRE(*frame);
        const PlaneMemory& plane = (*frame)->memory->planes[0];
        CHECK((plane.dmabuf != nullptr) == exports);
        CHECK(plane.bytes.empty() == exports);
        if (exports)
            CHECK(plane.dmabuf->identity().inode == camera.fake.inode(0));
        REQUIRE((*source)->give_back((*frame)->index));
        CHECK(camera.fake.queued() == 2);
        CHECK(camera.system.count("EXPBUF") == (exports ? 2 : 0));
        source->reset();
        CHECK(camera.system.leaks() == 0);
        CHECK(camera.system.violations().empty());
    }
}

TEST_CASE("a loop's frame comes in the dma-buf that its writer queued, and one fd for each is kept") {
    Camera camera;
    camera.fake.driver = "v4l2dma";
    auto source = camera.open();
    REQUIRE(source);
    CHECK_FALSE((*source)->why_not(MemoryRole::imports).empty());
    REQUIRE((*source)->provide(MemoryRole::exports, 1));
    REQUIRE((*source)->start());
    CHECK(camera.system.leaks() == 1); // nothing exported yet but the device
    std::uint64_t previous = 0;
    for (const bool replaced : {false, false, true}) {
        if (replaced)
            camera.fake.replace_memory(0);
        camera.fake.capture();
        const auto frame = (*source)->take();
        REQUIRE(frame);
        REQUIRE(*frame);
        const std::uint64_t inode = (*frame)->memory->planes[0].dmabuf->identity().inode;
        CHECK(inode == camera.fake.inode(0));
        if (previous != 0)
            CHECK((inode != previous) == replaced);
        previous = inode;
        CHECK(camera.system.leaks() == 2);
        REQUIRE((*source)->give_back(0));
    }
    for (const std::string_view call : {"EXPBUF", "fstat"}) {
        camera.fake.capture();
        camera.system.fail(call, ENOMEM);
        const auto frame = (*source)->take();
        REQUIRE_FALSE(frame);
        CHECK(frame.error().operation == call);
        CHECK(camera.system.leaks() == 2);
        REQUIRE((*source)->give_back(0));
    }
    source->reset();
    CHECK(camera.system.leaks() == 0);
}

TEST_CASE("a loop whose format changed before the buffers were allocated is not streamed") {
    Camera camera;
    camera.fake.driver = "v4l2dma";
    auto source = camera.open();
    REQUIRE(source);
    camera.fake.format.width = 32;
    const auto count = (*source)->provide(MemoryRole::lends, 2);
    REQUIRE_FALSE(count);
    CHECK(count.error().code == EIO);
    CHECK((*source)->may_come_back(count.error()));
    CHECK(camera.fake.allocated() == 0);
}

namespace {

/// A camera with several formats, which has a frame rate as long as it is set to one of the fast ones.
struct Formats : Camera {
    Formats() {
        fake.other_formats = {FourCC("MJPG"), FourCC("GREY"), FourCC("NV12")};
        fake.grant_offers();
        fake.beside = [this](unsigned long request, void* argument) {
            if (request != VIDIOC_G_PARM && request != VIDIOC_S_PARM)
                return controls(request, argument);
            v4l2_fract& interval = static_cast<v4l2_streamparm*>(argument)->parm.capture.timeperframe;
            if (request == VIDIOC_S_PARM)
                rate = static_cast<double>(interval.denominator) / interval.numerator;
            rate = std::min(rate, fake.format.fourcc == slow ? 5.0 : most);
            interval = {.numerator = 1, .denominator = static_cast<__u32>(rate)};
            return 0;
        };
    }
    FrameFormat other(const V4l2Source& source, FourCC fourcc) const {
        for (const FrameFormat& format : source.other_formats())
            if (format.fourcc == fourcc)
                return format;
        return {};
    }

    FourCC slow{};
    double rate = 30;
    double most = 1000; ///< frames a second
    FakeControls controls = FakeControls::of_every_type();
};

} // namespace

TEST_CASE("a camera's other formats are those of its size, the most alike first, compressed ones last") {
    Formats camera;
    const auto grant = camera.fake.adjust;
    const auto source = *camera.open();
    std::string names;
    for (const FrameFormat& format : source->other_formats())
        names += format.text() + " ";
    CHECK(names == "NV12 16x8 GREY 16x8 MJPG 16x8 ");
    CHECK(camera.system.count("S_FMT") == 0);
    camera.fake.adjust = [&](FrameFormat& wanted) {
        grant(wanted);
        if (wanted.fourcc == FourCC("NV12"))
            wanted.width = 8;
    };
    CHECK(source->other_formats().size() == 2);
    CaptureWishes wishes;
    wishes.format = "YUYV";
    CHECK((*camera.open(wishes))->other_formats().empty()); // the user chose
    camera.fake.driver = "v4l2dma";
    CHECK((*camera.open())->other_formats().empty()); // its writer chose
}

TEST_CASE("the frame rate and the controls that were asked for survive another format") {
    Formats camera;
    CaptureWishes wishes;
    wishes.fps = 25;
    wishes.controls = {"brightness=5"};
    const auto source = *camera.open(wishes);
    camera.rate = 30; // as a driver that begins anew with a format
    camera.controls.at("Brightness").value = 0;
    REQUIRE(source->set_format(camera.other(*source, FourCC("NV12"))));
    CHECK(source->format().fourcc == FourCC("NV12"));
    CHECK(camera.rate == 25);
    CHECK(camera.controls.at("Brightness").value == 5);
}

TEST_CASE("a format in which the camera is too slow is refused, and the first one has its rate again") {
    for (const bool asked : {true, false}) {
        Formats camera;
        camera.slow = FourCC("NV12");
        CaptureWishes wishes;
        if (asked)
            wishes.fps = 30;
        const auto source = *camera.open(wishes);
        const FrameFormat first = source->format();
        const Status refused = source->set_format(camera.other(*source, FourCC("NV12")));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::usage);
        REQUIRE(source->set_format(first));
        CHECK(source->format() == first);
        CHECK(camera.rate == 30);
    }
}

// A camera that is plugged in again has its own rate, and another signal has another.
TEST_CASE("the rate of one stream is none that the next one must have") {
    Formats camera;
    camera.rate = 60;
    const auto source = *camera.open();
    REQUIRE(*source->come_back());
    REQUIRE(source->set_format(camera.other(*source, FourCC("NV12"))));
    CHECK(camera.rate == 60);
    camera.rate = camera.most = 15;
    REQUIRE(*source->come_back());
    CHECK(source->set_format(camera.other(*source, FourCC("GREY"))));
    CHECK(camera.rate == 15);
}

TEST_CASE("a camera without a frame rate changes its format all the same") {
    Formats camera;
    camera.fake.beside = {};
    const auto source = *camera.open();
    CHECK(source->set_format(camera.other(*source, FourCC("GREY"))));
    camera.fake.adjust = [](FrameFormat& wanted) { wanted.width = 8; };
    const Status broken = source->set_format(camera.other(*source, FourCC("NV12")));
    CHECK_FALSE(broken); // it does not grant what it promised
}

TEST_CASE("a loop copies into the memory of a reader that brings its own, and the frame says so") {
    for (const bool loop : {false, true}) {
        Camera camera;
        camera.fake.driver = loop ? "v4l2dma" : "fake";
        const auto source = camera.open();
        REQUIRE(source);
        std::vector<std::byte> bytes((*source)->format().sizeimage());
        std::vector<BufferMemory> memory(2, BufferMemory{.planes = {PlaneMemory{.bytes = bytes}}});
        REQUIRE((*source)->use(MemoryRole::borrows, memory));
        REQUIRE((*source)->start());
        REQUIRE(camera.fake.capture());
        const Result<std::optional<Frame>> frame = (*source)->take();
        REQUIRE((frame && *frame));
        CHECK((*frame)->copied_bytes == (loop ? 256 : 0));
    }
}

TEST_CASE("a buffer that comes out twice, without having been given back, is an error") {
    Camera camera;
    const auto source = *camera.open();
    REQUIRE(source->provide(MemoryRole::lends, 3));
    REQUIRE(source->start());
    REQUIRE(camera.fake.capture());
    camera.fake.repeats = true;
    REQUIRE(source->take());
    const auto again = source->take();
    REQUIRE_FALSE(again);
    CHECK(again.error().message().contains("it filled a buffer that it was never given"));
}
