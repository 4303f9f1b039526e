// SPDX-License-Identifier: MIT
#include "v4l2/control.h"

#include "support/fake_controls.h"
#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeControls;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

struct Camera {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);
    FakeControls controls = FakeControls::of_every_type();
    Device device = open();

    Device open() {
        fake.beside = std::ref(controls);
        Result<Device> opened = Device::open("0", system);
        REQUIRE(opened);
        return std::move(*opened);
    }
    Control control(std::string_view name) const {
        const Result<std::vector<Control>> all = enumerate_controls(device);
        REQUIRE(all);
        const Result<Control> found = find_control(device, *all, name);
        REQUIRE(found);
        return *found;
    }
    Error not_found(std::string_view name) const {
        const Result<std::vector<Control>> all = enumerate_controls(device);
        REQUIRE(all);
        const Result<Control> found = find_control(device, *all, name);
        REQUIRE_FALSE(found);
        return found.error();
    }
};

} // namespace

TEST_CASE("a control's name is its label as v4l2-ctl writes it") {
    CHECK(control_name("White Balance, Automatic") == "white_balance_automatic");
    CHECK(control_name("Brightness") == "brightness");
    CHECK(control_name("Integer 64 Bits") == "integer_64_bits");
    CHECK(control_name(" (Gain) [dB] ") == "gain_db");
    CHECK(control_name("\xc3\x89t\xc3\xa9") == "t"); // letters are those of ASCII
    CHECK(control_name("").empty());
    CHECK(control_name(" ,.").empty());
}

TEST_CASE("controls are enumerated with their types, headings left out") {
    const Camera camera;
    const Result<std::vector<Control>> controls = enumerate_controls(camera.device);
    REQUIRE(controls);
    REQUIRE(controls->size() == 11);
    constexpr ControlType types[] = {ControlType::integer,      ControlType::boolean,   ControlType::menu,
                                     ControlType::integer_menu, ControlType::integer64, ControlType::bitmask,
                                     ControlType::string,       ControlType::button,    ControlType::integer,
                                     ControlType::compound,     ControlType::compound};
    for (std::size_t i = 0; i < controls->size(); ++i)
        CHECK((*controls)[i].type == types[i]);
    const Control& brightness = controls->front();
    CHECK(brightness.label == "Brightness");
    CHECK(brightness.minimum == -10);
    CHECK(brightness.maximum == 10);
    CHECK(brightness.step == 5);
    CHECK((*controls)[5].maximum == 0x80402010); // a mask has no sign
    CHECK((*controls)[8].has(V4L2_CTRL_FLAG_READ_ONLY));
}

TEST_CASE("an old driver is asked in the old way, and has no compound controls") {
    Camera camera;
    camera.controls.extended = false;
    const Result<std::vector<Control>> controls = enumerate_controls(camera.device);
    REQUIRE(controls);
    CHECK(controls->size() == 9);
    CHECK(camera.system.count("QUERYCTRL") > 0);
    CHECK(query_control(camera.device, controls->front().id)->label == "Brightness");
    camera.controls.at("Brightness").value = -5;
    CHECK(get_control(camera.device, controls->front()) == ControlValue(-5));
    const Control name = camera.control("name");
    CHECK(get_control(camera.device, name).error().code == ENOTTY); // no old way for strings
    CHECK(set_controls(camera.device, std::vector<ControlSetting>{{controls->front(), 10}}).code == 0);
    CHECK(camera.controls.at("Brightness").value == 10);
    const SetAnswer refused = set_controls(
        camera.device, std::vector<ControlSetting>{{controls->front(), 0}, {name, std::string("ab")}});
    CHECK(refused.code == EINVAL);
    CHECK(refused.culprit == 1);
}

TEST_CASE("a device without controls has none") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture);
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    const Result<std::vector<Control>> controls = enumerate_controls(*device);
    REQUIRE(controls);
    CHECK(controls->empty());
    CHECK(find_control(*device, *controls, "gain").error().remedy.contains("no controls"));
}

TEST_CASE("what fails while controls are enumerated is an error, not the end of the list") {
    for (const int code : {EIO, ENODEV, EACCES, EBUSY, EINTR})
        for (const unsigned nth : {0U, 3U}) {
            Camera camera;
            camera.system.fail("QUERY_EXT_CTRL", code, nth);
            const Result<std::vector<Control>> controls = enumerate_controls(camera.device);
            REQUIRE_FALSE(controls);
            CHECK(controls.error().code == code);
            CHECK(controls.error().operation == "QUERY_EXT_CTRL");
            CHECK(controls.error().object == "/dev/video0");
        }
}

TEST_CASE("a driver that goes in circles does not keep us") {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);
    fake.beside = [](unsigned long request, void* argument) {
        if (request != VIDIOC_QUERY_EXT_CTRL)
            return -ENOTTY;
        auto& query = *static_cast<v4l2_query_ext_ctrl*>(argument);
        query = {};
        query.id = V4L2_CID_GAIN;
        query.type = V4L2_CTRL_TYPE_INTEGER;
        return 0;
    };
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    CHECK(enumerate_controls(*device)->size() == 1);
}

TEST_CASE("a driver's label that is not terminated ends with its field") {
    FakeSystem system;
    FakeDevice& fake = system.add("/dev/video0", BufferType::capture);
    fake.beside = [](unsigned long /*request*/, void* argument) {
        auto& query = *static_cast<v4l2_query_ext_ctrl*>(argument);
        std::fill(std::begin(query.name), std::end(query.name), 'x');
        query.id = 1;
        return 0;
    };
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    CHECK(query_control(*device, 1)->label == std::string(32, 'x'));
}

TEST_CASE("a control is found by name, label and number") {
    const Camera camera;
    CHECK(camera.control("white_balance_automatic").label == "White Balance, Automatic");
    CHECK(camera.control("White Balance, Automatic").name() == "white_balance_automatic");
    CHECK(camera.control("0x00980903").label == "Auto Exposure");
    CHECK(camera.control("0x980903").label == "Auto Exposure");
}

TEST_CASE("an unknown name is a usage error that lists what there is, if that is few") {
    const Camera camera;
    for (const std::string_view name :
         {"brightnes", "0x980903z", "0x", "0x98090300000000", "White balance"}) {
        const Error error = camera.not_found(name);
        CHECK(error.kind == ErrorKind::usage);
        CHECK(error.object == "/dev/video0 " + std::string(name));
        CHECK(error.remedy.starts_with("It has brightness, white_balance_automatic, "));
    }
}

TEST_CASE("an unknown name among many is answered with what is near") {
    Camera camera;
    for (std::uint32_t i = 0; i < 20; ++i)
        camera.controls.list.push_back({.id = 0x9a0900 + i, .label = "Private " + std::to_string(i)});
    CHECK(camera.not_found("exposure").remedy.contains("Did you mean auto_exposure?"));
    CHECK(camera.not_found("Whit Balance, Automatic").remedy.contains("white_balance_automatic"));
    CHECK(camera.not_found("exposure").remedy.contains("`v4l2dma inspect /dev/video0` lists all 31"));
    const Error far = camera.not_found("zzzzzz");
    CHECK_FALSE(far.remedy.contains("mean"));
    CHECK(far.remedy.contains("inspect"));
}

TEST_CASE("two controls of one name are told apart by number only") {
    Camera camera;
    camera.controls.list.push_back({.id = 0x9a0900, .label = "brightness"});
    const Error error = camera.not_found("brightness");
    CHECK(error.kind == ErrorKind::usage);
    CHECK(error.remedy.contains("0x00980901, 0x009a0900"));
    CHECK(camera.control("0x009a0900").id == 0x9a0900);
}

TEST_CASE("menus are read with their gaps") {
    const Camera camera;
    const std::vector<MenuItem> items = menu_items(camera.device, camera.control("auto_exposure"));
    REQUIRE(items.size() == 3);
    CHECK(items[1].name == "Manual Mode");
    CHECK(items[2].index == 3);
    const std::vector<MenuItem> numbers = menu_items(camera.device, camera.control("link_frequency"));
    REQUIRE(numbers.size() == 3);
    CHECK(numbers[1].name == "400");
    CHECK(menu_items(camera.device, camera.control("brightness")).empty());
}

TEST_CASE("a menu without an end, or with negative indices, is read in bounds") {
    Camera camera;
    camera.controls.at("Auto Exposure").maximum = INT64_MAX;
    camera.controls.at("Auto Exposure").minimum = -5;
    CHECK(menu_items(camera.device, camera.control("auto_exposure")).size() == 3);
    CHECK(camera.system.count("QUERYMENU") == 1024);
}

TEST_CASE("values are read as what they are") {
    Camera camera;
    camera.controls.at("Brightness").value = -10;
    camera.controls.at("Integer 64 Bits").value = INT64_MIN;
    camera.controls.at("Bitmask").value = 0x80000010;
    camera.controls.at("Name").text = "abcd";
    CHECK(get_control(camera.device, camera.control("brightness")) == ControlValue(-10));
    CHECK(get_control(camera.device, camera.control("integer_64_bits")) == ControlValue(INT64_MIN));
    CHECK(get_control(camera.device, camera.control("bitmask")) == ControlValue(0x80000010));
    CHECK(get_control(camera.device, camera.control("name")) == ControlValue("abcd"));
    CHECK(get_control(camera.device, camera.control("matrix")).error().kind == ErrorKind::unsupported);
    CHECK(get_control(camera.device, camera.control("push")).error().kind == ErrorKind::unsupported);
    camera.system.fail("G_EXT_CTRLS", EIO);
    const Result<ControlValue> failed = get_control(camera.device, camera.control("brightness"));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == EIO);
    CHECK(failed.error().object == "/dev/video0 brightness");
}

TEST_CASE("a driver that cannot be asked agrees, one that can says which it refuses") {
    Camera camera;
    const std::vector<ControlSetting> settings{{camera.control("brightness"), 5},
                                               {camera.control("auto_exposure"), 2}}; // a gap
    const SetAnswer refused = try_controls(camera.device, settings);
    CHECK(refused.code == EINVAL);
    CHECK(refused.culprit == 1);
    CHECK(camera.controls.at("Brightness").value == 0);
    camera.controls.extended = false;
    CHECK(try_controls(camera.device, settings).code == 0);
    CHECK(camera.controls.at("Brightness").value == 0);
}
