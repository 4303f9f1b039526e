// SPDX-License-Identifier: MIT
#include "v4l2/device_identity.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

FakeDevice& add_camera(FakeSystem& system, const std::string& path, const std::string& port) {
    FakeDevice& device = system.add(path, BufferType::capture);
    device.driver = "uvcvideo";
    device.card = "Webcam";
    device.bus_info = port;
    return device;
}

DeviceIdentity identity_of(FakeSystem& system, const char* path) {
    const Result<Device> device = Device::open(path, system);
    REQUIRE(device);
    const std::optional<DeviceIdentity> identity = identify(*device);
    REQUIRE(identity);
    return *identity;
}

} // namespace

TEST_CASE("a device is known by its driver, label, place, and its place among its own nodes") {
    FakeSystem system;
    add_camera(system, "/dev/video0", "usb-1");
    add_camera(system, "/dev/video1", "usb-2"); // the same camera at another port
    add_camera(system, "/dev/video2", "usb-1"); // its metadata
    add_camera(system, "/dev/video3", "usb-1").card = "Webcam IR";
    CHECK(identity_of(system, "0") ==
          DeviceIdentity{.driver = "uvcvideo", .card = "Webcam", .bus_info = "usb-1", .index = 0});
    CHECK(identity_of(system, "1").index == 0);
    CHECK(identity_of(system, "2").index == 1);
    CHECK(identity_of(system, "3").index == 0);
    for (const char* path : {"/dev/video0", "/dev/video1", "/dev/video2", "/dev/video3"}) {
        const Result<Device> found = find_device(identity_of(system, path), system);
        REQUIRE(found);
        CHECK(found->path() == path);
    }
}

TEST_CASE("a device that was plugged in again is found under its new number") {
    FakeSystem system;
    FakeDevice& pictures = add_camera(system, "/dev/video0", "usb-1");
    FakeDevice& metadata = add_camera(system, "/dev/video1", "usb-1");
    const DeviceIdentity first = identity_of(system, "0");
    const DeviceIdentity second = identity_of(system, "1");
    pictures.unplugged = true;
    metadata.unplugged = true;
    const Result<Device> gone = find_device(first, system);
    REQUIRE_FALSE(gone);
    CHECK(gone.error().kind == ErrorKind::device);
    CHECK(gone.error().message() == "open Webcam (usb-1): the device is not there");
    add_camera(system, "/dev/video4", "usb-2"); // another one, of the same make
    CHECK_FALSE(find_device(first, system));
    add_camera(system, "/dev/video6", "usb-1");
    CHECK(find_device(first, system)->path() == "/dev/video6");
    CHECK_FALSE(find_device(second, system)); // not yet
    add_camera(system, "/dev/video7", "usb-1");
    CHECK(find_device(second, system)->path() == "/dev/video7");
    CHECK(system.leaks() == 0);
}

TEST_CASE("a device that is gone has no identity any more") {
    FakeSystem system;
    FakeDevice& camera = add_camera(system, "/dev/video0", "usb-1");
    const Result<Device> device = Device::open("0", system);
    REQUIRE(device);
    camera.unplugged = true;
    CHECK_FALSE(identify(*device));
}

// udev gives out the rights to a device's nodes one after another.
TEST_CASE("as long as not every node may be opened the kernel's count tells which it is") {
    FakeSystem system;
    add_camera(system, "/dev/video0", "usb-1").kernel_index = 0;
    add_camera(system, "/dev/video1", "usb-1").kernel_index = 1;
    const DeviceIdentity first = identity_of(system, "0");
    const DeviceIdentity second = identity_of(system, "1");
    const auto found = [&](const DeviceIdentity& identity) {
        system.fail("open", EACCES, 0, "/dev/video0");
        const Result<Device> device = find_device(identity, system);
        return device ? device->path() : "";
    };
    CHECK(found(first).empty());
    CHECK(found(second) == "/dev/video1");
    CHECK(find_device(first, system)->path() == "/dev/video0");

    DeviceIdentity unknown = second; // a kernel that does not count
    unknown.kernel_index.reset();
    CHECK(found(unknown).empty());
}
