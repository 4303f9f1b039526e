// SPDX-License-Identifier: MIT
// What travels with the pixels, and what the two sides say of the stream.
#include "client.h"
#include "control.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

namespace {

v4l2_fract interval(const Client& client, v4l2_buf_type type) {
    v4l2_streamparm parameters{};
    parameters.type = type;
    REQUIRE(client.ioctl(VIDIOC_G_PARM, &parameters) == 0);
    return type == capture ? parameters.parm.capture.timeperframe : parameters.parm.output.timeperframe;
}

} // namespace

TEST_SUITE("metadata") {
    TEST_CASE("colorimetry and field of the writer are the readers'") {
        const AddedLoop loop;
        const Client writer(loop.node());
        const Client reader(loop.node());
        v4l2_pix_format pix = writer.format(output);
        pix.pixelformat = V4L2_PIX_FMT_NV12;
        pix.field = V4L2_FIELD_INTERLACED;
        pix.colorspace = V4L2_COLORSPACE_BT2020;
        pix.ycbcr_enc = V4L2_YCBCR_ENC_BT2020;
        pix.quantization = V4L2_QUANTIZATION_FULL_RANGE;
        pix.xfer_func = V4L2_XFER_FUNC_SMPTE2084;
        REQUIRE(writer.set_format(pix) == 0);
        const v4l2_pix_format got = reader.format(capture);
        CHECK(got.field == V4L2_FIELD_INTERLACED);
        CHECK(got.colorspace == V4L2_COLORSPACE_BT2020);
        CHECK(got.ycbcr_enc == V4L2_YCBCR_ENC_BT2020);
        CHECK(got.quantization == V4L2_QUANTIZATION_FULL_RANGE);
        CHECK(got.xfer_func == V4L2_XFER_FUNC_SMPTE2084);
        pix.colorspace = 0x7fffffff; // nonsense becomes something that there is
        pix.quantization = 77;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.colorspace == V4L2_COLORSPACE_SRGB);
        CHECK(pix.quantization == V4L2_QUANTIZATION_DEFAULT);
    }

    TEST_CASE("payload, time, field, flags and timecode of each frame") {
        const AddedLoop loop;
        Client writer(loop.node());
        v4l2_pix_format pix = writer.format(output);
        pix.pixelformat = V4L2_PIX_FMT_H264;
        REQUIRE(writer.set_format(pix) == 0);
        Client reader(loop.node());
        start_reading(reader);
        start_writing(writer);
        for (unsigned index = 0; index < 4; ++index) {
            v4l2_buffer sent{};
            sent.type = output;
            sent.memory = V4L2_MEMORY_MMAP;
            sent.index = index;
            sent.bytesused = 1000 + index;
            sent.field = index % 2 == 0 ? V4L2_FIELD_TOP : V4L2_FIELD_BOTTOM;
            sent.flags =
                V4L2_BUF_FLAG_TIMECODE | (index == 0 ? V4L2_BUF_FLAG_KEYFRAME : V4L2_BUF_FLAG_PFRAME);
            sent.timestamp = {.tv_sec = 5, .tv_usec = static_cast<suseconds_t>(index)};
            sent.timecode.type = V4L2_TC_TYPE_25FPS;
            sent.timecode.frames = static_cast<__u8>(index);
            sent.timecode.hours = 13;
            REQUIRE(writer.ioctl(VIDIOC_QBUF, &sent) == 0);

            v4l2_buffer got{};
            REQUIRE(reader.dequeue(got) == 0);
            CHECK(got.bytesused == 1000 + index);
            CHECK(got.field == sent.field);
            CHECK(got.timestamp.tv_sec == 5);
            CHECK(got.timestamp.tv_usec == index);
            CHECK(got.timecode.frames == index);
            CHECK(got.timecode.hours == 13);
            constexpr std::uint32_t kinds =
                V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_TIMECODE;
            CHECK((got.flags & kinds) == (sent.flags & kinds));
            CHECK((got.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_COPY);
            CHECK(got.sequence == index);
            REQUIRE(reader.queue(got.index) == 0);
        }
    }

    TEST_CASE("a frame without a time gets one that moves") {
        const AddedLoop loop;
        Client writer(loop.node());
        Client reader(loop.node());
        start_reading(reader);
        start_writing(writer);
        std::int64_t before = 0;
        for (unsigned index = 0; index < 4; ++index) {
            REQUIRE(writer.queue(index) == 0);
            v4l2_buffer got{};
            REQUIRE(reader.dequeue(got) == 0);
            const std::int64_t now = got.timestamp.tv_sec * 1000000LL + got.timestamp.tv_usec;
            CHECK(now > before);
            before = now;
        }
    }

    TEST_CASE("the writer's frame interval is everybody's, and a reader's wish changes nothing") {
        const AddedLoop loop;
        const Client writer(loop.node());
        const Client reader(loop.node());
        v4l2_streamparm parameters{};
        parameters.type = output;
        parameters.parm.output.timeperframe = {.numerator = 1001, .denominator = 60000};
        REQUIRE(writer.ioctl(VIDIOC_S_PARM, &parameters) == 0);
        CHECK(interval(reader, capture).numerator == 1001);
        CHECK(interval(reader, capture).denominator == 60000);
        parameters = {};
        parameters.type = capture;
        parameters.parm.capture.timeperframe = {.numerator = 1, .denominator = 5};
        REQUIRE(reader.ioctl(VIDIOC_S_PARM, &parameters) == 0);
        CHECK(parameters.parm.capture.timeperframe.denominator == 60000);
        CHECK(interval(writer, output).denominator == 60000);
        v4l2_frmivalenum enumeration{};
        enumeration.pixel_format = V4L2_PIX_FMT_YUYV;
        enumeration.width = 640;
        enumeration.height = 480;
        REQUIRE(reader.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &enumeration) == 0);
        CHECK(enumeration.discrete.denominator == 60000);
    }

    TEST_CASE("the format survives the writer") {
        const AddedLoop loop;
        {
            const Client writer(loop.node());
            v4l2_pix_format pix = writer.format(output);
            pix.pixelformat = V4L2_PIX_FMT_GREY;
            pix.width = 128;
            pix.height = 96;
            pix.bytesperline = 192;
            pix.sizeimage = 192 * 96 + 500;
            REQUIRE(writer.set_format(pix) == 0);
        }
        const v4l2_pix_format pix = Client(loop.node()).format(capture);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_GREY);
        CHECK(pix.width == 128);
        CHECK(pix.bytesperline == 192);
        CHECK(pix.sizeimage == 192 * 96 + 500);
    }
}
