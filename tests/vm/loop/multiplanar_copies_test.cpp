// SPDX-License-Identifier: MIT
// "Which frames are copied" for frames of two and three memory planes: counters, pixels, and what travels
// along.
#include "client.h"
#include "control.h"
#include "process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr unsigned frames = 9;
constexpr unsigned slots = 4;

/// A loop whose frames have two or three planes, of different sizes and with padding.
struct PlanarLoop : AddedLoop {
    explicit PlanarLoop(std::uint32_t fourcc)
        : AddedLoop([] {
              v4l2dma_loop_config config = any_loop();
              config.flags = V4L2DMA_LOOP_MULTIPLANAR;
              config.reclaim_ms = 60000; // a slow machine takes nothing away
              return config;
          }()) {
        v4l2_pix_format_mplane pix{};
        pix.pixelformat = fourcc;
        pix.width = 322; // no multiple of a page
        pix.height = 182;
        for (v4l2_plane_pix_format& plane : pix.plane_fmt)
            plane.bytesperline = 384;
        REQUIRE(Client(node()).set_format(pix) == 0);
        REQUIRE(fourcc_of(pix) == fourcc);
        REQUIRE(stride_of(pix, 1) == 384);
    }
    [[nodiscard]] std::uint32_t bytes() const { return info().sizeimage; }
};

/// Every plane of every frame is painted with a number of its own.
std::uint32_t number_of(std::uint32_t frame, unsigned plane) {
    return frame * 10 + plane;
}

/// A reader or writer, with dma-bufs of another driver where it needs any.
struct Side {
    Side(const AddedLoop& loop, v4l2_buf_type type, v4l2_memory memory) : client(loop.node()) {
        REQUIRE(client.reqbufs(type, memory, slots) == 0);
        REQUIRE(client.count() == slots);
        if (memory != V4L2_MEMORY_DMABUF)
            return;
        foreign.emplace(slots * client.planes(), client.length());
        client.use(foreign->fds());
    }
    std::span<std::uint32_t> memory(unsigned index, unsigned plane) {
        const auto all = foreign ? foreign->map(index * client.planes() + plane) : client.map(index, plane);
        return all.first(client.length(plane) / 4);
    }
    Client client;
    std::optional<ForeignBuffers> foreign;
};

struct Writer : Side {
    Writer(const AddedLoop& loop, v4l2_memory memory) : Side(loop, planar_output, memory) {
        REQUIRE(client.stream_on() == 0);
    }
    void write(unsigned index, std::uint32_t frame) {
        for (unsigned plane = 0; plane < client.planes(); ++plane)
            paint(memory(index, plane), number_of(frame, plane));
        REQUIRE(client.queue(index, 0, frame * 1000) == 0);
    }
    void take_back() {
        v4l2_buffer buffer{};
        REQUIRE(client.dequeue(buffer) == 0);
    }
};

struct Reader : Side {
    Reader(const AddedLoop& loop, v4l2_memory memory, bool map_before = true)
        : Side(loop, planar_capture, memory) {
        for (unsigned index = 0; memory == V4L2_MEMORY_MMAP && map_before && index < slots; ++index)
            for (unsigned plane = 0; plane < client.planes(); ++plane)
                (void)client.map(index, plane);
        REQUIRE(client.queue_all() == 0);
        REQUIRE(client.stream_on() == 0);
    }
    PlanarBuffer take(std::uint32_t frame) {
        PlanarBuffer got;
        REQUIRE(client.dequeue(got) == 0);
        CHECK((got.buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
        CHECK(got.buffer.timestamp.tv_usec == frame * 1000);
        CHECK(got.buffer.length == client.planes());
        for (unsigned plane = 0; plane < client.planes(); ++plane) {
            CHECK(got.planes[plane].bytesused == client.length(plane));
            CHECK(got.planes[plane].data_offset == 0);
        }
        return got;
    }
    void check_pixels(unsigned index, std::uint32_t frame) {
        for (unsigned plane = 0; plane < client.planes(); ++plane)
            CHECK(painted(memory(index, plane)) == number_of(frame, plane));
    }
    void take_and_check(std::uint32_t frame) {
        const unsigned index = take(frame).buffer.index;
        check_pixels(index, frame);
        REQUIRE(client.queue(index) == 0);
    }
};

/// Sends frames through and returns the copies that the loop counted.
std::uint64_t copies_from_to(std::uint32_t fourcc, v4l2_memory from, v4l2_memory to) {
    const PlanarLoop loop(fourcc);
    Writer writer(loop, from);
    Reader reader(loop, to);
    for (unsigned frame = 1; frame <= frames; ++frame) {
        writer.write(frame % slots, frame);
        reader.take_and_check(frame);
        writer.take_back();
    }
    const v4l2dma_loop_stats stats = loop.stats();
    CHECK(stats.delivered == frames);
    CHECK(stats.dropped == 0);
    CHECK(stats.copied_bytes == stats.copies * loop.bytes());
    return stats.copies;
}

constexpr std::array fourccs{V4L2_PIX_FMT_NV12M, V4L2_PIX_FMT_YUV444M};

} // namespace

TEST_SUITE("multi-planar copy table") {
    TEST_CASE("each way, each plane") {
        for (const std::uint32_t fourcc : fourccs) {
            CAPTURE(fourcc);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP) == 0);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_MMAP, V4L2_MEMORY_USERPTR) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_MMAP, V4L2_MEMORY_DMABUF) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_DMABUF, V4L2_MEMORY_MMAP) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_DMABUF, V4L2_MEMORY_USERPTR) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_USERPTR, V4L2_MEMORY_MMAP) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_USERPTR, V4L2_MEMORY_USERPTR) == frames);
            CHECK(copies_from_to(fourcc, V4L2_MEMORY_USERPTR, V4L2_MEMORY_DMABUF) == frames);
        }
    }

    TEST_CASE("an imported frame comes out as the writer's own dma-bufs, uncopied") {
        for (const std::uint32_t fourcc : fourccs) {
            const PlanarLoop loop(fourcc);
            Writer writer(loop, V4L2_MEMORY_DMABUF);
            Reader reader(loop, V4L2_MEMORY_MMAP, false);
            const unsigned planes = writer.client.planes();
            for (unsigned frame = 1; frame <= frames; ++frame) {
                writer.write(frame % slots, frame);
                const unsigned index = reader.take(frame).buffer.index;
                for (unsigned plane = 0; plane < planes; ++plane) {
                    const int fd = reader.client.export_fd(index, plane);
                    REQUIRE(fd >= 0);
                    CHECK(inode(fd) == inode(writer.foreign->fds()[index * planes + plane]));
                    ::close(fd);
                }
                REQUIRE(reader.client.queue(index) == 0);
                writer.take_back();
            }
            CHECK(loop.stats().copies == 0);
            CHECK(loop.stats().delivered == frames);
        }
    }

    TEST_CASE("both ends of pool memory are one dma-buf, another one for each plane") {
        const PlanarLoop loop(V4L2_PIX_FMT_YUV444M);
        Writer writer(loop, V4L2_MEMORY_MMAP);
        Reader reader(loop, V4L2_MEMORY_MMAP);
        std::vector<ino_t> seen;
        for (unsigned index = 0; index < slots; ++index)
            for (unsigned plane = 0; plane < 3; ++plane) {
                const int ours = writer.client.export_fd(index, plane);
                const int theirs = reader.client.export_fd(index, plane);
                CHECK(inode(ours) == inode(theirs));
                CHECK(std::ranges::find(seen, inode(ours)) == seen.end());
                seen.push_back(inode(ours));
                ::close(ours);
                ::close(theirs);
            }
    }

    TEST_CASE("fixed bindings: a reader maps the writer's own planes") {
        for (const std::uint32_t fourcc : fourccs) {
            const PlanarLoop loop(fourcc);
            Side writer(loop, planar_output, V4L2_MEMORY_DMABUF);
            REQUIRE(writer.client.set_control(V4L2DMA_CID_FIXED_BINDINGS, 1) == 0);
            REQUIRE(writer.client.stream_on() == 0);
            v4l2_buffer done{};
            for (unsigned index = 0; index < slots; ++index) {
                REQUIRE(writer.client.queue(index) == 0);
                REQUIRE(writer.client.dequeue(done) == 0);
            }
            // The planes of one index the other way round: not what it is bound to.
            std::vector<int> swapped = writer.foreign->fds();
            std::swap(swapped[0], swapped[1]);
            writer.client.use(swapped);
            CHECK(writer.client.queue(0) == EINVAL);
            writer.client.use(writer.foreign->fds());
            // More than what a mapping shows.
            PlanarBuffer planar = writer.client.filled_in(0);
            planar.planes[1].data_offset = 4096;
            planar.planes[1].length = planar.planes[1].bytesused = writer.client.length(1) + 4096;
            CHECK(writer.client.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);

            Reader reader(loop, V4L2_MEMORY_MMAP);
            for (unsigned frame = 1; frame <= frames; ++frame) {
                for (unsigned plane = 0; plane < writer.client.planes(); ++plane)
                    paint(writer.memory(frame % slots, plane), number_of(frame, plane));
                REQUIRE(writer.client.queue(frame % slots, 0, frame * 1000) == 0);
                reader.take_and_check(frame);
                REQUIRE(writer.client.dequeue(done) == 0);
            }
            CHECK(loop.stats().copies == 0);
        }
    }

    TEST_CASE("readers that need a copy share it, and it counts once") {
        const PlanarLoop loop(V4L2_PIX_FMT_YUV444M);
        Writer writer(loop, V4L2_MEMORY_DMABUF);
        std::array<std::optional<Reader>, 3> readers;
        for (auto& reader : readers)
            reader.emplace(loop, V4L2_MEMORY_MMAP);
        for (unsigned frame = 1; frame <= 4 * frames; ++frame) {
            writer.write(frame % slots, frame);
            // All at once: one makes the copy, the others wait for it.
            std::array<std::thread, 3> threads;
            for (std::size_t i = 0; i < threads.size(); ++i)
                threads[i] = std::thread([&, i] {
                    const v4l2_buffer& got = readers[i]->take(frame).buffer;
                    readers[i]->check_pixels(got.index, frame);
                    REQUIRE(readers[i]->client.queue(got.index) == 0);
                });
            for (std::thread& thread : threads)
                thread.join();
            writer.take_back();
        }
        CHECK(loop.stats().delivered == 3 * 4 * frames);
        CHECK(loop.stats().copies == 4 * frames);
        CHECK(loop.stats().copied_bytes == 4 * frames * std::uint64_t(loop.bytes()));
    }

    TEST_CASE("a reader that maps the planes of a frame which it holds, one by one") {
        const PlanarLoop loop(V4L2_PIX_FMT_NV12M);
        Writer writer(loop, V4L2_MEMORY_DMABUF);
        Reader reader(loop, V4L2_MEMORY_MMAP, false);
        writer.write(1, 1);
        unsigned index = reader.take(1).buffer.index;
        CHECK(loop.stats().copies == 0);
        CHECK(painted(reader.memory(index, 1)) == number_of(1, 1));
        CHECK(loop.stats().copies == 1);
        CHECK(loop.stats().copied_bytes == reader.client.length(1));
        reader.check_pixels(index, 1);
        CHECK(loop.stats().copies == 1);
        CHECK(loop.stats().copied_bytes == loop.bytes());
        REQUIRE(reader.client.queue(index) == 0);
        writer.take_back();
        writer.write(1, 2);
        index = reader.take(2).buffer.index;
        reader.check_pixels(index, 2);
        CHECK(loop.stats().copies == 2);
    }

    TEST_CASE("one plane mapped, the other exported: only what is mapped is copied") {
        const PlanarLoop loop(V4L2_PIX_FMT_NV12M);
        Writer writer(loop, V4L2_MEMORY_DMABUF);
        Side reader(loop, planar_capture, V4L2_MEMORY_MMAP);
        for (unsigned index = 0; index < slots; ++index)
            (void)reader.client.map(index, 0);
        REQUIRE(reader.client.queue_all() == 0);
        REQUIRE(reader.client.stream_on() == 0);
        writer.write(2, 6);
        v4l2_buffer got{};
        REQUIRE(reader.client.dequeue(got) == 0);
        CHECK(painted(reader.memory(2, 0)) == number_of(6, 0));
        const int fd = reader.client.export_fd(2, 1);
        CHECK(inode(fd) == inode(writer.foreign->fds()[5]));
        ::close(fd);
        CHECK(loop.stats().copies == 1);
        CHECK(loop.stats().copied_bytes == reader.client.length(0));
    }

    TEST_CASE("CREATE_BUFS: private memory in each plane, filled by a copy") {
        const PlanarLoop loop(V4L2_PIX_FMT_YUV444M);
        Writer writer(loop, V4L2_MEMORY_MMAP);
        Client reader(loop.node());
        REQUIRE(reader.create_bufs(planar_capture, V4L2_MEMORY_MMAP, 2) == 0);
        CHECK(reader.planes() == 3);
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        for (unsigned frame = 1; frame <= frames; ++frame) {
            writer.write(frame % slots, frame);
            v4l2_buffer got{};
            REQUIRE(reader.dequeue(got) == 0);
            for (unsigned plane = 0; plane < 3; ++plane)
                CHECK(painted(reader.map(got.index, plane).first(reader.length(plane) / 4)) ==
                      number_of(frame, plane));
            REQUIRE(reader.queue(got.index) == 0);
            writer.take_back();
        }
        CHECK(loop.stats().copies == frames);
        CHECK(loop.stats().copied_bytes == frames * std::uint64_t(loop.bytes()));
    }
}

TEST_SUITE("multi-planar payload") {
    TEST_CASE("bytesused and data_offset of each plane come through") {
        for (const v4l2_memory from : {V4L2_MEMORY_MMAP, V4L2_MEMORY_DMABUF, V4L2_MEMORY_USERPTR}) {
            CAPTURE(from);
            const PlanarLoop loop(V4L2_PIX_FMT_YUV444M);
            Writer writer(loop, from);
            Reader mapped(loop, V4L2_MEMORY_MMAP);
            Reader own(loop, V4L2_MEMORY_USERPTR);
            const Client reading(loop.node());
            CHECK(reading.poll(POLLIN, 0) == 0);
            for (unsigned plane = 0; plane < 3; ++plane)
                paint(writer.memory(1, plane), plane);
            PlanarBuffer sent = writer.client.filled_in(1);
            std::size_t rest = 0;
            for (unsigned plane = 0; plane < 3; ++plane) {
                sent.planes[plane].data_offset = 64 * plane;
                sent.planes[plane].bytesused = 4000 + 4 * plane;
                rest += 4000 + 4 * plane - 64 * plane;
            }
            REQUIRE(writer.client.ioctl(VIDIOC_QBUF, sent.connect()) == 0);
            for (Reader* reader : {&mapped, &own}) {
                PlanarBuffer got;
                REQUIRE(reader->client.dequeue(got) == 0);
                for (unsigned plane = 0; plane < 3; ++plane) {
                    CHECK(got.planes[plane].data_offset == 64 * plane);
                    CHECK(got.planes[plane].bytesused == 4000 + 4 * plane);
                    CHECK(painted(reader->memory(got.buffer.index, plane).first(1000 + plane)) == plane);
                }
            }
            // read() cannot say where the pixels begin: it begins there.
            std::vector<std::uint32_t> all(loop.bytes() / 4);
            REQUIRE(::read(reading.fd(), all.data(), loop.bytes()) == static_cast<ssize_t>(rest));
            CHECK(std::equal(all.begin(), all.begin() + 1000, writer.memory(1, 0).begin()));
            CHECK(std::equal(all.begin() + 1000, all.begin() + 1000 + 1001 - 16,
                             writer.memory(1, 1).begin() + 16));
        }
    }

    TEST_CASE("both planes in one dma-buf: who has no room for what is before a plane gets it without") {
        const PlanarLoop loop(V4L2_PIX_FMT_NV12M);
        Client writer(loop.node());
        REQUIRE(writer.reqbufs(planar_output, V4L2_MEMORY_DMABUF, 4) == 0);
        ForeignBuffers foreign(2, 2 * writer.length());
        REQUIRE(writer.stream_on() == 0);
        Reader exporting(loop, V4L2_MEMORY_MMAP, false);
        Reader mapped(loop, V4L2_MEMORY_MMAP);
        Reader own(loop, V4L2_MEMORY_USERPTR);
        const std::uint32_t luma = writer.length(0);
        const std::uint32_t chroma = writer.length(1);
        for (unsigned frame = 1; frame <= 2; ++frame) {
            const unsigned picked = frame - 1;
            const auto memory = foreign.map(picked);
            paint(memory.first(luma / 4), number_of(frame, 0));
            paint(memory.subspan(luma / 4, chroma / 4), number_of(frame, 1));
            writer.use({foreign.fds()[picked], foreign.fds()[picked]});
            PlanarBuffer sent = writer.filled_in(0);
            sent.planes[0].length = sent.planes[1].length = 2 * luma;
            sent.planes[1].data_offset = luma;
            // A writer may leave it to the kernel, and means all that there is.
            sent.planes[1].bytesused = frame == 1 ? luma + chroma : 0;
            sent.buffer.timestamp.tv_usec = frame * 1000;
            REQUIRE(writer.ioctl(VIDIOC_QBUF, sent.connect()) == 0);
            for (Reader* reader : {&mapped, &own})
                reader->take_and_check(frame);
            PlanarBuffer got = exporting.take(frame);
            const int fd = exporting.client.export_fd(got.buffer.index, 0);
            CHECK(inode(fd) == inode(foreign.fds()[picked]));
            ::close(fd);
            CHECK(painted(exporting.memory(got.buffer.index, 1)) == number_of(frame, 1));
            REQUIRE(exporting.client.queue(got.buffer.index) == 0);
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
        }
        // More than is there, in the plane that is not the first.
        PlanarBuffer sent = writer.filled_in(0);
        sent.planes[0].length = 2 * luma;
        sent.planes[1].length = sent.planes[1].bytesused = 0x7fffffff;
        CHECK(writer.ioctl(VIDIOC_QBUF, sent.connect()) == EFAULT);
    }
}

TEST_SUITE("multi-planar life") {
    TEST_CASE("a writer that is killed gives everything back, and the next one goes on") {
        const PlanarLoop loop(V4L2_PIX_FMT_YUV444M);
        Reader reader(loop, V4L2_MEMORY_MMAP, false);
        for (unsigned round = 1; round <= 3; ++round) {
            Process child([&] {
                Writer writer(loop, V4L2_MEMORY_DMABUF);
                for (unsigned index = 0; index < slots; ++index)
                    writer.write(index, round);
                ::pause();
            });
            const PlanarBuffer got = reader.take(round);
            const int fd = reader.client.export_fd(got.buffer.index, 2);
            REQUIRE(fd >= 0);
            REQUIRE(child.kill());
            // His frame is still there to look at.
            const auto pixels = map_dmabuf(fd, reader.client.length(2));
            CHECK(painted(pixels) == number_of(round, 2));
            ::munmap(pixels.data(), pixels.size_bytes());
            ::close(fd);
            REQUIRE(reader.client.queue(got.buffer.index) == 0);
            CHECK(loop.info().writer_memory == V4L2DMA_WRITER_NONE);
        }
        CHECK(loop.stats().orphaned == 3);
    }

    TEST_CASE("a reader that still looks at a frame keeps its pages in every plane") {
        const PlanarLoop loop(V4L2_PIX_FMT_NV12M);
        Reader reader(loop, V4L2_MEMORY_MMAP);
        unsigned index = 0;
        {
            Writer writer(loop, V4L2_MEMORY_MMAP);
            writer.write(1, 1);
            index = reader.take(1).buffer.index;
        }
        Writer writer(loop, V4L2_MEMORY_MMAP);
        for (unsigned plane = 0; plane < 2; ++plane)
            paint(writer.memory(1, plane), 99);
        reader.check_pixels(index, 1);
    }

    // Needs a camera with the multi-planar API: tests/vm/cases/10-loop.sh loads one.
    TEST_CASE("a multi-planar camera's dma-bufs pass uncopied" * doctest::skip()) {
        Client camera(exporter_node());
        v4l2_pix_format_mplane pix = camera.planar_format(planar_capture);
        pix.pixelformat = V4L2_PIX_FMT_NV12M;
        REQUIRE(camera.set_format(pix, planar_capture) == 0);
        REQUIRE(pix.num_planes == 2);
        const PlanarLoop loop(V4L2_PIX_FMT_NV12M);
        Client writer(loop.node());
        v4l2_pix_format_mplane ours = pix;
        REQUIRE(writer.set_format(ours) == 0);
        for (unsigned plane = 0; plane < 2; ++plane) {
            CHECK(stride_of(ours, plane) == stride_of(pix, plane));
            CHECK(size_of(ours, plane) == size_of(pix, plane));
        }
        start_reading(camera, slots, planar_capture);
        std::vector<int> fds;
        for (unsigned index = 0; index < slots; ++index)
            for (unsigned plane = 0; plane < 2; ++plane)
                fds.push_back(camera.export_fd(index, plane));
        REQUIRE(writer.reqbufs(planar_output, V4L2_MEMORY_DMABUF, slots) == 0);
        writer.use(fds);
        REQUIRE(writer.stream_on() == 0);
        Client exporting(loop.node());
        start_reading(exporting, slots, planar_capture);
        for (unsigned frame = 0; frame < 20; ++frame) {
            v4l2_buffer filled{};
            REQUIRE(camera.dequeue(filled) == 0);
            REQUIRE(writer.queue(filled.index) == 0);
            v4l2_buffer got{};
            REQUIRE(exporting.dequeue(got) == 0);
            CHECK(got.index == filled.index);
            for (unsigned plane = 0; plane < 2; ++plane) {
                const int fd = exporting.export_fd(got.index, plane);
                CHECK(inode(fd) == inode(fds[got.index * 2 + plane]));
                ::close(fd);
            }
            REQUIRE(exporting.queue(got.index) == 0);
            REQUIRE(writer.dequeue(got) == 0);
            REQUIRE(camera.queue(filled.index) == 0);
        }
        CHECK(loop.stats().copies == 0);
        // Now for somebody who maps: the same pixels, in another memory.
        Client mapped(loop.node());
        REQUIRE(mapped.reqbufs(planar_capture, V4L2_MEMORY_MMAP, slots) == 0);
        for (unsigned index = 0; index < slots; ++index)
            for (unsigned plane = 0; plane < 2; ++plane)
                (void)mapped.map(index, plane);
        REQUIRE(mapped.queue_all() == 0);
        REQUIRE(mapped.stream_on() == 0);
        v4l2_buffer filled{};
        REQUIRE(camera.dequeue(filled) == 0);
        REQUIRE(writer.queue(filled.index) == 0);
        v4l2_buffer got{};
        REQUIRE(mapped.dequeue(got) == 0);
        for (unsigned plane = 0; plane < 2; ++plane) {
            const auto sent = camera.map(filled.index, plane).first(camera.length(plane) / 4);
            CHECK(std::ranges::equal(mapped.map(got.index, plane).first(sent.size()), sent));
        }
        CHECK(loop.stats().copies == 1);
        for (const int fd : fds)
            ::close(fd);
    }
}
