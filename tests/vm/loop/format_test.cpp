// SPDX-License-Identifier: MIT
// The writer's format, at both ends.
#include "client.h"
#include "control.h"

#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace {

/// The formats of one side of a device.
std::vector<v4l2_fmtdesc> formats_of(const Client& client, v4l2_buf_type type) {
    std::vector<v4l2_fmtdesc> all;
    v4l2_fmtdesc description{};
    for (description.type = type; client.ioctl(VIDIOC_ENUM_FMT, &description) == 0;) {
        all.push_back(description);
        const std::uint32_t next = description.index + 1;
        description = {};
        description.type = type;
        description.index = next;
    }
    return all;
}

} // namespace

TEST_SUITE("format") {
    TEST_CASE("every format comes through, byte by byte, and has a description") {
        const AddedLoop loop;
        const Client writer(loop.node());
        const std::vector<v4l2_fmtdesc> formats = formats_of(writer, output);
        CHECK(formats.size() >= 120);
        for (const v4l2_fmtdesc& entry : formats) {
            CAPTURE(entry.description);
            CHECK(entry.description[0] != 0);
            v4l2_pix_format pix = wish(entry.pixelformat, 64, 48);
            const Client one(loop.node());
            REQUIRE(one.set_format(pix) == 0);
            CHECK(pix.pixelformat == entry.pixelformat);
            CHECK((pix.width == 64 && pix.height == 48));
            CHECK((pix.bytesperline == 0) == ((entry.flags & V4L2_FMT_FLAG_COMPRESSED) != 0));
            std::vector<std::uint32_t> sent(pix.sizeimage / sizeof(std::uint32_t));
            std::vector<std::uint32_t> got(sent.size());
            paint(sent, entry.pixelformat);
            const Client reader(loop.node());
            CHECK(reader.poll(POLLIN, 0) == 0);
            const auto bytes = static_cast<ssize_t>(sent.size() * sizeof(std::uint32_t));
            REQUIRE(::write(one.fd(), sent.data(), static_cast<std::size_t>(bytes)) == bytes);
            REQUIRE(::read(reader.fd(), got.data(), static_cast<std::size_t>(bytes)) == bytes);
            CHECK(got == sent);
        }
    }

    TEST_CASE("layouts are those of another driver") {
        const Client other(exporter_node());
        const AddedLoop loop;
        const Client writer(loop.node());
        unsigned compared = 0;
        for (const v4l2_fmtdesc& entry : formats_of(other, capture)) {
            v4l2_pix_format theirs = wish(entry.pixelformat, 1280, 720);
            REQUIRE(other.set_format(theirs, capture) == 0);
            v4l2_pix_format ours = wish(entry.pixelformat, 1280, 720);
            REQUIRE(writer.set_format(ours) == 0);
            if (ours.pixelformat != theirs.pixelformat)
                continue; // only one of them has it
            CAPTURE(entry.description);
            CHECK(ours.bytesperline == theirs.bytesperline);
            CHECK(ours.sizeimage == theirs.sizeimage);
            ++compared;
        }
        CHECK(compared >= 40);
    }

    TEST_CASE("tiles of ten bits have room for all of them") {
        const AddedLoop loop;
        const Client writer(loop.node());
        v4l2_pix_format pix = wish(v4l2_fourcc('V', 'T', '1', '5'), 20, 16);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.bytesperline == 25);
        CHECK(pix.sizeimage == 600); // 25 * 16 of luma, 25 * 8 of chroma
    }

    TEST_CASE("frame sizes end where the loop's do") {
        v4l2dma_loop_config config = any_loop();
        config.max_width = 1001;
        config.max_height = 500;
        const AddedLoop loop(config);
        const Client writer(loop.node());
        v4l2_frmsizeenum size{};
        size.pixel_format = V4L2_PIX_FMT_NV12;
        REQUIRE(writer.ioctl(VIDIOC_ENUM_FRAMESIZES, &size) == 0);
        CHECK(size.type == V4L2_FRMSIZE_TYPE_STEPWISE);
        CHECK(size.stepwise.max_width == 1000);
        CHECK(size.stepwise.max_height == 500);
        CHECK(size.stepwise.step_width == 2);
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_NV12, 5000, 5000);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.width == 1000);
        CHECK(pix.height == 500);
    }

    // VIDIOC_ENUM_FRAMESIZES does not say which side it is about.
    TEST_CASE(
        "who asks for the formats of a reader is told the writer's size and interval, others the choice") {
        const AddedLoop loop;
        const Client program(loop.node());
        v4l2_frmsizeenum size{};
        size.pixel_format = V4L2_PIX_FMT_YUYV;
        v4l2_frmivalenum interval{};
        interval.pixel_format = V4L2_PIX_FMT_YUYV;
        interval.width = 640;
        interval.height = 480;
        v4l2_fmtdesc format{};
        for (const std::uint32_t type : {output, capture, output}) {
            const bool choice = type == output;
            format.type = type;
            REQUIRE(program.ioctl(VIDIOC_ENUM_FMT, &format) == 0);
            REQUIRE(program.ioctl(VIDIOC_ENUM_FRAMESIZES, &size) == 0);
            CHECK(size.type == (choice ? V4L2_FRMSIZE_TYPE_STEPWISE : V4L2_FRMSIZE_TYPE_DISCRETE));
            REQUIRE(program.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval) == 0);
            CHECK(interval.type == (choice ? V4L2_FRMIVAL_TYPE_CONTINUOUS : V4L2_FRMIVAL_TYPE_DISCRETE));
        }
        format.type = capture;
        format.index = 1;
        CHECK(program.ioctl(VIDIOC_ENUM_FMT, &format) == EINVAL);
        interval.width = 320;
        CHECK(program.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval) == EINVAL); // which the loop does not have
        interval.width = 640;
        CHECK(program.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval) == 0);
        interval.pixel_format = V4L2_PIX_FMT_NV12;
        CHECK(program.ioctl(VIDIOC_ENUM_FRAMEINTERVALS, &interval) == EINVAL);
    }

    TEST_CASE("layouts") {
        struct Row {
            std::uint32_t fourcc, bytesperline, sizeimage;
        };
        Client writer(loop_node());
        for (const Row row : {Row{V4L2_PIX_FMT_YUYV, 1280, 614400}, Row{V4L2_PIX_FMT_UYVY, 1280, 614400},
                              Row{V4L2_PIX_FMT_NV12, 640, 460800}, Row{V4L2_PIX_FMT_YUV420, 640, 460800},
                              Row{V4L2_PIX_FMT_RGB24, 1920, 921600}, Row{V4L2_PIX_FMT_BGR24, 1920, 921600},
                              Row{V4L2_PIX_FMT_XBGR32, 2560, 1228800}, Row{V4L2_PIX_FMT_GREY, 640, 307200},
                              Row{V4L2_PIX_FMT_NV16, 640, 614400}, Row{V4L2_PIX_FMT_NV24, 640, 921600},
                              Row{V4L2_PIX_FMT_P010, 1280, 921600}, Row{V4L2_PIX_FMT_YUV422P, 640, 614400}}) {
            v4l2_pix_format pix = wish(row.fourcc, 640, 480);
            REQUIRE(writer.set_format(pix) == 0);
            CHECK(pix.pixelformat == row.fourcc);
            CHECK(pix.bytesperline == row.bytesperline);
            CHECK(pix.sizeimage == row.sizeimage);
            CHECK(writer.format(capture).sizeimage == row.sizeimage);
        }
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
    }

    TEST_CASE("a camera's padding is kept, nonsense is not") {
        Client writer(loop_node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_NV12, 640, 480);
        pix.bytesperline = 704;
        pix.sizeimage = 704 * 480 * 3 / 2 + 4096;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.bytesperline == 704);
        CHECK(pix.sizeimage == 704 * 480 * 3 / 2 + 4096);
        CHECK(writer.format(capture).bytesperline == 704);
        pix.bytesperline = 3;
        pix.sizeimage = 0xffffffff;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.bytesperline == 640);
        CHECK(pix.sizeimage == 640 * 480 * 3 / 2);
        // Some cameras name one size for the compressed frames of all their resolutions.
        pix = wish(V4L2_PIX_FMT_MJPEG, 640, 480);
        pix.sizeimage = 3840 * 2160 * 2;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == 3840 * 2160 * 2);
        pix.sizeimage = 0x7fffffff;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == 640 * 480 * 2);
        pix = wish(V4L2_PIX_FMT_YUYV, 0xffffffff, 0xffffffff);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.width == 8192);
        CHECK(pix.height == 8192);
        pix = wish(0x31313131, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_YUYV);
    }

    // What v4l2-ctl and OBS do: VIDIOC_G_FMT, another size, VIDIOC_S_FMT.
    TEST_CASE("what G_FMT said of the old layout is no wish for the new one, unless it is said twice") {
        const AddedLoop loop;
        const Client writer(loop.node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
        pix.width = 320;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.bytesperline == 640);
        CHECK(pix.sizeimage == 640 * 480);
        pix.height = 240;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == 640 * 240);
        v4l2_pix_format padded = wish(V4L2_PIX_FMT_UYVY, 300, 240);
        for (const std::uint32_t bytesperline : {600u, 640u}) {
            padded.bytesperline = 640;
            padded.sizeimage = 0;
            REQUIRE(writer.set_format(padded) == 0);
            CHECK(padded.bytesperline == bytesperline);
            CHECK(padded.sizeimage == bytesperline * 240);
        }
    }

    // OBS computes the size of a frame, and leaves the lines as they were.
    TEST_CASE("lines that frames of the wished size have no room for are no wish") {
        const AddedLoop loop;
        const Client writer(loop.node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        pix.bytesperline = 1536;
        REQUIRE(writer.set_format(pix) == 0);
        REQUIRE(pix.bytesperline == 1536);
        pix.sizeimage = 640 * 480 * 2;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.bytesperline == 1280);
        CHECK(pix.sizeimage == 640 * 480 * 2);
    }

    TEST_CASE("a reader gets the writer's format, whatever it wishes") {
        Client reader(loop_node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_RGB24, 100, 100);
        REQUIRE(reader.set_format(pix, capture) == 0);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_YUYV);
        CHECK(pix.width == 640);
    }

    TEST_CASE("a writer's buffers fix the format") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_GREY, 64, 64);
        CHECK(writer.set_format(pix) == EBUSY);
        CHECK(Client(loop_node()).set_format(pix) == EBUSY);
    }

    TEST_CASE("a new format ends the readers' queues, with an event") {
        Client reader(loop_node());
        REQUIRE(reader.subscribe(V4L2_EVENT_SOURCE_CHANGE) == 0);
        start_reading(reader);
        Client writer(loop_node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 320, 240);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK((reader.poll(POLLPRI, -1) & POLLPRI) != 0);
        v4l2_event event{};
        REQUIRE(reader.ioctl(VIDIOC_DQEVENT, &event) == 0);
        CHECK(event.type == V4L2_EVENT_SOURCE_CHANGE);
        v4l2_buffer buffer{};
        CHECK(reader.dequeue(buffer) == EIO);
        CHECK((reader.poll(POLLIN, -1) & POLLERR) != 0);
        CHECK(reader.create_bufs(capture, V4L2_MEMORY_MMAP, 1) == EIO);
        CHECK(reader.queue(0) == EIO);
        REQUIRE(reader.stream_off() == 0);
        CHECK(reader.stream_on() == EIO);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(reader.length() == 320 * 240 * 2);
        CHECK(reader.stream_on() == 0);
        reader.close();
        pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
    }

    // GStreamer names each part of the colorimetry, where others leave it to the driver.
    TEST_CASE("who reads goes on where only the meaning of the colours is new, with an event") {
        const AddedLoop loop;
        Client writer(loop.node());
        Client reader(loop.node());
        REQUIRE(reader.subscribe(V4L2_EVENT_SOURCE_CHANGE) == 0);
        start_reading(reader);
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        pix.colorspace = V4L2_COLORSPACE_REC709;
        REQUIRE(writer.set_format(pix) == 0);
        v4l2_event event{};
        REQUIRE(reader.ioctl(VIDIOC_DQEVENT, &event) == 0);
        CHECK(event.type == V4L2_EVENT_SOURCE_CHANGE);
        CHECK(reader.format(capture).colorspace == V4L2_COLORSPACE_REC709);
        start_writing(writer);
        paint(writer.map(0), 7);
        REQUIRE(writer.queue(0) == 0);
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        CHECK(painted(reader.map(buffer.index)) == 7);
        pix.field = V4L2_FIELD_INTERLACED;
        writer.close();
        REQUIRE(Client(loop.node()).set_format(pix) == 0);
        CHECK(reader.dequeue(buffer) == EIO);
    }

    // ffmpeg wishes for another size of compressed frames than others do.
    TEST_CASE("a smaller sizeimage ends nobody who reads") {
        const AddedLoop loop;
        const Client writer(loop.node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_MJPEG, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
        const std::uint32_t sizeimage = pix.sizeimage;
        pix.sizeimage = sizeimage / 2;
        Client reader(loop.node());
        start_reading(reader);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == sizeimage);
        CHECK(reader.queue(0) == EINVAL); // it is queued already, and the queue is alive
        // As clone does, whose camera's buffers are no larger.
        pix.sizeimage = sizeimage / 2;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == sizeimage / 2);
        v4l2_buffer buffer{};
        CHECK(reader.dequeue(buffer) == EIO);
    }

    TEST_CASE("a smaller sizeimage without readers is what it is") {
        const AddedLoop loop;
        const Client writer(loop.node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_MJPEG, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
        pix.sizeimage /= 2;
        const std::uint32_t half = pix.sizeimage;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.sizeimage == half);
    }

    TEST_CASE("the same format again changes nothing") {
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        Client writer(loop_node());
        v4l2_pix_format pix = writer.format(output);
        const v4l2_pix_format before = pix;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(std::memcmp(&pix, &before, sizeof pix) == 0);
        CHECK(reader.queue(0) == 0);
        CHECK(reader.stream_on() == 0);
    }

    TEST_CASE("compressed frames keep their payload size") {
        Client writer(loop_node());
        v4l2_pix_format pix = wish(V4L2_PIX_FMT_MJPEG, 640, 480);
        REQUIRE(writer.set_format(pix) == 0);
        Client reader(loop_node());
        start_reading(reader);
        std::vector<char> jpeg(12345, 'j');
        REQUIRE(::write(writer.fd(), jpeg.data(), jpeg.size()) == 12345);
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        CHECK(buffer.bytesused == 12345);
        reader.close();
        writer.close();
        Client last(loop_node());
        pix = wish(V4L2_PIX_FMT_YUYV, 640, 480);
        REQUIRE(last.set_format(pix) == 0);
    }

    TEST_CASE("a long read is one frame, a short read is continued") {
        Client writer(loop_node());
        Client reader(loop_node());
        const std::uint32_t bytes = writer.format(output).sizeimage;
        CHECK(reader.poll(POLLIN, 0) == 0);
        std::vector<std::uint32_t> sent(bytes / 4);
        std::vector<std::uint32_t> got(bytes / 2);
        paint(sent, 9);
        REQUIRE(::write(writer.fd(), sent.data(), bytes) == static_cast<ssize_t>(bytes));
        CHECK(::read(reader.fd(), got.data(), got.size() * 4) == static_cast<ssize_t>(bytes));
        CHECK(painted(std::span(got).first(bytes / 4)) == 9);
        REQUIRE(::write(writer.fd(), sent.data(), bytes) == static_cast<ssize_t>(bytes));
        char* to = reinterpret_cast<char*>(got.data());
        CHECK(::read(reader.fd(), to, 1000) == 1000);
        CHECK(::read(reader.fd(), to + 1000, bytes) == static_cast<ssize_t>(bytes - 1000));
        CHECK(painted(std::span(got).first(bytes / 4)) == 9);
    }
}
