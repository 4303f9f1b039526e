// SPDX-License-Identifier: MIT
#include "media/frame_copier.h"

#include "support/picture.h"

#include <doctest/doctest.h>
#include <linux/videodev2.h>

using namespace v4l2dma;
using testing::padded_format;
using testing::Picture;

TEST_CASE("the same pixels are copied bit by bit") {
    for (const auto& [from, to] : {std::pair{"YUYV", "YUYV"}, {"NM12", "NV12"}, {"Y10P", "Y10P"}}) {
        const Picture source(padded_format(*FourCC::parse(from), 36, 19, 8));
        FrameFormat format = padded_format(*FourCC::parse(to), 36, 19, 4);
        format.colorimetry.colorspace = V4L2_COLORSPACE_REC709; // words about the bytes, not other bytes
        const Picture target(format);
        source.fill_with_noise();
        Result<FrameCopier> copier = FrameCopier::create(source.format(), format);
        REQUIRE(copier);
        CHECK_FALSE(copier->converts());
        const std::vector<std::byte> pixels = source.pixels();
        CHECK(*copier->run(source.planes(), target.writable()) == pixels.size());
        CHECK(target.pixels() == pixels);
    }
}

TEST_CASE("other pixels or another size are converted") {
    const auto full_range = [](const char(&fourcc)[5], std::uint32_t width, std::uint32_t height) {
        FrameFormat format = padded_format(FourCC(fourcc), width, height, 0);
        format.colorimetry.quantization = V4L2_QUANTIZATION_FULL_RANGE;
        return format;
    };
    const FrameFormat nv12 = full_range("NV12", 64, 32);
    const Picture source(nv12);
    source.fill(std::byte{128});
    for (const FrameFormat& to : {full_range("GREY", 64, 32), full_range("NV12", 32, 64)}) {
        const Picture target(to);
        Result<FrameCopier> made = FrameCopier::create(nv12, to);
        REQUIRE(made);
        FrameCopier copier = std::move(*made);
        CHECK(copier.converts());
        REQUIRE(copier.run(source.planes(), target.writable()));
        CHECK(target.pixels() == std::vector(target.pixels().size(), std::byte{128}));
    }
}

TEST_CASE("compressed frames pass as they are, and are decoded where pixels are wanted") {
    const FrameFormat jpeg{.fourcc = FourCC("MJPG"), .width = 64, .height = 32};
    CHECK_FALSE(FrameCopier::create(jpeg, jpeg)->converts());
    CHECK(FrameCopier::create(jpeg, padded_format(FourCC("NV12"), 64, 32, 0))->converts());
    const FrameFormat h264{.fourcc = FourCC("H264"), .width = 64, .height = 32};
    CHECK(FrameCopier::create(h264, jpeg).error().kind == ErrorKind::unsupported);
}
