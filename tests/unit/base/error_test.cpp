// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("an error names operation, object and errno") {
    const Error error = system_error("QBUF", "/dev/video2 index 3", EFAULT).error();
    CHECK(error.message() == "QBUF /dev/video2 index 3: Bad address");
    CHECK(error.kind == ErrorKind::system);
}

TEST_CASE("a missing device is a device error") {
    for (const int code : {ENODEV, ENXIO, ENOENT})
        CHECK(system_error("open", "/dev/video9", code).error().kind == ErrorKind::device);
}

TEST_CASE("detail and remedy become part of the sentence") {
    Error error = system_error("open", "/dev/video0", EBUSY).error();
    error.detail = "another program streams from it";
    error.remedy = "Stop it first";
    CHECK(error.message() ==
          "open /dev/video0: Device or resource busy (another program streams from it). Stop it first");
    CHECK(make_error(ErrorKind::usage, "--width", "100000", "too large").error().message() ==
          "--width 100000: too large");
}
