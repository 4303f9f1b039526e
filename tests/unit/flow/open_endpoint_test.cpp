// SPDX-License-Identifier: MIT
#include "flow/open_endpoint.h"

#include "support/fake_system.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeSystem;

TEST_CASE("a name's prefix chooses the endpoint, a bare one is a device") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture);
    system.add("/dev/video1", BufferType::output);
    CHECK((*open_sink("null:", true, {}, system))->name() == "null:");
    CHECK((*open_sink("Fake output", true, {}, system))->name() == "/dev/video1");
    CHECK((*open_source("0", {}, system))->name() == "/dev/video0");
    CHECK((*open_sink("1", true, {}, system))->device_number() !=
          (*open_source("0", {}, system))->device_number());
    CHECK(system.leaks() == 0);
}

TEST_CASE("a device of the other side is refused") {
    FakeSystem system;
    system.add("/dev/video0", BufferType::capture);
    system.add("/dev/video1", BufferType::output);
    CHECK(open_sink("0", true, {}, system).error().kind == ErrorKind::device);
    CHECK(open_source("1", {}, system).error().kind == ErrorKind::device);
    CHECK(open_source("null:", {}, system).error().kind == ErrorKind::device); // is only a sink
    CHECK(open_source("", {}, system).error().kind == ErrorKind::usage);
    CHECK(system.leaks() == 0);
}
