// SPDX-License-Identifier: MIT
#include "v4l2/device.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;

TEST_CASE("a device opens by path, number and label") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture);
    system.add("/dev/video3", BufferType::output).card = "Front door";
    CHECK(Device::open("/dev/video3", system)->capability().is_output());
    CHECK(Device::open("3", system)->path() == "/dev/video3");
    const Result<Device> labelled = Device::open("Front door", system);
    REQUIRE(labelled);
    CHECK(labelled->path() == "/dev/video3");
    CHECK(labelled->number() == Device::open("3", system)->number());
    CHECK(labelled->number() != Device::open("0", system)->number());

    const Result<Device> unknown = Device::open("Back door", system);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind == ErrorKind::device);
    CHECK(unknown.error().message().contains("Front door"));
    CHECK(Device::open("", system).error().kind == ErrorKind::usage);
}

TEST_CASE("a device opens by bus info, and a label comes first") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture).bus_info = "usb-0000:00:14.0-1";
    system.add("/dev/video1", BufferType::capture).bus_info = "usb-0000:00:14.0-2";
    system.add("/dev/video2", BufferType::output).bus_info = "usb-0000:00:14.0-2";
    CHECK(Device::open("usb-0000:00:14.0-2", system)->path() == "/dev/video1");
    system.add("/dev/video3", BufferType::output).card = "usb-0000:00:14.0-2";
    CHECK(Device::open("usb-0000:00:14.0-2", system)->path() == "/dev/video3");
    CHECK(Device::open("usb-0000:00:14.0-1", system)->path() == "/dev/video0");
    CHECK(system.leaks() == 0);
}

TEST_CASE("of several with one label the first is opened") {
    FakeSystem system;
    system.add("/dev/video1", BufferType::output).card = "Webcam";
    system.add("/dev/video2", BufferType::capture).card = "Webcam";
    CHECK(Device::open("Webcam", system)->path() == "/dev/video1");
}

TEST_CASE("a name that no device has brings those that are near") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture).card = "Front door";
    system.add("/dev/video1", BufferType::capture).card = "Front door";
    system.add("/dev/video2", BufferType::capture).card = "Garden";
    for (const char* name : {"Front dor", "Front", "door"})
        CHECK(Device::open(name, system).error().remedy == "Did you mean Front door?");
    CHECK(Device::open("platform:fak", system).error().remedy == "Did you mean platform:fake?");
    CHECK(Device::open("Attic window", system).error().remedy == "There are: Front door, Garden");
    FakeSystem nothing;
    CHECK(Device::open("Attic", nothing).error().remedy.empty());
}

TEST_CASE("opening fails as a device error that says what to do") {
    struct {
        int code;
        std::string_view says;
    } const expected[] = {{ENOENT, "v4l2dma inspect"},
                          {ENODEV, "v4l2dma inspect"},
                          {ENXIO, "v4l2dma inspect"},
                          {EACCES, "group"},
                          {EPERM, "group"},
                          {EBUSY, "another program"},
                          {ENOMEM, "Cannot allocate"},
                          {EIO, "Input/output error"}};
    for (const auto& [code, says] : expected) {
        FakeSystem system;
        system.add("/dev/video0", BufferType::capture);
        system.fail("open", code);
        const Result<Device> device = Device::open("0", system);
        REQUIRE_FALSE(device);
        CHECK(device.error().kind == ErrorKind::device);
        CHECK(device.error().operation == "open");
        CHECK(device.error().object == "/dev/video0");
        CHECK(device.error().code == code);
        CHECK(device.error().message().contains(says));
    }
}

TEST_CASE("what fails after the open leaves no fd") {
    for (const std::string_view call : {"fstat", "QUERYCAP"})
        for (const int code : {ENODEV, EIO, ENOMEM, EBADF, EBUSY}) {
            FakeSystem system;
            system.add("/dev/video0", BufferType::capture);
            system.fail(call, code);
            const Result<Device> device = Device::open("0", system);
            REQUIRE_FALSE(device);
            CHECK(device.error().operation == call);
            CHECK(device.error().object == "/dev/video0");
            CHECK(device.error().code == code);
            CHECK(system.leaks() == 0);
        }
}

TEST_CASE("what answers no QUERYCAP is no V4L2 device") {
    for (const int code : {ENOTTY, EINVAL}) {
        FakeSystem system;
        system.add("/dev/video0", BufferType::capture);
        system.fail("QUERYCAP", code);
        const Result<Device> device = Device::open("0", system);
        REQUIRE_FALSE(device);
        CHECK(device.error().kind == ErrorKind::device);
        CHECK(device.error().message() == "open /dev/video0: it is not a V4L2 device");
        CHECK(system.leaks() == 0);
    }
}

TEST_CASE("a device that fails is left out of the list of all") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture);
    system.add("/dev/video1", BufferType::capture).unplugged = true;
    system.add("/dev/video2", BufferType::output);
    {
        const std::vector<Device> devices = open_all_devices(system);
        REQUIRE(devices.size() == 2);
        CHECK(devices[1].path() == "/dev/video2");
        CHECK(system.leaks() == 2);
    }
    CHECK(system.leaks() == 0);
}

TEST_CASE("a side that is not there is explained") {
    struct {
        std::uint32_t capabilities;
        std::string_view says;
    } const refused[] = {
        {V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING, "not a device for capture but for output"},
        {V4L2_CAP_VBI_CAPTURE | V4L2_CAP_STREAMING, "not a device for capture (Fake"},
        {V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING, "carries metadata and no pictures (Fake"},
        {V4L2_CAP_META_OUTPUT | V4L2_CAP_STREAMING, "carries metadata and no pictures (Fake"},
        {V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING, "but for output"},
        {V4L2_CAP_VIDEO_OUTPUT_MPLANE | V4L2_CAP_STREAMING, "not a device for capture but for output"},
        {V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING, "memory-to-memory"},
        {V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING, "memory-to-memory"},
        {V4L2_CAP_VIDEO_CAPTURE, "neither streaming nor read and write"},
    };
    for (const auto& [capabilities, says] : refused) {
        FakeSystem system;
        system.add("/dev/video0", BufferType::capture).capabilities = capabilities;
        const Result<Device> device = Device::open("0", system);
        REQUIRE(device);
        const Status status = device->require(BufferType::capture);
        REQUIRE_FALSE(status);
        CHECK(status.error().kind == ErrorKind::device);
        CHECK(status.error().message().contains(says));
    }
}

TEST_CASE("a loop's sides come and go: the capability is asked for again") {
    FakeSystem system;
    FakeDevice& loop = system.add("/dev/video0", BufferType::output);
    loop.driver = "v4l2dma";
    Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    CHECK(device->capability().is_loop());
    const Status refused = device->require(BufferType::capture);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().remedy.contains("when its writer streams"));
    loop.capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    REQUIRE(device->refresh_capability());
    CHECK(device->require(BufferType::capture));
    loop.unplugged = true;
    CHECK(device->refresh_capability().error().kind == ErrorKind::device);
}

TEST_CASE("a driver's text that is not terminated ends with its field") {
    v4l2_capability raw_capability{};
    std::fill(std::begin(raw_capability.card), std::end(raw_capability.card), '\xff');
    const Capability capability(raw_capability);
    CHECK(capability.card().size() == sizeof raw_capability.card);
    CHECK(capability.driver().empty());
}
