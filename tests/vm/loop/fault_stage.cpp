// SPDX-License-Identifier: MIT
#include "fault_stage.h"

#include "exporters.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr std::size_t heap_bytes = 8192;

} // namespace

std::string name_of(v4l2_memory memory) {
    return memory == V4L2_MEMORY_MMAP ? "MMAP" : memory == V4L2_MEMORY_USERPTR ? "USERPTR" : "DMABUF";
}

HeapBuffers::HeapBuffers(unsigned count) {
    const Fd heap(open_system_heap());
    REQUIRE(heap.get() >= 0);
    while (buffers_.fds().size() < count)
        buffers_.add(allocate_from_heap(heap.get(), heap_bytes), heap_bytes);
}

Side::Side(std::unique_ptr<Client> client, v4l2_buf_type type, const HeapBuffers& heap)
    : client_(std::move(client)), type_(type), heap_(&heap) {
    format_.type = type;
    REQUIRE(client_->ioctl(VIDIOC_G_FMT, &format_) == 0);
}

void Side::reqbufs(v4l2_memory memory) {
    REQUIRE(client_->reqbufs(type_, memory, few_buffers) == 0);
    memory_ = memory;
    if (memory == V4L2_MEMORY_DMABUF)
        client_->use(heap_->fds());
    if (memory != V4L2_MEMORY_MMAP)
        return;
    PlanarBuffer planar = client_->filled_in(0);
    const bool several = V4L2_TYPE_IS_MULTIPLANAR(type_);
    REQUIRE(client_->ioctl(VIDIOC_QUERYBUF, several ? planar.connect() : &planar.buffer) == 0);
    offset_ = several ? planar.planes[0].m.mem_offset : planar.buffer.m.offset;
}

int Side::hand_over(unsigned long what) const {
    PlanarBuffer planar = client_->filled_in(0);
    v4l2_buffer& buffer = planar.buffer;
    if (V4L2_TYPE_IS_MULTIPLANAR(type_))
        return client_->ioctl(what, planar.connect());
    buffer.bytesused = buffer.length = client_->length();
    if (memory_ == V4L2_MEMORY_USERPTR)
        buffer.m.userptr = reinterpret_cast<unsigned long>(pixels(0, 0).data());
    else if (memory_ == V4L2_MEMORY_DMABUF)
        buffer.m.fd = heap_->fds()[0];
    return client_->ioctl(what, &buffer);
}

int Side::map_and_unmap() const {
    const std::size_t bytes = client_->length();
    void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, client_->fd(), offset_);
    if (start == MAP_FAILED || ::munmap(start, bytes) != 0)
        return errno;
    return 0;
}

void Side::start(v4l2_memory memory) {
    reqbufs(memory);
    if (!V4L2_TYPE_IS_OUTPUT(type_))
        REQUIRE(client_->queue_all() == 0);
    REQUIRE(client_->stream_on() == 0);
}

std::span<std::uint32_t> Side::pixels(unsigned index, unsigned plane) const {
    const auto memory = memory_ == V4L2_MEMORY_DMABUF ? heap_->map(index * client_->planes() + plane)
                                                      : client_->map(index, plane);
    return memory.first(client_->length(plane) / sizeof(std::uint32_t));
}

void Side::paint(unsigned index, std::uint32_t number) const {
    for (unsigned plane = 0; plane < client_->planes(); ++plane)
        ::paint(pixels(index, plane), number + plane);
}

bool Side::shows(unsigned index, std::uint32_t number) const {
    for (unsigned plane = 0; plane < client_->planes(); ++plane)
        if (painted(pixels(index, plane)) != number + plane)
            return false;
    return true;
}

void Stage::start(v4l2_memory writers, v4l2_memory readers) {
    reader.start(readers);
    writer.start(writers);
}

void Stage::send(std::uint32_t number) const {
    writer.paint(0, number);
    REQUIRE(writer.client().queue(0) == 0);
}

void Stage::take() const {
    v4l2_buffer buffer{};
    REQUIRE(reader.client().dequeue(buffer) == 0);
    REQUIRE(buffer.index == 0);
}

std::shared_ptr<Stage> Workshop::open() const {
    return std::make_shared<Stage>(Side(loop_->open_writer(), loop_->in(), writers_),
                                   Side(loop_->open_reader(), loop_->out(), readers_));
}

std::shared_ptr<Stage> Workshop::start(v4l2_memory writers, v4l2_memory readers) const {
    auto stage = open();
    stage->start(writers, readers);
    return stage;
}
