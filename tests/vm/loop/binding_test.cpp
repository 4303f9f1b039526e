// SPDX-License-Identifier: MIT
// A writer that declares that each index keeps its dma-buf.
#include "client.h"
#include "control.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

int declare(const Client& client, int value) {
    return client.set_control(V4L2DMA_CID_FIXED_BINDINGS, value);
}

int declared(const Client& client) {
    return client.control(V4L2DMA_CID_FIXED_BINDINGS);
}

/// Imports dma-bufs of another driver, and has queued each once.
class FixedWriter {
public:
    explicit FixedWriter(const std::string& node)
        : client(node), foreign(4, client.format(output).sizeimage) {
        {
            const Client stranger(node);
            REQUIRE(declare(stranger, 1) == 0);
        }
        CHECK(declared(client) == 0); // nobody declares anything for others
        REQUIRE(client.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        REQUIRE(declare(client, 1) == 0);
        client.use(foreign.fds());
        REQUIRE(client.stream_on() == 0);
        for (unsigned index = 0; index < 4; ++index) {
            REQUIRE(client.queue(index) == 0);
            take_back();
        }
    }
    void write(unsigned index, std::uint32_t number) {
        paint(foreign.map(index), number);
        REQUIRE(client.queue(index) == 0);
    }
    void take_back() {
        v4l2_buffer done{};
        REQUIRE(client.dequeue(done) == 0);
    }

    Client client;
    ForeignBuffers foreign;
};

void map_buffers(Client& reader) {
    REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
    for (unsigned index = 0; index < reader.count(); ++index)
        (void)reader.map(index);
}

/// start_reading(), with every buffer mapped before it is queued.
void start_reading_mapped(Client& reader) {
    map_buffers(reader);
    REQUIRE(reader.queue_all() == 0);
    REQUIRE(reader.stream_on() == 0);
}

/// Passes frames through and answers how many were copied.
std::uint64_t copies(const AddedLoop& loop, FixedWriter& writer, Client& reader) {
    constexpr unsigned frames = 12;
    const auto before = loop.stats();
    for (unsigned number = 1; number <= frames; ++number) {
        writer.write(number % 4, number);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(got.index == number % 4);
        CHECK(painted(reader.map(got.index).first(reader.length() / 4)) == number);
        REQUIRE(reader.queue(got.index) == 0);
        writer.take_back();
    }
    CHECK(loop.stats().delivered == before.delivered + frames);
    return loop.stats().copies - before.copies;
}

} // namespace

TEST_SUITE("fixed bindings") {
    TEST_CASE("a reader maps the writer's own memory, and nothing is copied") {
        const AddedLoop loop;
        FixedWriter writer(loop.node());
        Client reader(loop.node());
        start_reading_mapped(reader);
        CHECK(copies(loop, writer, reader) == 0);
    }

    TEST_CASE("EXPBUF before the stream gives that memory, too") {
        const AddedLoop loop;
        FixedWriter writer(loop.node());
        Client reader(loop.node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        for (unsigned index = 0; index < 4; ++index) {
            const int fd = reader.export_fd(index);
            REQUIRE(fd >= 0);
            CHECK(inode(fd) == inode(writer.foreign.fds()[index]));
            ::close(fd);
        }
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        CHECK(copies(loop, writer, reader) == 0);
    }

    TEST_CASE("whoever mapped before the writer's first frames gets copies") {
        const AddedLoop loop;
        Client reader(loop.node());
        map_buffers(reader);
        FixedWriter writer(loop.node());
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        CHECK(copies(loop, writer, reader) == 12);
    }

    TEST_CASE("another dma-buf at an index is refused, and nothing is lost") {
        const AddedLoop loop;
        FixedWriter writer(loop.node());
        Client reader(loop.node());
        start_reading(reader);
        const ForeignBuffers& own = writer.foreign;
        writer.client.use({own.fds()[1], own.fds()[1], own.fds()[2], own.fds()[3]});
        CHECK(writer.client.queue(0) == EINVAL);
        CHECK(declare(reader, 0) == 0); // it streams: from its STREAMOFF on
        CHECK(writer.client.queue(0) == EINVAL);
        CHECK(declare(reader, 1) == 0);
        writer.client.use(own.fds());
        CHECK(copies(loop, writer, reader) == 0); // buffers that were not looked at: lent, as ever
    }

    TEST_CASE("the declaration ends with the writer's buffers, and so does what was made of it") {
        const AddedLoop loop;
        Client reader(loop.node());
        Client plain(loop.node());
        std::span<std::uint32_t> mapping;
        {
            FixedWriter writer(loop.node());
            CHECK(declared(reader) == 1);
            REQUIRE(reader.subscribe(V4L2_EVENT_SOURCE_CHANGE) == 0);
            start_reading_mapped(reader);
            start_reading(plain);
            writer.write(2, 99);
            v4l2_buffer got{};
            REQUIRE(reader.dequeue(got) == 0);
            mapping = reader.map(got.index);
        }
        CHECK(declared(reader) == 0);
        CHECK((reader.poll(POLLPRI, -1) & POLLPRI) != 0);
        v4l2_buffer got{};
        CHECK(reader.dequeue(got) == EIO);
        CHECK(painted(mapping.first(reader.length() / 4)) == 99); // still his to look at
        // The frame that only waited there went with its writer.
        CHECK(loop.stats().dropped >= 1);

        reader.unmap_all();
        REQUIRE(reader.stream_off() == 0);
        start_reading(reader);
        Client next(loop.node());
        start_writing(next);
        paint(next.map(1), 100);
        REQUIRE(next.queue(1) == 0);
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(painted(reader.map(got.index)) == 100);
    }

    TEST_CASE("new buffers of the writer may be others, and end who had the old ones") {
        const AddedLoop loop;
        FixedWriter writer(loop.node());
        Client reader(loop.node());
        start_reading_mapped(reader);
        REQUIRE(writer.client.stream_off() == 0);
        REQUIRE(writer.client.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        v4l2_buffer got{};
        CHECK(reader.dequeue(got) == EIO);
        const auto& fds = writer.foreign.fds();
        writer.client.use({fds[1], fds[0], fds[3], fds[2]});
        CHECK(writer.client.queue(0) == 0);
        CHECK(writer.client.queue(1) == 0);
    }

    TEST_CASE("who was bound once and read()s now is not cut off") {
        const AddedLoop loop;
        Client reader(loop.node());
        {
            FixedWriter writer(loop.node());
            map_buffers(reader);
            reader.unmap_all();
            REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 0) == 0);
            CHECK(reader.poll(POLLIN, 0) == 0); // begins to read
        }
        Client next(loop.node());
        start_writing(next);
        REQUIRE(next.queue(0) == 0);
        CHECK((reader.poll(POLLIN, -1) & POLLIN) != 0);
    }

    TEST_CASE("memory that was exported for reading is not written through the loop") {
        const AddedLoop loop;
        Client exporter(exporter_node());
        v4l2_pix_format pix = exporter.format(capture);
        pix.pixelformat = V4L2_PIX_FMT_YUYV;
        pix.width = 1280;
        pix.height = 720;
        REQUIRE(exporter.set_format(pix, capture) == 0);
        REQUIRE(exporter.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        Client writer(loop.node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        REQUIRE(declare(writer, 1) == 0);
        v4l2_exportbuffer request{};
        request.type = capture;
        request.flags = O_RDONLY | O_CLOEXEC;
        REQUIRE(exporter.ioctl(VIDIOC_EXPBUF, &request) == 0);
        writer.use({request.fd});
        REQUIRE(writer.queue(0) == 0);
        Client reader(loop.node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(::mmap(nullptr, reader.length(), PROT_READ | PROT_WRITE, MAP_SHARED, reader.fd(), 0) ==
              MAP_FAILED);
        CHECK(errno == EACCES);
        void* readable = ::mmap(nullptr, reader.length(), PROT_READ, MAP_SHARED, reader.fd(), 0);
        REQUIRE(readable != MAP_FAILED);
        CHECK(::mprotect(readable, reader.length(), PROT_READ | PROT_WRITE) != 0);
        ::munmap(readable, reader.length());
        ::close(request.fd);
    }

    TEST_CASE("without the declaration an index may meet any dma-buf") {
        const AddedLoop loop;
        Client writer(loop.node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        const ForeignBuffers foreign(2, writer.length());
        REQUIRE(writer.stream_on() == 0);
        for (unsigned round = 0; round < 4; ++round) {
            writer.use({foreign.fds()[round % 2]});
            REQUIRE(writer.queue(0) == 0);
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
        }
    }
}
