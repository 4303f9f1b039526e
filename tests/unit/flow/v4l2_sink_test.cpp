// SPDX-License-Identifier: MIT
#include "flow/v4l2_sink.h"

#include "support/fake_controls.h"
#include "support/fake_system.h"
#include "support/frames.h"

#include <doctest/doctest.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

struct Output {
    Output() { sink = std::move(*open()); }
    Result<std::unique_ptr<V4l2Sink>> open(const OutputWishes& wishes = {}) {
        Result<Device> device = Device::open("/dev/video1", system);
        REQUIRE(device);
        return V4l2Sink::open(std::move(*device), wishes);
    }
    /// As a loop that knows fixed bindings.
    void fix_bindings() {
        sink.reset();
        fake.driver = "v4l2dma";
        controls.list = {
            {.id = 0x0098db01, .type = V4L2_CTRL_TYPE_BOOLEAN, .label = "Fixed Bindings", .maximum = 1}};
        fake.beside = std::ref(controls);
        auto opened = open({.fixed_bindings = true});
        REQUIRE(opened);
        sink = std::move(*opened);
        REQUIRE(sink->set_format(fake.format));
    }
    Frame frame(std::uint32_t index) const {
        return {
            .index = index, .format = &fake.format, .metadata = testing::one_plane(256), .memory = &place};
    }

    FakeSystem system;
    testing::FakeControls controls;
    FakeDevice& fake = system.add("/dev/video1", BufferType::output);
    std::vector<std::byte> memory = std::vector<std::byte>(256);
    BufferMemory place{.planes = {PlaneMemory{.bytes = memory}}};
    std::unique_ptr<V4l2Sink> sink;
};

} // namespace

TEST_CASE("an output with which nothing can be done says what it offers") {
    Output output;
    FrameFormat format = output.fake.format;
    format.field = V4L2_FIELD_INTERLACED;
    CHECK(output.sink->set_format(format));
    output.fake.adjust = [](FrameFormat& granted) { granted.planes[0].bytesperline = 64; };
    const Status refused = output.sink->set_format(format);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::device);
    CHECK(refused.error().message().contains("YUYV 16x8 with 32 bytes per line"));
    CHECK(refused.error().message().contains("a conversion is not possible: ")); // its buffers are too short
    CHECK(refused.error().remedy.starts_with("/dev/video1 offers YUYV"));
    output.fake.adjust = [](FrameFormat& granted) { granted.field = V4L2_FIELD_NONE; };
    CHECK(output.sink->set_format(format)); // the pixels are the same
}

TEST_CASE("a layout that differs only by what the loop had before is asked for twice") {
    Output output;
    const FrameFormat format = output.fake.format;
    int asked = 0;
    output.fake.adjust = [&](FrameFormat& granted) {
        if (asked++ == 0)
            granted.planes[0].sizeimage = 900'000;
    };
    CHECK(output.sink->set_format(format));
    CHECK(asked == 2);
    CHECK(output.fake.format.sizeimage() == format.sizeimage());
}

TEST_CASE("after a copy one slot is asked for, later all that there are") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 4));
    for (const std::uint32_t index : {0U, 1U, 2U, 3U})
        REQUIRE(output.sink->put(output.frame(index))->taken);
    REQUIRE(output.sink->reclaim());
    for (int i = 0; i < 4; ++i)
        output.fake.show();
    const std::size_t before = output.system.count("DQBUF");
    REQUIRE(output.sink->reclaim());
    CHECK(output.sink->in_flight() == 0);
    REQUIRE(output.sink->put(output.frame(0))->taken);
    REQUIRE(output.sink->put(output.frame(1))->taken);
    output.fake.show();
    output.fake.show();
    const std::size_t between = output.system.count("DQBUF");
    CHECK(between - before == 4); // in_flight() says that there are no more
    REQUIRE(output.sink->reclaim());
    CHECK(output.system.count("DQBUF") - between == 1);
    CHECK(output.sink->in_flight() == 1);
    REQUIRE(output.sink->reclaim());
    CHECK(output.sink->in_flight() == 0);
}

TEST_CASE("an output streams from its first frame on") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 2));
    CHECK_FALSE(output.fake.streaming());
    output.memory[0] = std::byte{'x'};
    CHECK(output.sink->put(output.frame(0))->taken == true);
    CHECK(output.fake.streaming());
    CHECK(output.fake.content(0, 1) == "x");
    CHECK(output.sink->put(output.frame(1))->taken == true);
    CHECK(output.sink->put(output.frame(2))->taken == false); // full
    CHECK(output.sink->in_flight() == 2);
    output.fake.show();
    CHECK(output.sink->reclaim()->has_value() == false); // the copied frame was free at once
    CHECK(output.sink->in_flight() == 1);
    CHECK(output.sink->put(output.frame(2))->taken == true);
    CHECK(output.system.count("STREAMON") == 1);
}

TEST_CASE("a copy that does not fit is refused") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 2));
    output.memory.resize(5000);
    Frame frame = output.frame(0);
    output.place.planes[0].bytes = output.memory;
    frame.metadata.planes[0].bytesused = 5000;
    const Result<PutResult> put = output.sink->put(frame);
    REQUIRE_FALSE(put);
    CHECK(put.error().message().contains("5000 bytes does not fit"));
    frame.metadata.planes[0].bytesused = 6000; // longer than its own memory
    CHECK_FALSE(output.sink->put(frame));
    CHECK(output.sink->in_flight() == 0);
    CHECK(output.fake.queued() == 0);
}

TEST_CASE("imported frames keep their slot and come back by the source's number") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->prepare(MemoryRole::imports, 2));
    std::vector<DmabufBuffer> buffers;
    for (int i = 0; i < 3; ++i)
        buffers.push_back(*DmabufBuffer::adopt(testing::fake_memory(4096), output.system));
    const auto put = [&](std::uint32_t index) {
        output.place.planes[0].dmabuf = &buffers[index];
        return output.sink->put(output.frame(index));
    };
    CHECK(put(1)->taken == true);
    CHECK(output.fake.inode(1) == buffers[1].identity().inode);
    CHECK(put(2)->taken == true); // more frames than slots: any free one
    CHECK(output.fake.inode(0) == buffers[2].identity().inode);
    CHECK(put(0)->taken == false);
    output.fake.show();
    output.fake.show();
    CHECK(output.sink->reclaim() == 1);
    CHECK(output.sink->reclaim() == 2);
    CHECK(output.sink->reclaim()->has_value() == false);
}

TEST_CASE("with fixed bindings an imported frame waits for its own slot") {
    Output output;
    output.fix_bindings();
    REQUIRE(output.sink->prepare(MemoryRole::imports, 2));
    CHECK(output.controls.list[0].value == 1);
    DmabufBuffer buffer = *DmabufBuffer::adopt(testing::fake_memory(4096), output.system);
    output.place.planes[0].dmabuf = &buffer;
    CHECK(output.sink->put(output.frame(1))->taken);
    CHECK_FALSE(output.sink->put(output.frame(1))->taken); // although slot 0 is free
    output.fake.show();
    CHECK(output.sink->reclaim() == 1);
    CHECK(output.sink->put(output.frame(1))->taken);
}

TEST_CASE("bindings are fixed for imported frames alone, of no more buffers than there are slots") {
    Output output;
    output.fix_bindings();
    REQUIRE(output.sink->provide(MemoryRole::exports, 2));
    CHECK(output.controls.list[0].value == 0);
    output.sink->release();
    output.fake.most_buffers = 3;
    const Status status = output.sink->prepare(MemoryRole::imports, 4);
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::unsupported);
    CHECK(status.error().message().contains("it has 3 slots for 4 buffers"));
    output.sink->release();

    output.fake.driver = "vivid";
    const auto other = output.open({.fixed_bindings = true});
    REQUIRE_FALSE(other);
    CHECK(other.error().kind == ErrorKind::usage);
    CHECK(other.error().message().contains("it is no loop"));
}

TEST_CASE("a frame that lies in the sink's own buffer goes out in that one") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    const auto exported = output.sink->provide(MemoryRole::exports, 2);
    REQUIRE(exported);
    CHECK(exported->size() == 2);
    CHECK(output.sink->put(output.frame(1))->taken == true);
    CHECK(output.sink->put(output.frame(1))->taken == false); // is not free, and no other will do
    CHECK(output.fake.queued_indexes().front() == 1);
    output.sink->release();
    CHECK(output.system.leaks() == 1); // the device
    CHECK(output.system.violations().empty());
}

TEST_CASE("a buffer that comes back twice is an error") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->provide(MemoryRole::exports, 3));
    CHECK(output.sink->put(output.frame(0))->taken);
    CHECK(output.sink->put(output.frame(1))->taken);
    output.fake.repeats = true;
    output.fake.show();
    CHECK(output.sink->reclaim() == 0);
    const auto again = output.sink->reclaim();
    REQUIRE_FALSE(again);
    CHECK(again.error().message() == "DQBUF /dev/video1: it gave back a buffer that it did not have");
    CHECK(output.sink->in_flight() == 1);
}

TEST_CASE("an output that could not be opened again after write() says why when it is needed") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->prepare(MemoryRole::touches, 2));
    REQUIRE(output.sink->put(output.frame(0))->taken);
    output.system.fail("open", ENODEV);
    output.sink->release();
    output.system.fail("open", ENODEV);
    const Status status = output.sink->set_format(output.fake.format);
    REQUIRE_FALSE(status);
    CHECK(status.error().kind == ErrorKind::device);
    CHECK(status.error().code == ENODEV);
    CHECK(output.sink->set_format(output.fake.format)); // it is there again
}

TEST_CASE("an output that is removed says so") {
    Output output;
    REQUIRE(output.sink->set_format(output.fake.format));
    REQUIRE(output.sink->provide(MemoryRole::copies, 2));
    CHECK(output.sink->put(output.frame(0))->taken == true);
    output.fake.unplugged = true;
    const auto reclaimed = output.sink->reclaim();
    REQUIRE_FALSE(reclaimed);
    CHECK(reclaimed.error().kind == ErrorKind::device);
    CHECK(reclaimed.error().detail.contains("removed"));
    const auto put = output.sink->put(output.frame(1));
    REQUIRE_FALSE(put);
    CHECK(put.error().detail.contains("removed"));
    output.sink->release();
    CHECK(output.sink->in_flight() == 0);
}
