// SPDX-License-Identifier: MIT
// How many slots there are, and what their memory is.
#include "client.h"
#include "control.h"

#include <algorithm>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

TEST_SUITE("slots") {
    TEST_CASE("whoever comes first settles the number, at least min_buffers") {
        const unsigned least = loop_info().config.min_buffers;
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 1) == 0);
        CHECK(reader.count() == least);
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, least + 3) == 0);
        CHECK(writer.count() == least);
        CHECK(loop_info().slots == least);
    }

    TEST_CASE("the only user may settle anew, and the last one frees the slots") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 5) == 0);
        CHECK(writer.count() == 5);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 7) == 0);
        CHECK(writer.count() == 7);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 1000) == 0);
        CHECK(writer.count() == loop_info().config.max_buffers);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 0) == 0);
        CHECK(loop_info().slots == 0);
    }

    TEST_CASE("a reader's memory of its own does not change the number of slots") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 5) == 0);
        Client reader(loop_node());
        REQUIRE(reader.create_bufs(capture, V4L2_MEMORY_MMAP, 2) == 0);
        CHECK(reader.count() == 2);
        CHECK(loop_info().slots == 5);
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        REQUIRE(writer.stream_on() == 0);
        const Counting counting;
        for (unsigned number = 1; number <= 10; ++number) {
            paint(writer.map(number % 5), number);
            REQUIRE(writer.queue(number % 5) == 0);
            v4l2_buffer buffer{};
            REQUIRE(reader.dequeue(buffer) == 0);
            CHECK(painted(reader.map(buffer.index)) == number);
            // Its copy is its own: the writer has its buffer back already.
            REQUIRE(writer.dequeue(buffer) == 0);
            REQUIRE(reader.queue((number + 1) % 2) == 0);
        }
        CHECK(counting.copies() == 10);
    }

    TEST_CASE("CREATE_BUFS of another size leaves the others' memory alone") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        const int before = writer.export_fd(0);
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        REQUIRE(reader.create_bufs(capture, V4L2_MEMORY_MMAP, 1, writer.length() + 65536) == 0);
        CHECK(reader.count() == 5);
        const int after = reader.export_fd(0);
        CHECK(inode(before) == inode(after));
        ::close(before);
        ::close(after);
        CHECK(reader.create_bufs(capture, V4L2_MEMORY_MMAP, 1, writer.length() - 1) == EINVAL);
        CHECK(reader.create_bufs(capture, V4L2_MEMORY_MMAP, 1, 0xf0000000U) == EINVAL);
    }

    TEST_CASE("memory is zeroed") {
        Client writer(loop_node());
        for (unsigned round = 0; round < 3; ++round) {
            REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
            for (unsigned index = 0; index < 4; ++index) {
                const auto memory = writer.map(index);
                CHECK(std::all_of(memory.begin(), memory.end(), [](auto word) { return word == 0; }));
                std::fill(memory.begin(), memory.end(), 0xdeadbeefU);
            }
            writer.unmap_all();
            REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 0) == 0);
        }
    }

    TEST_CASE("the pages of a mapping can be pinned by the kernel") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        const auto memory = writer.map(0);
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        iovec part{memory.data(), 4096};
        CHECK(::vmsplice(ends[1], &part, 1, 0) == 4096);
        ::close(ends[0]);
        ::close(ends[1]);
    }

    TEST_CASE("a mapping and a dma-buf outlive the queue") {
        Client writer(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        const int fd = writer.export_fd(0);
        const auto mapped = map_dmabuf(fd, writer.length());
        const auto own = writer.map(0);
        paint(own, 5);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 0) == 0);
        CHECK(painted(mapped.first(own.size())) == 5);
        CHECK(painted(own) == 5);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        CHECK(painted(own) == 5); // the next one's memory is another
        ::munmap(own.data(), own.size_bytes());
        ::munmap(mapped.data(), mapped.size_bytes());
        ::close(fd);
    }

    TEST_CASE("a dma-buf that is too small is refused") {
        Client writer(loop_node());
        v4l2_pix_format small = writer.format(output);
        const v4l2_pix_format usual = small;
        small.width = 64;
        small.height = 64;
        small.bytesperline = 0;
        small.sizeimage = 0;
        REQUIRE(writer.set_format(small) == 0);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        const int fd = writer.export_fd(0);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 0) == 0);
        v4l2_pix_format large = usual;
        REQUIRE(writer.set_format(large) == 0);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        writer.use({fd, fd, fd, fd});
        CHECK(writer.queue(0) == EINVAL);
        writer.use({writer.fd(), -1, 0, 0});
        CHECK(writer.queue(0) == EINVAL);
        CHECK(writer.queue(1) == EINVAL);
        ::close(fd);
    }
}
