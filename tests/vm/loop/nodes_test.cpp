// SPDX-License-Identifier: MIT
// Which nodes a loop has, and what they say they are.
#include "client.h"
#include "control.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

v4l2dma_loop_config split() {
    v4l2dma_loop_config config = any_loop();
    config.flags = V4L2DMA_LOOP_SPLIT_NODES;
    return config;
}

std::uint32_t sides(const Client& client) {
    v4l2_capability capability{};
    REQUIRE(client.ioctl(VIDIOC_QUERYCAP, &capability) == 0);
    return capability.device_caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OUTPUT);
}

} // namespace

TEST_SUITE("split nodes") {
    TEST_CASE("each has its side, whoever streams") {
        const AddedLoop loop(split());
        REQUIRE(loop.node() != loop.capture_node());
        Client writer(loop.node());
        Client reader(loop.capture_node());
        const auto check = [&] {
            CHECK(sides(writer) == V4L2_CAP_VIDEO_OUTPUT);
            CHECK(sides(reader) == V4L2_CAP_VIDEO_CAPTURE);
        };
        check();
        CHECK(writer.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == EINVAL);
        CHECK(reader.reqbufs(output, V4L2_MEMORY_MMAP, 4) == EINVAL);
        std::uint32_t pixel = 0;
        CHECK(::write(reader.fd(), &pixel, sizeof pixel) == -1);
        CHECK(errno == EINVAL);
        CHECK(::read(writer.fd(), &pixel, sizeof pixel) == -1);
        CHECK(errno == EINVAL);
        v4l2_format format{};
        format.type = output;
        CHECK(reader.ioctl(VIDIOC_G_FMT, &format) == EINVAL);
        format.type = capture;
        CHECK(writer.ioctl(VIDIOC_G_FMT, &format) == EINVAL);
        int number = 0;
        CHECK(reader.ioctl(VIDIOC_G_OUTPUT, &number) == ENOTTY);
        CHECK(writer.ioctl(VIDIOC_G_INPUT, &number) == ENOTTY);
        start_writing(writer);
        check();
    }

    TEST_CASE("a frame passes from one to the other, in the same memory") {
        const AddedLoop loop(split());
        Client writer(loop.node());
        v4l2_pix_format pix = writer.format(output);
        pix.pixelformat = V4L2_PIX_FMT_NV12;
        pix.width = 320;
        pix.height = 240;
        REQUIRE(writer.set_format(pix) == 0);
        Client reader(loop.capture_node());
        CHECK(reader.format(capture).pixelformat == V4L2_PIX_FMT_NV12);
        start_reading(reader);
        start_writing(writer);
        paint(writer.map(2), 7);
        REQUIRE(writer.queue(2) == 0);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(got.index == 2);
        CHECK(painted(reader.map(got.index)) == 7);
        const int written = writer.export_fd(2);
        const int read = reader.export_fd(2);
        REQUIRE(written >= 0);
        REQUIRE(read >= 0);
        CHECK(inode(written) == inode(read));
        ::close(written);
        ::close(read);
        CHECK(loop.stats().copies == 0);
        CHECK(loop.info().openers == 2);
    }
}
