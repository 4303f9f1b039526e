// SPDX-License-Identifier: MIT
// A camera fills an allocator's memory, and an output takes it.
#include "subject.h"
#include "v4l2/format.h"
#include "v4l2/queue.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <set>

using namespace v4l2dma;

namespace {

constexpr std::uint32_t buffer_count = 4;
// A guest is emulated, and its host may be busy.
constexpr int patience_ms = 60'000;

std::vector<DmabufBuffer> allocate_all(const DmabufAllocator& allocator, const Queue& queue,
                                       std::size_t bytes) {
    std::vector<DmabufBuffer> buffers;
    for (std::uint32_t i = 0; i < queue.count(); ++i)
        buffers.push_back(must(allocator.allocate(bytes)));
    return buffers;
}

DequeuedBuffer await(const Device& device, const Queue& queue, short event) {
    pollfd asked{.fd = device.fd(), .events = event, .revents = 0};
    REQUIRE(::poll(&asked, 1, patience_ms) == 1);
    const std::optional<DequeuedBuffer> buffer = must(queue.dequeue());
    REQUIRE(buffer);
    CHECK((buffer->metadata.flags & V4L2_BUF_FLAG_ERROR) == 0);
    return *buffer;
}

BufferMemory memory_of(DmabufBuffer& buffer) {
    return {.planes = {PlaneMemory{.dmabuf = &buffer}}};
}

/// A test picture has several colours; what was never drawn has one.
bool shows_picture(std::span<const std::byte> bytes) {
    return std::set<std::byte>(bytes.begin(), bytes.end()).size() > 10;
}

} // namespace

TEST_CASE("a camera fills the memory") {
    const auto allocator = open_subject();
    const Device camera = must(Device::open(environment("V4L2DMA_CAMERA")));
    const std::size_t bytes = must(get_format(camera, BufferType::capture)).sizeimage();
    Queue queue = must(Queue::create(camera, BufferType::capture, Memory::dmabuf, buffer_count));
    std::vector<DmabufBuffer> buffers = allocate_all(*allocator, queue, bytes);
    for (std::uint32_t i = 0; i < queue.count(); ++i)
        must(queue.queue(i, memory_of(buffers[i])));
    must(queue.stream_on());
    std::set<std::uint32_t> filled;
    while (filled.size() < queue.count()) {
        const DequeuedBuffer frame = await(camera, queue, POLLIN);
        DmabufBuffer& buffer = buffers.at(frame.index);
        CHECK(frame.metadata.payload() == bytes);
        {
            const CpuAccess access = must(buffer.read());
            CHECK(shows_picture(access.bytes().first(bytes)));
        }
        filled.insert(frame.index);
        must(queue.queue(frame.index, memory_of(buffer)));
    }
}

TEST_CASE("an output takes what the CPU wrote into the memory") {
    const auto allocator = open_subject();
    const Device output = must(Device::open(environment("V4L2DMA_OUTPUT")));
    const FrameFormat format = must(get_format(output, BufferType::output));
    Queue queue = must(Queue::create(output, BufferType::output, Memory::dmabuf, buffer_count));
    std::vector<DmabufBuffer> buffers = allocate_all(*allocator, queue, format.sizeimage());
    for (std::uint32_t i = 0; i < queue.count(); ++i) {
        std::ranges::fill(must(buffers[i].write()).bytes(), std::byte{0x80});
        BufferMetadata metadata{.field = V4L2_FIELD_NONE};
        metadata.planes[0].bytesused = format.sizeimage();
        must(queue.queue(i, memory_of(buffers[i]), metadata));
    }
    must(queue.stream_on());
    std::set<std::uint32_t> shown;
    // vivid keeps the last frame until it has another one.
    while (shown.size() < queue.count() - 1)
        CHECK(shown.insert(await(output, queue, POLLOUT).index).second);
}

TEST_CASE("a camera's buffer that was exported for reading can be read and not written") {
    const Device camera = must(Device::open(environment("V4L2DMA_CAMERA")));
    const Queue queue = must(Queue::create(camera, BufferType::capture, Memory::mmap, 2));
    DmabufBuffer read_only = must(DmabufBuffer::adopt(must(queue.export_plane(0, 0, O_RDONLY))));
    CHECK(read_only.write().error().code == EACCES);
    CHECK(read_only.read());
    DmabufBuffer writable = must(DmabufBuffer::adopt(must(queue.export_plane(1, 0, O_RDWR))));
    CHECK(writable.read());
    must(writable.write()).bytes()[0] = std::byte{1};
}
