// SPDX-License-Identifier: MIT
// "Which frames are copied": each row of the contract's table, with the counters and every pixel.
#include "client.h"
#include "control.h"

#include <cstring>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr unsigned frames = 12;

/// A writer whose frames lie in memory that this test paints.
struct Writer {
    explicit Writer(v4l2_memory memory) : client(loop_node()) {
        REQUIRE(client.reqbufs(output, memory, 4) == 0);
        if (memory == V4L2_MEMORY_DMABUF) {
            foreign.emplace(client.count(), client.length());
            client.use(foreign->fds());
        }
        REQUIRE(client.stream_on() == 0);
    }
    std::span<std::uint32_t> memory(unsigned index) {
        return foreign ? foreign->map(index) : client.map(index).first(client.length() / 4);
    }
    void write(unsigned index, std::uint32_t number) {
        paint(memory(index), number);
        REQUIRE(client.queue(index, 0, number * 1000) == 0);
    }
    void take_back(unsigned index) {
        v4l2_buffer buffer{};
        REQUIRE(client.dequeue(buffer) == 0);
        CHECK(buffer.index == index);
    }
    Client client;
    std::optional<ForeignBuffers> foreign;
};

struct Reader {
    explicit Reader(v4l2_memory memory, bool map_before = true) : client(loop_node()) {
        REQUIRE(client.reqbufs(capture, memory, 4) == 0);
        if (memory == V4L2_MEMORY_DMABUF) {
            own.emplace(client.count(), client.length());
            client.use(own->fds());
        } else if (map_before) {
            for (unsigned index = 0; index < client.count(); ++index)
                (void)client.map(index);
        }
        REQUIRE(client.queue_all() == 0);
        REQUIRE(client.stream_on() == 0);
    }
    v4l2_buffer take(std::uint32_t number) {
        v4l2_buffer buffer{};
        REQUIRE(client.dequeue(buffer) == 0);
        CHECK(buffer.bytesused == client.length());
        CHECK(buffer.timestamp.tv_usec == number * 1000);
        return buffer;
    }
    void check_pixels(unsigned index, std::uint32_t number) {
        CHECK(painted(own ? own->map(index) : client.map(index).first(client.length() / 4)) == number);
    }
    Client client;
    std::optional<ForeignBuffers> own;
};

/// Sends frames through and returns the copies that the loop counted.
std::uint64_t copies_from_to(v4l2_memory from, v4l2_memory to) {
    Writer writer(from);
    Reader reader(to);
    const Counting counting;
    for (unsigned number = 1; number <= frames; ++number) {
        const unsigned slot = number % writer.client.count();
        writer.write(slot, number);
        const v4l2_buffer buffer = reader.take(number);
        reader.check_pixels(buffer.index, number);
        REQUIRE(reader.client.queue(buffer.index) == 0);
        writer.take_back(slot);
    }
    CHECK(counting.frames() == frames);
    CHECK(counting.delivered() == frames);
    CHECK(counting.dropped() == 0);
    CHECK(counting.copied_bytes() == counting.copies() * writer.client.length());
    return counting.copies();
}

void write_frame(const Client& client, std::uint32_t number) {
    std::vector<std::uint32_t> frame(client.format(output).sizeimage / 4);
    paint(frame, number);
    REQUIRE(::write(client.fd(), frame.data(), frame.size() * 4) == std::ssize(frame) * 4);
}

void check_read_frame(const Client& client, std::uint32_t number) {
    std::vector<std::uint32_t> frame(client.format(capture).sizeimage / 4);
    REQUIRE(::read(client.fd(), frame.data(), frame.size() * 4) == std::ssize(frame) * 4);
    CHECK(painted(frame) == number);
}

/// Copies of frames that come by write().
std::uint64_t copies_by_write_to(v4l2_memory to) {
    const Client writer(loop_node());
    Reader reader(to);
    const Counting counting;
    for (unsigned number = 1; number <= frames; ++number) {
        write_frame(writer, number);
        v4l2_buffer buffer{};
        REQUIRE(reader.client.dequeue(buffer) == 0);
        reader.check_pixels(buffer.index, number);
        REQUIRE(reader.client.queue(buffer.index) == 0);
    }
    CHECK(counting.copied_bytes() == counting.copies() * reader.client.length());
    return counting.copies();
}

/// Copies of frames that go by read().
std::uint64_t copies_by_read_from(v4l2_memory from) {
    Writer writer(from);
    const Client reader(loop_node());
    CHECK(reader.poll(POLLIN, 0) == 0); // makes it a reader
    const Counting counting;
    for (unsigned number = 1; number <= frames; ++number) {
        const unsigned slot = number % writer.client.count();
        writer.write(slot, number);
        check_read_frame(reader, number);
        writer.take_back(slot);
    }
    CHECK(counting.copied_bytes() == counting.copies() * writer.client.length());
    return counting.copies();
}

/// A place in the address space with other memory each time.
class RemappedMemory {
public:
    explicit RemappedMemory(std::size_t bytes) : bytes_(bytes) { map(nullptr, 0); }
    ~RemappedMemory() { ::munmap(place_, bytes_); }
    RemappedMemory(const RemappedMemory&) = delete;
    RemappedMemory& operator=(const RemappedMemory&) = delete;

    std::span<std::uint32_t> renew() {
        map(place_, MAP_FIXED);
        return words();
    }
    [[nodiscard]] std::span<std::uint32_t> words() const {
        return {static_cast<std::uint32_t*>(place_), bytes_ / sizeof(std::uint32_t)};
    }

private:
    void map(void* place, int flags) {
        place_ = ::mmap(place, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
        REQUIRE(place_ != MAP_FAILED);
    }

    void* place_ = nullptr;
    std::size_t bytes_;
};

/// QBUF of buffer 0.
int queue_memory(const Client& client, v4l2_buf_type type, const RemappedMemory& memory,
                 std::uint32_t length = 0) {
    v4l2_buffer buffer{};
    buffer.type = type;
    buffer.memory = V4L2_MEMORY_USERPTR;
    buffer.length = length != 0 ? length : client.length();
    buffer.bytesused = client.length();
    buffer.field = V4L2_FIELD_NONE;
    buffer.m.userptr = reinterpret_cast<unsigned long>(memory.words().data());
    return client.ioctl(VIDIOC_QBUF, &buffer);
}

} // namespace

TEST_SUITE("copy table") {
    TEST_CASE("pool memory reaches a mapped reader without a copy") {
        CHECK(copies_from_to(V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP) == 0);
    }
    TEST_CASE("pool memory is copied once into a reader's own memory") {
        CHECK(copies_from_to(V4L2_MEMORY_MMAP, V4L2_MEMORY_USERPTR) == frames);
    }
    TEST_CASE("an imported frame is copied once for a reader that mapped before") {
        CHECK(copies_from_to(V4L2_MEMORY_DMABUF, V4L2_MEMORY_MMAP) == frames);
    }
    TEST_CASE("an imported frame is copied once into a reader's own memory") {
        CHECK(copies_from_to(V4L2_MEMORY_DMABUF, V4L2_MEMORY_USERPTR) == frames);
    }
    TEST_CASE("a frame of user memory is copied once") {
        CHECK(copies_from_to(V4L2_MEMORY_USERPTR, V4L2_MEMORY_MMAP) == frames);
        CHECK(copies_from_to(V4L2_MEMORY_USERPTR, V4L2_MEMORY_USERPTR) == frames);
    }
    // GStreamer maps each frame anew, often at the same address.
    TEST_CASE("a pointer is what lies behind it when it is queued") {
        Client writer(loop_node());
        Client reader(loop_node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_USERPTR, 4) == 0);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_USERPTR, 4) == 0);
        REQUIRE(writer.stream_on() == 0);
        REQUIRE(reader.stream_on() == 0);
        RemappedMemory sent(writer.length());
        RemappedMemory received(reader.length());
        for (unsigned number = 1; number <= 3; ++number) {
            paint(sent.renew(), number);
            received.renew();
            REQUIRE(queue_memory(reader, capture, received) == 0);
            REQUIRE(queue_memory(writer, output, sent) == 0);
            v4l2_buffer buffer{};
            REQUIRE(reader.dequeue(buffer) == 0);
            CHECK(painted(received.words()) == number);
            REQUIRE(writer.dequeue(buffer) == 0);
        }
    }

    // What is pinned and mapped for it would be memory that nobody pays for.
    TEST_CASE("no pointer is taken to far more than a frame") {
        constexpr std::uint32_t far_more = 64U << 20;
        const RemappedMemory memory(far_more);
        for (const v4l2_buf_type type : {output, capture}) {
            Client client(loop_node());
            REQUIRE(client.reqbufs(type, V4L2_MEMORY_USERPTR, 4) == 0);
            CHECK(queue_memory(client, type, memory, far_more) == EINVAL);
            CHECK(queue_memory(client, type, memory, client.length() + (1U << 20)) == 0);
        }
    }

    TEST_CASE("write() is one copy, and a reader's own memory another") {
        CHECK(copies_by_write_to(V4L2_MEMORY_MMAP) == frames);
        CHECK(copies_by_write_to(V4L2_MEMORY_USERPTR) == 2 * frames);
        CHECK(copies_by_write_to(V4L2_MEMORY_DMABUF) == 2 * frames);
    }
    TEST_CASE("read() is one copy, wherever the frame lies") {
        CHECK(copies_by_read_from(V4L2_MEMORY_MMAP) == frames);
        CHECK(copies_by_read_from(V4L2_MEMORY_DMABUF) == frames);
        CHECK(copies_by_read_from(V4L2_MEMORY_USERPTR) == frames);
    }
    TEST_CASE("write() to read() is two copies") {
        const Client writer(loop_node());
        const Client reader(loop_node());
        CHECK(reader.poll(POLLIN, 0) == 0);
        const Counting counting;
        for (unsigned number = 1; number <= frames; ++number) {
            write_frame(writer, number);
            check_read_frame(reader, number);
        }
        CHECK(counting.copies() == 2 * frames);
    }

    TEST_CASE("a frame of user memory is copied once into a reader's dma-bufs") {
        CHECK(copies_from_to(V4L2_MEMORY_USERPTR, V4L2_MEMORY_DMABUF) == frames);
    }

    TEST_CASE("a reader that brings dma-bufs gets one copy in them") {
        CHECK(copies_from_to(V4L2_MEMORY_MMAP, V4L2_MEMORY_DMABUF) == frames);
    }

    TEST_CASE("both ends of pool memory are one dma-buf") {
        Writer writer(V4L2_MEMORY_MMAP);
        Reader reader(V4L2_MEMORY_MMAP);
        for (unsigned index = 0; index < writer.client.count(); ++index) {
            const int ours = writer.client.export_fd(index);
            const int theirs = reader.client.export_fd(index);
            CHECK(inode(ours) == inode(theirs));
            ::close(ours);
            ::close(theirs);
        }
    }

    TEST_CASE("a part of pool memory is mapped where it is in the whole, and nothing beyond its end") {
        Writer writer(V4L2_MEMORY_MMAP);
        const auto whole = writer.memory(0);
        paint(whole, 5);
        const int fd = writer.client.export_fd(0);
        REQUIRE(fd >= 0);
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const auto map = [&](std::size_t first, std::size_t pages) {
            return ::mmap(nullptr, pages * page, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(first * page));
        };
        void* part = map(3, 2);
        REQUIRE(part != MAP_FAILED);
        CHECK(std::memcmp(part, whole.data() + 3 * page / 4, 2 * page) == 0);
        ::munmap(part, 2 * page);
        const std::size_t pages = (writer.client.length() + page - 1) / page;
        CHECK(map(pages - 1, 2) == MAP_FAILED);
        CHECK(map(pages, 1) == MAP_FAILED);
        ::close(fd);
    }

    TEST_CASE("an imported frame comes out as the writer's own dma-buf, uncopied") {
        Writer writer(V4L2_MEMORY_DMABUF);
        Reader reader(V4L2_MEMORY_MMAP, false);
        const Counting counting;
        for (unsigned number = 1; number <= frames; ++number) {
            const unsigned slot = number % writer.client.count();
            writer.write(slot, number);
            const v4l2_buffer buffer = reader.take(number);
            const int fd = reader.client.export_fd(buffer.index);
            REQUIRE(fd >= 0);
            CHECK(inode(fd) == inode(writer.foreign->fds()[slot]));
            const auto pixels = map_dmabuf(fd, reader.client.length());
            CHECK(painted(pixels) == number);
            ::munmap(pixels.data(), pixels.size_bytes());
            ::close(fd);
            REQUIRE(reader.client.queue(buffer.index) == 0);
            writer.take_back(slot);
        }
        CHECK(counting.copies() == 0);
        CHECK(counting.delivered() == frames);
    }

    TEST_CASE("a writer that leaves bytesused to the kernel sends the frame, not its last page's rest") {
        Client writer(loop_node());
        v4l2_pix_format pix = writer.format(output);
        const v4l2_pix_format usual = pix;
        pix.width = 642; // no multiple of a page
        pix.height = 362;
        pix.bytesperline = pix.sizeimage = 0;
        REQUIRE(writer.set_format(pix) == 0);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, 4) == 0);
        ForeignBuffers foreign(writer.count(), writer.length());
        REQUIRE(writer.stream_on() == 0);
        const auto pages = (writer.length() + 4095) / 4096 * 4096;
        for (const auto& [memory, length] :
             {std::pair(V4L2_MEMORY_MMAP, pages), std::pair(V4L2_MEMORY_MMAP, 0U),
              std::pair(V4L2_MEMORY_USERPTR, pages)}) {
            Client reader(loop_node());
            REQUIRE(reader.reqbufs(capture, memory, 4) == 0);
            REQUIRE(reader.queue_all() == 0);
            REQUIRE(reader.stream_on() == 0);
            v4l2_buffer buffer{};
            buffer.type = output;
            buffer.memory = V4L2_MEMORY_DMABUF;
            buffer.m.fd = foreign.fds()[0];
            buffer.length = length;
            REQUIRE(writer.ioctl(VIDIOC_QBUF, &buffer) == 0);
            REQUIRE(reader.dequeue(buffer) == 0);
            CHECK(buffer.bytesused == pix.sizeimage);
            CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
            REQUIRE(reader.queue(buffer.index) == 0);
            REQUIRE(writer.dequeue(buffer) == 0);
        }
        writer.close();
        pix = usual;
        REQUIRE(Client(loop_node()).set_format(pix) == 0);
    }

    TEST_CASE("EXPBUF before the stream asks for copies") {
        Writer writer(V4L2_MEMORY_DMABUF);
        Client reader(loop_node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        std::vector<int> fds;
        for (unsigned index = 0; index < reader.count(); ++index)
            fds.push_back(reader.export_fd(index));
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        const Counting counting;
        writer.write(2, 7);
        v4l2_buffer buffer{};
        REQUIRE(reader.dequeue(buffer) == 0);
        const auto pixels = map_dmabuf(fds[buffer.index], reader.length());
        CHECK(painted(pixels) == 7);
        ::munmap(pixels.data(), pixels.size_bytes());
        CHECK(counting.copies() == 1);
        for (const int fd : fds)
            ::close(fd);
    }

    TEST_CASE("readers that need a copy share it") {
        Writer writer(V4L2_MEMORY_DMABUF);
        Reader one(V4L2_MEMORY_MMAP);
        Reader two(V4L2_MEMORY_MMAP);
        Reader three(V4L2_MEMORY_MMAP);
        const Counting counting;
        for (unsigned number = 1; number <= frames; ++number) {
            const unsigned slot = number % writer.client.count();
            writer.write(slot, number);
            for (Reader* reader : {&one, &two, &three}) {
                const v4l2_buffer buffer = reader->take(number);
                reader->check_pixels(buffer.index, number);
                REQUIRE(reader->client.queue(buffer.index) == 0);
            }
            writer.take_back(slot);
        }
        CHECK(counting.delivered() == 3 * frames);
        CHECK(counting.copies() == frames);
    }

    TEST_CASE("a reader that maps a buffer which it holds finds the frame in it") {
        Writer writer(V4L2_MEMORY_DMABUF);
        Reader reader(V4L2_MEMORY_MMAP, false);
        const Counting counting;
        writer.write(1, 11);
        const v4l2_buffer buffer = reader.take(11);
        CHECK(counting.copies() == 0);
        reader.check_pixels(buffer.index, 11);
        CHECK(counting.copies() == 1);
        REQUIRE(reader.client.queue(buffer.index) == 0);
        writer.take_back(1);
        // Once mapped, always copied: the user looks there.
        writer.write(1, 12);
        reader.check_pixels(reader.take(12).index, 12);
        CHECK(counting.copies() == 2);
    }

    TEST_CASE("write() copies once, read() once more") {
        Client writer(loop_node());
        const std::uint32_t bytes = writer.format(output).sizeimage;
        std::vector<std::uint32_t> frame(bytes / 4);
        REQUIRE(::write(writer.fd(), frame.data(), bytes) == static_cast<ssize_t>(bytes));
        Reader mapped(V4L2_MEMORY_MMAP);
        Client reading(loop_node(), 0);
        // Waiting for input makes it a reader: what is written now is for it.
        CHECK(reading.poll(POLLIN, 0) == 0);
        const Counting counting;
        for (std::uint32_t number = 1; number <= frames; ++number) {
            paint(frame, number);
            REQUIRE(::write(writer.fd(), frame.data(), bytes) == static_cast<ssize_t>(bytes));
            v4l2_buffer buffer{};
            REQUIRE(mapped.client.dequeue(buffer) == 0);
            CHECK(buffer.timestamp.tv_sec + buffer.timestamp.tv_usec > 0);
            mapped.check_pixels(buffer.index, number);
            REQUIRE(mapped.client.queue(buffer.index) == 0);
            std::memset(frame.data(), 0, bytes);
            REQUIRE(::read(reading.fd(), frame.data(), bytes) == static_cast<ssize_t>(bytes));
            CHECK(painted(frame) == number);
        }
        CHECK(counting.copies() == 2 * frames);
    }
}
