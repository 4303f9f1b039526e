// SPDX-License-Identifier: MIT
#include "v4l2/control_settings.h"

#include "support/fake_controls.h"
#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeControl;
using testing::FakeControls;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

struct Camera {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);
    FakeControls controls = FakeControls::of_every_type();

    Status apply(const std::vector<std::string>& wishes) {
        fake.beside = std::ref(controls);
        const Result<Device> device = Device::open("0", system);
        REQUIRE(device);
        return apply_controls(*device, wishes);
    }
    Error refused(const std::vector<std::string>& wishes) {
        const Status status = apply(wishes);
        REQUIRE_FALSE(status);
        return status.error();
    }
    [[nodiscard]] std::int64_t value(std::string_view label) { return controls.at(label).value; }
};

/// A gain that counts only while no automatic does.
struct AutomaticCamera : Camera {
    AutomaticCamera() {
        controls.list = {
            {.id = 1, .type = V4L2_CTRL_TYPE_BOOLEAN, .label = "Autogain", .maximum = 1, .value = 1},
            {.id = 2, .label = "Gain", .value = 3, .flags = V4L2_CTRL_FLAG_INACTIVE},
            {.id = 3, .label = "Hue"}};
        controls.on_set = [this](const FakeControl& control) {
            if (control.id == 1)
                controls.at("Gain").flags = control.value != 0 ? V4L2_CTRL_FLAG_INACTIVE : 0;
        };
    }
};

} // namespace

TEST_CASE("a wish is a name and a value") {
    const Result<ControlWish> wish = parse_control_wish("name=a=b");
    REQUIRE(wish);
    CHECK(wish->name == "name");
    CHECK(wish->value == "a=b");
    CHECK(parse_control_wish("name=")->value.empty());
    for (const std::string_view wrong : {"", "name", "=1", "="})
        CHECK(parse_control_wish(wrong).error().kind == ErrorKind::usage);
}

TEST_CASE("without wishes nothing is asked") {
    Camera camera;
    CHECK(camera.apply({}));
    CHECK(camera.system.count("QUERY_EXT_CTRL") == 0);
}

TEST_CASE("controls of every type are set in one line") {
    Camera camera;
    REQUIRE(camera.apply({"brightness=-5", "White Balance, Automatic=off", "auto_exposure=manual mode",
                          "link_frequency=800", "0x00980905=-9223372036854775808", "bitmask=0x80000000",
                          "name=abc", "push="}));
    CHECK(camera.value("Brightness") == -5);
    CHECK(camera.value("White Balance, Automatic") == 0);
    CHECK(camera.value("Auto Exposure") == 1);
    CHECK(camera.value("Link Frequency") == 2);
    CHECK(camera.value("Integer 64 Bits") == INT64_MIN);
    CHECK(static_cast<std::uint32_t>(camera.value("Bitmask")) == 0x80000000);
    CHECK(camera.controls.at("Name").text == "abc");
    CHECK(camera.value("Push") == 1);
    CHECK(camera.system.count("S_EXT_CTRLS") == 1);
}

TEST_CASE("one wrong wish among several leaves all as it was") {
    struct {
        std::string_view wish;
        ErrorKind kind;
        std::string_view says;
    } const wrong[] = {
        {"contrast=1", ErrorKind::usage, "no such control. It has brightness"},
        {"brightness", ErrorKind::usage, "not NAME=VALUE"},
        {"auto_exposure=2", ErrorKind::usage, "it takes 0 (Auto Mode), 1 (Manual Mode), 3 (Aperture"},
        {"bitmask=1", ErrorKind::usage, "it takes bits of 0x80402010"},
        {"lamp=1", ErrorKind::usage, "it can only be read"},
        {"matrix=1", ErrorKind::usage, "array or a structure"},
        {"0x980901=0", ErrorKind::usage, "more than once"},
    };
    for (const auto& [wish, kind, says] : wrong)
        for (const bool first : {false, true}) {
            Camera camera;
            const std::string text(wish);
            std::vector<std::string> wishes{"brightness=10", "push=1"};
            wishes.insert(first ? wishes.begin() : wishes.end(), text);
            const Error error = camera.refused(wishes);
            CHECK(error.kind == kind);
            CHECK(error.message().contains(says));
            CHECK(camera.value("Brightness") == 0);
            CHECK(camera.value("Push") == 0);
            CHECK(camera.system.count("S_EXT_CTRLS") == 0);
        }
}

TEST_CASE("the error names the device and the wish") {
    Camera camera;
    CHECK(camera.refused({"brightness=7"}).message() ==
          "control /dev/video0 brightness=7: it takes -10 to 10 in steps of 5");
}

TEST_CASE("a control that is disabled or in use is about the device") {
    for (const std::uint32_t flag :
         {std::uint32_t{V4L2_CTRL_FLAG_DISABLED}, std::uint32_t{V4L2_CTRL_FLAG_GRABBED}}) {
        Camera camera;
        camera.controls.at("Brightness").flags = flag;
        const Error error = camera.refused({"brightness=5"});
        CHECK(error.kind == ErrorKind::device);
        CHECK(error.message().contains(flag == V4L2_CTRL_FLAG_DISABLED ? "disabled" : "in use"));
    }
}

TEST_CASE("an inactive control alone is refused") {
    AutomaticCamera camera;
    const Error error = camera.refused({"gain=7"});
    CHECK(error.kind == ErrorKind::usage);
    CHECK(error.message().contains("another control rules it"));
    CHECK(camera.value("Gain") == 3);
}

TEST_CASE("an inactive control is set after the one that activates it, in any order") {
    for (const auto& wishes : {std::vector<std::string>{"autogain=0", "gain=7"}, {"gain=7", "autogain=0"}}) {
        AutomaticCamera camera;
        REQUIRE(camera.apply(wishes));
        CHECK(camera.value("Autogain") == 0);
        CHECK(camera.value("Gain") == 7);
    }
}

TEST_CASE("what does not activate an inactive control is set back") {
    AutomaticCamera camera;
    const Error error = camera.refused({"hue=9", "autogain=1", "gain=7"});
    CHECK(error.message().contains("gain=7"));
    CHECK(error.message().contains("another control rules it"));
    CHECK(camera.value("Hue") == 0);
    CHECK(camera.value("Autogain") == 1);
    CHECK(camera.value("Gain") == 3);
}

TEST_CASE("a driver that fails half way leaves all as it was") {
    Camera camera;
    camera.controls.refuses[0x980903] = EIO; // after brightness was set
    const Error error = camera.refused({"brightness=10", "auto_exposure=1"});
    CHECK(error.code == EIO);
    CHECK(error.operation == "S_EXT_CTRLS");
    CHECK(error.object == "/dev/video0 auto_exposure=1");
    CHECK(camera.value("Brightness") == 0);
}

TEST_CASE("an activated control that then fails takes its activation back") {
    AutomaticCamera camera;
    camera.controls.refuses[2] = EIO;
    CHECK(camera.refused({"autogain=0", "gain=7"}).code == EIO);
    CHECK(camera.value("Autogain") == 1);
    CHECK(camera.value("Gain") == 3);
}

TEST_CASE("what cannot be read is set nevertheless") {
    Camera camera;
    camera.controls.at("Brightness").flags = V4L2_CTRL_FLAG_WRITE_ONLY;
    CHECK(camera.apply({"brightness=5"}));
    CHECK(camera.value("Brightness") == 5);
}

TEST_CASE("an old driver is set one by one, and back") {
    Camera camera;
    camera.controls.extended = false;
    CHECK(camera.apply({"brightness=5", "auto_exposure=1"}));
    CHECK(camera.value("Auto Exposure") == 1);
    camera.controls.refuses[0x980903] = EIO;
    CHECK(camera.refused({"brightness=10", "auto_exposure=0"}).object == "/dev/video0 auto_exposure=0");
    CHECK(camera.value("Brightness") == 5);
}

TEST_CASE("every call that fails is named, and changes nothing") {
    struct {
        int code;
        ErrorKind kind;
        std::string_view says;
    } const expected[] = {{EIO, ErrorKind::system, "Input/output error"},
                          {EINTR, ErrorKind::system, "Interrupted"},
                          {ENODEV, ErrorKind::device, "No such device"},
                          {EBUSY, ErrorKind::device, "while the device is in use"},
                          {EACCES, ErrorKind::device, "does not let it be set now"},
                          {EINVAL, ErrorKind::usage, "refuses this value"},
                          {ERANGE, ErrorKind::usage, "refuses this value"}};
    for (const std::string_view call : {"TRY_EXT_CTRLS", "S_EXT_CTRLS"})
        for (const auto& [code, kind, says] : expected) {
            Camera camera;
            camera.system.fail(call, code);
            const Error error = camera.refused({"brightness=5", "name=abc"});
            CHECK(error.operation == call);
            CHECK(error.code == code);
            CHECK(error.kind == kind);
            CHECK(error.message().contains(says));
            CHECK(camera.value("Brightness") == 0);
        }
    AutomaticCamera camera;
    camera.system.fail("QUERY_EXT_CTRL", ENODEV, 4); // of the activated control
    CHECK(camera.refused({"autogain=0", "gain=7"}).code == ENODEV);
    CHECK(camera.value("Autogain") == 1);
}
