// SPDX-License-Identifier: MIT
#include "format/fourcc.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;

TEST_CASE("a fourcc is V4L2's number") {
    CHECK(FourCC("YUYV").value() == V4L2_PIX_FMT_YUYV);
    CHECK(FourCC::parse("Y10")->value() == V4L2_PIX_FMT_Y10);
    CHECK(FourCC::parse("Y16-BE")->value() == V4L2_PIX_FMT_Y16_BE);
}

TEST_CASE("text and parse are each other's inverse") {
    for (const char* text : {"YUYV", "NV12", "Y10", "Y16-BE", "422P"})
        CHECK(FourCC::parse(text)->text() == text);
    CHECK(FourCC(0x00000001).text() == "0x00000001");
}

TEST_CASE("what cannot be a fourcc is a usage error") {
    for (const char* text : {"", "YUYV2", "-BE", "a\nb"}) {
        const Result<FourCC> fourcc = FourCC::parse(text);
        REQUIRE_FALSE(fourcc);
        CHECK(fourcc.error().kind == ErrorKind::usage);
    }
}
