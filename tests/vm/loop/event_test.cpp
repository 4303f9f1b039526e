// SPDX-License-Identifier: MIT
// What a loop tells those who have it open, and what they may set.
#include "client.h"
#include "control.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace {

/// The next event, for which it waits.
v4l2_event next_event(const Client& client) {
    v4l2_event event{};
    REQUIRE((client.poll(POLLPRI, -1) & POLLPRI) != 0);
    REQUIRE(client.ioctl(VIDIOC_DQEVENT, &event) == 0);
    return event;
}

std::uint32_t readers_now(const Client& client) {
    const v4l2_event event = next_event(client);
    CHECK(event.type == V4L2DMA_EVENT_READERS);
    v4l2dma_event_readers payload{};
    std::memcpy(&payload, event.u.data, sizeof payload);
    return payload.readers;
}

bool silent(const Client& client) {
    return (client.poll(POLLPRI, 0) & POLLPRI) == 0;
}

} // namespace

TEST_SUITE("event") {
    TEST_CASE("a producer hears how many readers there are") {
        const AddedLoop loop;
        const Client producer(loop.node());
        REQUIRE(producer.subscribe(V4L2DMA_EVENT_READERS, V4L2_EVENT_SUB_FL_SEND_INITIAL) == 0);
        CHECK(readers_now(producer) == 0);
        Client first(loop.node());
        CHECK(silent(producer)); // to have it open is not to read
        REQUIRE(first.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(readers_now(producer) == 1);
        const Client second(loop.node());
        CHECK(second.poll(POLLIN, 0) == 0); // begins to read()
        first.close();
        CHECK(readers_now(producer) == 1); // of several the newest
        CHECK(silent(producer));
        CHECK(loop.info().readers == 1);
    }

    TEST_CASE("without the flag there is only news") {
        const AddedLoop loop;
        const Client producer(loop.node());
        REQUIRE(producer.subscribe(V4L2DMA_EVENT_READERS) == 0);
        CHECK(silent(producer));
    }

    TEST_CASE("readers hear of the end of the stream, however it ends") {
        const AddedLoop loop;
        Client reader(loop.node());
        REQUIRE(reader.subscribe(V4L2_EVENT_EOS) == 0);
        start_reading(reader);
        {
            Client writer(loop.node());
            REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
            CHECK(silent(reader));
            REQUIRE(writer.stream_on() == 0);
            CHECK(silent(reader));
            REQUIRE(writer.stream_off() == 0);
            CHECK(next_event(reader).type == V4L2_EVENT_EOS);
            REQUIRE(writer.stream_on() == 0);
        } // closes in mid-stream
        CHECK(next_event(reader).type == V4L2_EVENT_EOS);
        {
            const Client writer(loop.node());
            std::uint32_t pixel = 0;
            REQUIRE(::write(writer.fd(), &pixel, sizeof pixel) == sizeof pixel);
        }
        CHECK(next_event(reader).type == V4L2_EVENT_EOS);
    }

    TEST_CASE("keep_format pins the format, and says when it changes") {
        const AddedLoop loop;
        const Client user(loop.node());
        const Client writer(loop.node());
        REQUIRE(user.subscribe(V4L2_EVENT_CTRL, 0, V4L2DMA_CID_KEEP_FORMAT) == 0);
        REQUIRE(writer.set_control(V4L2DMA_CID_KEEP_FORMAT, 1) == 0);
        const v4l2_event event = next_event(user);
        CHECK(event.type == V4L2_EVENT_CTRL);
        CHECK(event.u.ctrl.value == 1);

        v4l2_pix_format pix{};
        pix.pixelformat = V4L2_PIX_FMT_GREY;
        pix.width = pix.height = 64;
        CHECK(writer.set_format(pix) == 0);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_YUYV);
        CHECK(pix.width == 640);
        v4l2_fmtdesc description{};
        description.type = output;
        CHECK(writer.ioctl(VIDIOC_ENUM_FMT, &description) == 0);
        CHECK(description.pixelformat == V4L2_PIX_FMT_YUYV);
        description.index = 1;
        CHECK(writer.ioctl(VIDIOC_ENUM_FMT, &description) == EINVAL);

        REQUIRE(writer.set_control(V4L2DMA_CID_KEEP_FORMAT, 0) == 0);
        pix.pixelformat = V4L2_PIX_FMT_GREY;
        CHECK(writer.set_format(pix) == 0);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_GREY);
        CHECK(writer.set_control(V4L2DMA_CID_KEEP_FORMAT, 2) == 0); // clamped, as the specification has it
    }

    TEST_CASE("what there is not cannot be subscribed to") {
        const AddedLoop loop;
        const Client client(loop.node());
        for (const std::uint32_t type : {std::uint32_t{V4L2_EVENT_VSYNC}, V4L2DMA_EVENT_READERS + 1, 0U})
            CHECK(client.subscribe(type) == EINVAL);
    }
}
