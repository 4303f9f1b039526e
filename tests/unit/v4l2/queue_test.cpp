// SPDX-License-Identifier: MIT
#include "v4l2/queue.h"

#include "support/fake_system.h"
#include "support/frames.h"

#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <functional>
#include <uapi/v4l2dma.h>

using namespace v4l2dma;
using testing::FakeDevice;
using testing::FakeSystem;

namespace {

constexpr int every_errno[] = {EAGAIN, ENODEV, EIO, ENOMEM, EBADF, ENOTTY, EBUSY, EINVAL};

/// A device of this side, opened.
struct Opened {
    explicit Opened(BufferType side)
        : fake(system.add("/dev/video7", side)), device(*Device::open("/dev/video7", system)) {}

    FakeSystem system;
    FakeDevice& fake;
    Device device;
};

/// Everything a queue of this kind goes through. Stops at the first error.
Status live(Opened& opened, BufferType type, Memory memory) {
    Result<Queue> queue = Queue::create(opened.device, type, memory, 3);
    if (!queue)
        return std::unexpected(queue.error());
    Result<DmabufBuffer> dmabuf = DmabufBuffer::adopt(testing::fake_memory(4096));
    std::vector<std::byte> bytes(4096);
    const BufferMemory foreign{.planes = {PlaneMemory{.dmabuf = &*dmabuf, .bytes = bytes}}};
    if (memory == Memory::mmap) {
        if (Status status = queue->map_all(); !status)
            return status;
        if (Result<UniqueFd> fd = queue->export_plane(1, 0, O_RDWR); !fd)
            return std::unexpected(fd.error());
    }
    for (std::uint32_t index = 0; index < queue->count(); ++index) {
        const BufferMetadata metadata = testing::one_plane(256);
        Status status =
            memory == Memory::mmap ? queue->queue(index, metadata) : queue->queue(index, foreign, metadata);
        if (!status)
            return status;
    }
    if (Status status = queue->stream_on(); !status)
        return status;
    type == BufferType::capture ? opened.fake.capture() : opened.fake.show();
    if (Result<std::optional<DequeuedBuffer>> buffer = queue->dequeue(); !buffer)
        return std::unexpected(buffer.error());
    if (Status status = queue->stream_off(); !status)
        return status;
    return queue->release();
}

ErrorKind expected_kind(std::string_view call, int code) {
    const bool device = code == ENODEV || (code == EBUSY && call == "REQBUFS");
    return device ? ErrorKind::device : ErrorKind::system;
}

/// Lets the call at @p position fail. False once there are no more calls.
bool check_failure(BufferType type, Memory memory, std::size_t position, int code) {
    Opened opened(type);
    const std::size_t before = opened.system.calls().size();
    opened.system.fail_at(before + position, code);
    const Status status = live(opened, type, memory);
    const FakeSystem::Call* failed = opened.system.failed_call();
    if (failed == nullptr)
        return false;
    const FakeSystem::Call call = *failed;
    CAPTURE(call.name);
    CAPTURE(code);
    // What release() could not stop is no error of its own; what is not there yet is no error of DQBUF.
    const bool last_stream_off = opened.system.count("STREAMOFF") == 2 && call.name == "STREAMOFF" &&
                                 opened.system.calls().back().name == "REQBUFS(0)";
    const bool nothing_yet = call.name == "DQBUF" && code == EAGAIN;
    if (status) {
        CHECK((last_stream_off || nothing_yet));
    } else {
        CHECK(status.error().operation.starts_with(call.name));
        CHECK(status.error().object.starts_with("/dev/video7"));
        CHECK(status.error().code == code);
        CHECK(status.error().kind == expected_kind(call.name, code));
    }
    CHECK(opened.system.leaks() == 1); // the device itself
    CHECK(opened.system.violations().empty());
    CHECK_FALSE(opened.fake.streaming());
    if (call.name == "REQBUFS")
        CHECK(opened.system.calls().back().name == "REQBUFS"); // nothing to give back
    else
        CHECK(opened.system.calls().back().name == "REQBUFS(0)");
    if (call.name != "REQBUFS(0)")
        CHECK(opened.fake.allocated() == 0);
    return true;
}

} // namespace

TEST_CASE("every call of a queue's life can fail: the error names it and nothing stays behind") {
    for (const BufferType type : {BufferType::capture, BufferType::output})
        for (const Memory memory : {Memory::mmap, Memory::userptr, Memory::dmabuf})
            for (const int code : every_errno) {
                std::size_t position = 0;
                while (check_failure(type, memory, position, code))
                    ++position;
                CHECK(position > 7);
            }
    CHECK(testing::open_fake_fds() == 0);
}

TEST_CASE("a queue gives back in the order that the kernel wants") {
    Opened opened(BufferType::capture);
    {
        Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 2);
        REQUIRE(queue);
        REQUIRE(queue->map_all());
        REQUIRE(queue->queue(0));
        REQUIRE(queue->stream_on());
    }
    CHECK(opened.system.calls_named({"REQBUFS", "STREAMON", "STREAMOFF", "REQBUFS(0)"}) ==
          "REQBUFS STREAMON STREAMOFF REQBUFS(0)");
    CHECK(opened.system.violations().empty()); // munmap came before REQBUFS(0)
    CHECK(opened.fake.allocated() == 0);
}

TEST_CASE("buffers that were queued before a STREAMON that never came are taken back, too") {
    Opened opened(BufferType::output);
    Result<Queue> queue = Queue::create(opened.device, BufferType::output, Memory::mmap, 2);
    REQUIRE(queue);
    REQUIRE(queue->queue(0));
    REQUIRE(queue->release());
    CHECK(opened.system.calls_named({"STREAMOFF", "REQBUFS(0)"}) == "STREAMOFF REQBUFS(0)");
    CHECK(queue->release()); // once is enough
    CHECK(opened.system.count("REQBUFS(0)") == 1);
}

TEST_CASE("the driver decides on the number of buffers") {
    Opened opened(BufferType::capture);
    opened.fake.most_buffers = 2;
    {
        const Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 6);
        REQUIRE(queue);
        CHECK(queue->count() == 2);
        CHECK(queue->mapped(0).planes[0].bytes.empty()); // not mapped
    }
    opened.fake.most_buffers = 0;
    const Result<Queue> none = Queue::create(opened.device, BufferType::capture, Memory::mmap, 6);
    REQUIRE_FALSE(none);
    CHECK(none.error().message().contains("granted no buffer"));
}

TEST_CASE("a busy queue names who to look for") {
    Opened opened(BufferType::capture);
    opened.system.fail("REQBUFS", EBUSY);
    const Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 6);
    REQUIRE_FALSE(queue);
    CHECK(queue.error().kind == ErrorKind::device);
    CHECK(queue.error().message().contains("another program"));
    CHECK(queue.error().remedy.contains("/dev/video7"));
}

TEST_CASE("a queue that is moved away gives nothing back twice") {
    Opened opened(BufferType::capture);
    {
        Result<Queue> first = Queue::create(opened.device, BufferType::capture, Memory::mmap, 2);
        REQUIRE(first);
        REQUIRE(first->map_all());
        Queue second = std::move(*first);
        CHECK(second.mapped(1).planes[0].bytes.size() == 4096);
        *first = std::move(second);
        CHECK(first->count() == 2);
        CHECK(first->mapped(1).planes[0].bytes.size() == 4096);
    }
    CHECK(opened.system.count("REQBUFS(0)") == 1);
}

TEST_CASE("metadata goes out with an output's buffers") {
    Opened opened(BufferType::output);
    Result<Queue> queue = Queue::create(opened.device, BufferType::output, Memory::mmap, 2);
    REQUIRE(queue);
    REQUIRE(queue->queue(1, {.planes = {PlanePayload{.bytesused = 99}},
                             .field = V4L2_FIELD_TOP,
                             .flags = V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_ERROR | V4L2_BUF_FLAG_DONE,
                             .sequence = 5,
                             .timestamp = std::chrono::microseconds(3'000'007)}));
    const v4l2_buffer& queued = opened.fake.last_queued();
    CHECK(queued.bytesused == 99);
    CHECK(queued.field == V4L2_FIELD_TOP);
    CHECK(queued.flags == V4L2_BUF_FLAG_KEYFRAME); // content only: not the capture driver's own state
    CHECK(queued.timestamp.tv_sec == 3);
    CHECK(queued.timestamp.tv_usec == 7);
}

TEST_CASE("metadata comes in with a capture's buffers") {
    Opened opened(BufferType::capture);
    Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 2);
    REQUIRE(queue);
    REQUIRE(queue->map_all());
    REQUIRE(queue->queue(1));
    REQUIRE(queue->stream_on());
    CHECK_FALSE(queue->dequeue()->has_value()); // EAGAIN is no error
    opened.fake.capture({.bytesused = 77, .sequence = 9, .timestamp = std::chrono::microseconds(2'000'003)});
    const Result<std::optional<DequeuedBuffer>> buffer = queue->dequeue();
    REQUIRE(buffer);
    REQUIRE(*buffer);
    CHECK((*buffer)->index == 1);
    CHECK((*buffer)->metadata.payload() == 77);
    CHECK((*buffer)->metadata.sequence == 9);
    CHECK((*buffer)->metadata.timestamp == std::chrono::microseconds(2'000'003));
    CHECK(static_cast<char>(queue->mapped(1).planes[0].bytes[0]) == 'f');
}

TEST_CASE("a loop's own picture is known by its timecode") {
    class Silent final : public System {
    public:
        int open(const char*, int) override { return testing::fake_memory(0).release(); }
        int ioctl(int, unsigned long request, void* argument) override {
            if (request == VIDIOC_DQBUF) {
                auto& buffer = *static_cast<v4l2_buffer*>(argument);
                buffer.flags = flags;
                buffer.timecode.flags = V4L2_TC_USERBITS_8BITCHARS;
                std::memcpy(buffer.timecode.userbits, text, sizeof buffer.timecode.userbits);
            }
            return 0;
        }
        std::uint32_t flags = V4L2_BUF_FLAG_TIMECODE;
        const char* text = V4L2DMA_NO_SIGNAL_USERBITS;
    } driver;
    const Result<Device> device = Device::open("/dev/video9", driver);
    REQUIRE(device);
    const Result<Queue> queue = Queue::create(*device, BufferType::capture, Memory::mmap, 3);
    REQUIRE(queue);
    CHECK((*queue->dequeue())->metadata.no_signal);
    driver.text = "TAPE"; // somebody else's user bits
    CHECK_FALSE((*queue->dequeue())->metadata.no_signal);
    driver.text = V4L2DMA_NO_SIGNAL_USERBITS;
    driver.flags = 0; // what is in the timecode then means nothing
    CHECK_FALSE((*queue->dequeue())->metadata.no_signal);
}

TEST_CASE("an index that the driver made up is refused") {
    class Liar final : public System {
    public:
        int open(const char*, int) override { return testing::fake_memory(0).release(); }
        int ioctl(int, unsigned long request, void* argument) override {
            if (request == VIDIOC_DQBUF)
                static_cast<v4l2_buffer*>(argument)->index = 3;
            return 0;
        }
    } liar;
    const Result<Device> device = Device::open("/dev/video9", liar);
    REQUIRE(device);
    const Result<Queue> queue = Queue::create(*device, BufferType::capture, Memory::mmap, 3);
    REQUIRE(queue);
    const auto buffer = queue->dequeue();
    REQUIRE_FALSE(buffer);
    CHECK(buffer.error().message().contains("index 3"));
}

TEST_CASE("whether a driver has EXPBUF is asked without exporting") {
    Opened opened(BufferType::capture);
    Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 2);
    REQUIRE(queue);
    CHECK(queue->check_export());
    CHECK(opened.system.leaks() == 1);
    opened.fake.has_export = false;
    const Status status = queue->check_export();
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ENOTTY);
    CHECK(status.error().operation == "EXPBUF");
}

TEST_CASE("probing tells each memory type's errno and leaves nothing behind") {
    Opened opened(BufferType::capture);
    opened.fake.has_import = opened.fake.has_userptr = false;
    const MemorySupport support = probe_memory(opened.device, BufferType::capture);
    CHECK(support.mmap == 0);
    CHECK(support.expbuf == 0);
    CHECK(support.userptr == EINVAL);
    CHECK(support.dmabuf == EINVAL);
    CHECK_FALSE(support.busy());
    CHECK(opened.system.leaks() == 1);
    CHECK(opened.fake.allocated() == 0);

    opened.system.fail("REQBUFS", EBUSY);
    CHECK(probe_memory(opened.device, BufferType::capture).busy());
}

TEST_CASE("the fake kernel itself notices a mapping that stays") {
    Opened opened(BufferType::capture);
    Result<Mapping> mapping;
    {
        const Result<Queue> queue = Queue::create(opened.device, BufferType::capture, Memory::mmap, 2);
        REQUIRE(queue);
        mapping = Mapping::map(opened.device.fd(), 4096, 0, MapAccess::read, "buffer", opened.system);
        REQUIRE(mapping);
    }
    CHECK(opened.system.violations().size() == 1);
    CHECK(opened.fake.allocated() == 2); // EBUSY
    CHECK(opened.system.leaks() == 2);   // the device and the mapping
}
