// SPDX-License-Identifier: MIT
// What readers see while the writer is away or silent: the loop's own picture, and repeated frames.
#include "client.h"
#include "control.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <set>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr unsigned slots = 4;
constexpr unsigned own_slots = 2;

v4l2dma_loop_config with_timeout(std::uint32_t milliseconds = 50) {
    v4l2dma_loop_config config = any_loop();
    config.timeout_ms = milliseconds;
    return config;
}

void set_interval(const Client& client, v4l2_fract interval) {
    v4l2_streamparm parameters{};
    parameters.type = output;
    parameters.parm.output.timeperframe = interval;
    REQUIRE(client.ioctl(VIDIOC_S_PARM, &parameters) == 0);
}

/// Without a writer: the format and the frame rate that readers find.
void set_up(const std::string& node, std::uint32_t fourcc, std::uint32_t width, std::uint32_t height) {
    const Client client(node);
    v4l2_pix_format pix = wish(fourcc, width, height);
    REQUIRE(client.set_format(pix) == 0);
    REQUIRE(pix.pixelformat == fourcc);
    REQUIRE(pix.width == width);
    REQUIRE(pix.height == height);
    set_interval(client, {1, 200});
}

/// A loop with a timeout and that set up.
class SilentLoop : public AddedLoop {
public:
    explicit SilentLoop(std::uint32_t fourcc, std::uint32_t width = 64, std::uint32_t height = 48,
                        const v4l2dma_loop_config& config = with_timeout())
        : AddedLoop(config) {
        set_up(node(), fourcc, width, height);
    }
};

std::int64_t microseconds(const v4l2_buffer& buffer) {
    return std::int64_t{buffer.timestamp.tv_sec} * 1'000'000 + buffer.timestamp.tv_usec;
}

/// The next frame, of whatever kind.
v4l2_buffer next(const Client& reader) {
    v4l2_buffer buffer{};
    REQUIRE(reader.dequeue(buffer) == 0);
    return buffer;
}

/// The next frame that is the loop's own; all others are given back at once.
v4l2_buffer next_placeholder(Client& reader) {
    while (true) {
        const v4l2_buffer buffer = next(reader);
        if (is_placeholder(buffer))
            return buffer;
        REQUIRE(reader.queue(buffer.index) == 0);
    }
}

/// The next frame that is the writer's; all others are given back at once.
v4l2_buffer next_written(Client& reader) {
    while (true) {
        const v4l2_buffer buffer = next(reader);
        if (!is_placeholder(buffer))
            return buffer;
        REQUIRE(reader.queue(buffer.index) == 0);
    }
}

std::vector<std::uint8_t> bytes_of(std::span<const std::uint32_t> words) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(words.data());
    return {start, start + words.size_bytes()};
}

bool has_signal(const Client& client) {
    v4l2_input input{};
    REQUIRE(client.ioctl(VIDIOC_ENUMINPUT, &input) == 0);
    return (input.status & V4L2_IN_ST_NO_SIGNAL) == 0;
}

void write_frame(Client& writer, unsigned index, std::uint32_t number) {
    paint(writer.map(index), number);
    REQUIRE(writer.queue(index) == 0);
}

/// One frame by read().
std::vector<std::uint8_t> read_frame(const std::string& node) {
    const Client reader(node);
    std::vector<std::uint8_t> frame(reader.format(capture).sizeimage);
    REQUIRE(::read(reader.fd(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
    return frame;
}

std::vector<std::uint8_t> line_of(const std::vector<std::uint8_t>& frame, std::size_t stride,
                                  std::size_t line) {
    const auto start = frame.begin() + static_cast<std::ptrdiff_t>(line * stride);
    return {start, start + static_cast<std::ptrdiff_t>(stride)};
}

} // namespace

TEST_SUITE("no signal") {
    TEST_CASE("readers get a picture, with moving timestamps, and without a copy") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 320, 240);
        Client reader(loop.node());
        start_reading(reader, slots);
        CHECK(reader.count() == slots + own_slots);
        CHECK_FALSE(has_signal(reader));
        std::int64_t last = 0;
        for (std::uint32_t number = 0; number < 50; ++number) {
            const v4l2_buffer buffer = next(reader);
            CHECK(is_placeholder(buffer));
            CHECK(buffer.sequence == number);
            CHECK(buffer.bytesused == 320 * 240 * 2);
            CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
            CHECK(microseconds(buffer) > last);
            last = microseconds(buffer);
            // Colour bars begin with white: Y is high and there is no chroma.
            CHECK((reader.map(buffer.index)[0] & 0xffU) > 200);
            REQUIRE(reader.queue(buffer.index) == 0);
        }
        CHECK(loop.stats().placeholders >= 50);
        CHECK(loop.stats().copies == 0);
        CHECK(loop.stats().frames == 0);
        CHECK(loop.stats().dropped == 0);
    }

    TEST_CASE("two readers are shown the same memory") {
        const SilentLoop loop(V4L2_PIX_FMT_GREY);
        Client first(loop.node());
        Client second(loop.node());
        start_reading(first, slots);
        start_reading(second, slots);
        std::set<ino_t> seen;
        for (unsigned number = 0; number < 20; ++number)
            for (Client* reader : {&first, &second}) {
                const v4l2_buffer buffer = next(*reader);
                const int fd = reader->export_fd(buffer.index);
                REQUIRE(fd >= 0);
                seen.insert(inode(fd));
                ::close(fd);
                REQUIRE(reader->queue(buffer.index) == 0);
            }
        CHECK(seen.size() == 1);
        CHECK(loop.stats().copies == 0);
    }

    TEST_CASE("a reader that keeps all it gets keeps nothing from others") {
        const SilentLoop loop(V4L2_PIX_FMT_GREY);
        Client hung(loop.node());
        Client reader(loop.node());
        start_reading(hung, slots);
        for (unsigned number = 0; number < own_slots; ++number)
            next_placeholder(hung);
        start_reading(reader, slots);
        for (std::uint32_t number = 0; number < 10; ++number) {
            const v4l2_buffer buffer = next(reader);
            CHECK(is_placeholder(buffer));
            CHECK(buffer.sequence == number);
            REQUIRE(reader.queue(buffer.index) == 0);
        }
        // Also if it takes none at all.
        Client idle(loop.node());
        start_reading(idle, slots);
        for (unsigned number = 0; number < 10; ++number)
            REQUIRE(reader.queue(next(reader).index) == 0);
        CHECK(loop.stats().copies == 0);
        CHECK(loop.stats().dropped == 0);
    }

    TEST_CASE("every format has bars and words") {
        const AddedLoop loop(with_timeout(1));
        const Client lister(loop.node());
        unsigned drawn = 0;
        std::string plain;
        for (unsigned index = 0;; ++index) {
            v4l2_fmtdesc entry{};
            entry.index = index;
            entry.type = output;
            if (lister.ioctl(VIDIOC_ENUM_FMT, &entry) != 0)
                break;
            if ((entry.flags & V4L2_FMT_FLAG_COMPRESSED) != 0)
                continue;
            CAPTURE(entry.description);
            set_up(loop.node(), entry.pixelformat, 320, 240);
            const std::size_t stride = lister.format(output).bytesperline;
            const std::vector<std::uint8_t> frame = read_frame(loop.node());
            const std::vector<std::uint8_t> top = line_of(frame, stride, 0);
            if (std::ranges::count(top, top[0]) == static_cast<std::ptrdiff_t>(top.size())) {
                const char* fourcc = reinterpret_cast<const char*>(&entry.pixelformat);
                plain += std::string(fourcc, 4) + ' ';
                continue;
            }
            // Lines come in twos in some formats. The first are bars, those in the middle have letters.
            CHECK(line_of(frame, stride, 2) == top);
            CHECK(line_of(frame, stride, 238) == top);
            CHECK(line_of(frame, stride, 120) != top);
            CHECK(line_of(frame, stride, 120) != line_of(frame, stride, 108));
            ++drawn;
        }
        MESSAGE(drawn, " formats are drawn, plain ones: ", plain);
        CHECK(drawn >= 100);
        CHECK(plain == "YUV9 YVU9 411P VT12 VT15 T010 Y10B ");
    }

    TEST_CASE("any size") {
        struct Row {
            std::uint32_t fourcc, width, height;
            bool words;
        };
        const AddedLoop loop(with_timeout(1));
        for (const Row row :
             {Row{V4L2_PIX_FMT_GREY, 16, 16, false}, Row{V4L2_PIX_FMT_GREY, 57, 16, true},
              Row{V4L2_PIX_FMT_RGB24, 39, 20, true}, Row{V4L2_PIX_FMT_RGB24, 641, 17, true},
              Row{V4L2_PIX_FMT_YUYV, 16, 16, false}, Row{V4L2_PIX_FMT_YUYV, 114, 22, true},
              Row{V4L2_PIX_FMT_YUV420, 78, 40, true}, Row{V4L2_PIX_FMT_NV12, 8192, 16, false},
              Row{V4L2_PIX_FMT_NV12, 16, 8192, false}, Row{V4L2_PIX_FMT_SRGGB10P, 640, 480, true},
              Row{V4L2_PIX_FMT_GREY, 8192, 4320, true}}) {
            CAPTURE(row.width);
            CAPTURE(row.height);
            set_up(loop.node(), row.fourcc, row.width, row.height);
            const std::size_t stride = Client(loop.node()).format(output).bytesperline;
            const std::vector<std::uint8_t> frame = read_frame(loop.node());
            bool words = false;
            for (std::uint32_t line = 0; line < row.height / 2 * 2; line += 2)
                words = words || line_of(frame, stride, line) != line_of(frame, stride, 0);
            CHECK(words == row.words);
        }
    }

    TEST_CASE("a padded line stays as long as it is") {
        const AddedLoop loop(with_timeout(1));
        v4l2_pix_format pix{};
        pix.pixelformat = V4L2_PIX_FMT_NV12;
        pix.width = 320;
        pix.height = 240;
        pix.bytesperline = 384;
        pix.sizeimage = 384 * 240 * 2;
        REQUIRE(Client(loop.node()).set_format(pix) == 0);
        REQUIRE(pix.bytesperline == 384);
        const std::vector<std::uint8_t> frame = read_frame(loop.node());
        CHECK(line_of(frame, 384, 0) == line_of(frame, 384, 239));
        CHECK(frame[319] != 0x80);
        CHECK(frame[320] == 0);             // padding
        CHECK(frame[384 * 240] == 0x80);    // white has no chroma
        CHECK(frame[384 * 360] == 0);       // behind the frame
        CHECK(frame[384 * 240 + 320] == 0); // padding
    }

    TEST_CASE("the picture gives way to a writer, and comes back") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client reader(loop.node());
        start_reading(reader, slots);
        const v4l2_buffer held = next_placeholder(reader);
        const std::vector<std::uint8_t> picture = bytes_of(reader.map(held.index));
        std::uint32_t sequence = held.sequence + 1;
        for (std::uint32_t round = 0; round < 3; ++round) {
            Client writer(loop.node());
            start_writing(writer);
            for (unsigned index = 0; index < slots; ++index) {
                write_frame(writer, index, round * slots + index);
                const v4l2_buffer got = next_written(reader);
                CHECK(painted(reader.map(got.index)) == round * slots + index);
                CHECK(got.sequence >= sequence);
                sequence = got.sequence + 1;
                REQUIRE(reader.queue(got.index) == 0);
            }
            REQUIRE(writer.stream_off() == 0);
            writer.close();
            const v4l2_buffer again = next(reader);
            CHECK(is_placeholder(again));
            CHECK(again.sequence == sequence);
            sequence = again.sequence + 1;
            CHECK(bytes_of(reader.map(again.index)) == picture);
            REQUIRE(reader.queue(again.index) == 0);
        }
        // Nobody wrote into what the reader had all the time.
        CHECK(bytes_of(reader.map(held.index)) == picture);
        CHECK(loop.stats().copies == 0);
        CHECK(loop.stats().frames == 3 * slots);
        CHECK(loop.stats().dropped == 0);
        CHECK(loop.stats().orphaned == 0);
    }

    TEST_CASE("a writer that hangs is no signal, and its next frame is one") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client reader(loop.node());
        Client writer(loop.node());
        start_reading(reader, slots);
        start_writing(writer);
        std::uint32_t sequence = 0;
        for (std::uint32_t number = 0; number < slots; ++number) {
            write_frame(writer, number, number);
            const v4l2_buffer got = next_written(reader);
            CHECK(painted(reader.map(got.index)) == number);
            REQUIRE(reader.queue(got.index) == 0);
            const v4l2_buffer instead = next_placeholder(reader);
            CHECK_FALSE(has_signal(reader));
            CHECK(instead.sequence > sequence);
            sequence = instead.sequence;
            REQUIRE(reader.queue(instead.index) == 0);
            // The pictures are not frames of the writer's.
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
            CHECK(done.index == number);
            CHECK(done.sequence == number);
        }
        CHECK(loop.stats().copies == 0);
        CHECK(loop.stats().frames == slots);
    }

    TEST_CASE("readers with memory of their own get a copy of the picture") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, with_timeout(1));
        const std::vector<std::uint8_t> picture = read_frame(loop.node());
        CHECK(loop.stats().copies == 1);
        CHECK(loop.stats().copied_bytes == 64 * 48 * 2);
        Client reader(loop.node());
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_USERPTR, 4) == 0);
        REQUIRE(reader.queue_all() == 0);
        REQUIRE(reader.stream_on() == 0);
        for (unsigned number = 0; number < 10; ++number) {
            const v4l2_buffer got = next(reader);
            CHECK(is_placeholder(got));
            std::vector<std::uint8_t> frame = bytes_of(reader.map(got.index));
            frame.resize(picture.size());
            CHECK(frame == picture);
            REQUIRE(reader.queue(got.index) == 0);
        }
        CHECK(loop.stats().copies >= 11);
    }

    TEST_CASE("a timeout that is set while somebody reads") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, any_loop());
        Client mapped(loop.node());
        start_reading(mapped, slots);
        CHECK(mapped.count() == slots); // no buffers for the picture: it has to ask for buffers again
        const Client reader(loop.node());
        std::vector<std::uint8_t> frame(64 * 48 * 2);
        std::thread reads([&] {
            CHECK(::read(reader.fd(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
        });
        CHECK(loop.set(with_timeout(1), V4L2DMA_SET_TIMEOUT) == 0);
        CHECK(loop.info().config.timeout_ms == 1);
        reads.join();
        CHECK(frame[0] > 200);
        // A writer that uses more buffers than there are slots stays out of the picture's.
        Client writer(loop.node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, slots) == 0);
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 2) == 0);
        REQUIRE(writer.stream_on() == 0);
        for (unsigned index = 0; index < slots; ++index)
            write_frame(writer, index, index);
        CHECK(loop.set(any_loop(), V4L2DMA_SET_TIMEOUT) == 0);
        CHECK(loop.info().config.timeout_ms == 0);
    }

    TEST_CASE("a writer with more buffers than slots does not meet the picture") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client reader(loop.node());
        start_reading(reader, slots);
        const v4l2_buffer held = next_placeholder(reader);
        const std::vector<std::uint8_t> picture = bytes_of(reader.map(held.index));
        const Client copies(loop.node());
        Client writer(loop.node());
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, slots) == 0);
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        REQUIRE(writer.stream_on() == 0);
        std::vector<std::uint32_t> frame(64 * 48 / 2);
        for (unsigned index = 0; index < 2 * slots; ++index) {
            // read() takes any frame; the placeholder may come first, or between.
            short events = copies.poll(POLLIN, 0);
            CHECK((events & POLLERR) == 0);
            write_frame(writer, index, index);
            do
                REQUIRE(::read(copies.fd(), frame.data(), frame.size() * 4) ==
                        static_cast<ssize_t>(frame.size() * 4));
            while (painted(frame) != index);
        }
        CHECK(bytes_of(reader.map(held.index)) == picture);
    }

    TEST_CASE("a new format has a new picture") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client reader(loop.node());
        start_reading(reader, slots);
        const v4l2_buffer held = next_placeholder(reader);
        const std::vector<std::uint8_t> picture = bytes_of(reader.map(held.index));
        const Client by_read(loop.node());
        std::vector<std::uint8_t> frame(64 * 48 * 2);
        REQUIRE(::read(by_read.fd(), frame.data(), frame.size()) > 0);
        set_up(loop.node(), V4L2_PIX_FMT_UYVY, 64, 48); // of the same size
        v4l2_buffer got{};
        CHECK(reader.dequeue(got) == EIO);
        CHECK(bytes_of(reader.map(held.index)) == picture);
        REQUIRE(::read(by_read.fd(), frame.data(), frame.size()) > 0);
        CHECK(frame[0] == 0x80);
        CHECK(frame[1] > 200);
        reader.unmap_all();
        REQUIRE(reader.stream_off() == 0);
        REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, 0) == 0);
        start_reading(reader, slots);
        const v4l2_buffer fresh = next_placeholder(reader);
        std::vector<std::uint8_t> now = bytes_of(reader.map(fresh.index));
        now.resize(frame.size());
        CHECK(now == frame);
    }

    TEST_CASE("a writer stores the picture") {
        const SilentLoop loop(V4L2_PIX_FMT_MJPEG);
        Client reader(loop.node());
        start_reading(reader, slots);
        Client writer(loop.node());
        REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 1) == 0);
        start_writing(writer);
        std::memcpy(writer.map(0).data(), "stored", 6);
        REQUIRE(writer.queue(0, 6) == 0);
        const v4l2_buffer got = next_written(reader);
        CHECK(got.bytesused == 6);
        REQUIRE(reader.queue(got.index) == 0);
        const v4l2_buffer stored = next_placeholder(reader);
        CHECK(stored.bytesused == 6);
        CHECK(std::memcmp(reader.map(stored.index).data(), "stored", 6) == 0);

        // Another one does not show in what the reader has.
        REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 1) == 0);
        std::memcpy(writer.map(1).data(), "other", 5);
        REQUIRE(writer.queue(1, 5) == 0);
        const v4l2_buffer written = next_written(reader);
        REQUIRE(reader.queue(written.index) == 0);
        const v4l2_buffer other = next_placeholder(reader);
        CHECK(other.bytesused == 5);
        CHECK(std::memcmp(reader.map(other.index).data(), "other", 5) == 0);
        CHECK(std::memcmp(reader.map(stored.index).data(), "stored", 6) == 0);
        writer.close();

        // Only in its format; but there it is again.
        set_up(loop.node(), V4L2_PIX_FMT_YUYV, 64, 48);
        CHECK(read_frame(loop.node())[0] > 200);
        set_up(loop.node(), V4L2_PIX_FMT_MJPEG, 64, 48);
        const Client by_read(loop.node());
        char text[16] = {};
        CHECK(::read(by_read.fd(), text, sizeof text) == 5);
        CHECK(std::string(text) == "other");

        // A picture that is dropped is bars, which a compressed format does not have.
        REQUIRE(by_read.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 0) == 0);
        set_up(loop.node(), V4L2_PIX_FMT_GREY, 64, 48);
        CHECK(read_frame(loop.node())[0] > 200);
    }

    TEST_CASE("frames are repeated when the next one is late") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, any_loop());
        Client reader(loop.node());
        Client writer(loop.node());
        REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
        start_reading(reader, slots);
        start_writing(writer);
        std::int64_t last = 0;
        std::uint32_t sequence = 0;
        for (std::uint32_t number = 0; number < slots; ++number) {
            write_frame(writer, number, number);
            for (unsigned times = 0; times < 5; ++times) {
                v4l2_buffer got = next(reader);
                // The last frame may have been repeated just before the new one came.
                if (number > 0 && painted(reader.map(got.index)) == number - 1) {
                    ++sequence;
                    REQUIRE(reader.queue(got.index) == 0);
                    got = next(reader);
                }
                CHECK(got.index == number);
                CHECK(painted(reader.map(got.index)) == number);
                CHECK(got.sequence == sequence++);
                CHECK(microseconds(got) > last);
                last = microseconds(got);
                REQUIRE(reader.queue(got.index) == 0);
            }
            // The writer gets its buffer when there is another frame.
            if (number == 0)
                continue;
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
            CHECK(done.index == number - 1);
            CHECK(done.sequence == number - 1);
        }
        CHECK(loop.stats().frames == slots);
        CHECK(loop.stats().repeated >= slots * 4);
        CHECK(loop.stats().copies == 0);
        CHECK(loop.stats().dropped == 0);
        // Without it the last one comes back, too.
        REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 0) == 0);
        v4l2_buffer done{};
        CHECK(writer.dequeue(done) == 0);
        CHECK(done.index == slots - 1);
    }

    TEST_CASE("a repeated frame is not copied again for a reader that mapped its buffers") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, any_loop());
        ForeignBuffers foreign(2, 64 * 48 * 2);
        Client reader(loop.node());
        Client writer(loop.node());
        REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
        start_reading(reader, slots);
        for (unsigned index = 0; index < reader.count(); ++index)
            reader.map(index);
        REQUIRE(writer.reqbufs(output, V4L2_MEMORY_DMABUF, slots) == 0);
        writer.use(foreign.fds());
        REQUIRE(writer.stream_on() == 0);
        paint(foreign.map(0).first(64 * 48 / 2), 7);
        REQUIRE(writer.queue(0) == 0);
        for (unsigned times = 0; times < 20; ++times) {
            const v4l2_buffer got = next(reader);
            CHECK(painted(reader.map(got.index).first(64 * 48 / 2)) == 7);
            REQUIRE(reader.queue(got.index) == 0);
        }
        CHECK(loop.stats().copies == 1);
    }

    TEST_CASE("a frame that is kept never keeps a writer waiting") {
        v4l2dma_loop_config config = with_timeout(20);
        config.min_buffers = config.max_buffers = 2;
        for (const std::uint32_t flags : {0U, V4L2DMA_LOOP_LOSSLESS}) {
            config.flags = flags;
            const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, config);
            Client writer(loop.node());
            REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
            REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, 2) == 0);
            REQUIRE(writer.stream_on() == 0);
            REQUIRE(writer.queue(0) == 0);
            for (unsigned number = 1; number < 200; ++number) {
                REQUIRE(writer.queue(number % 2) == 0);
                v4l2_buffer done{};
                REQUIRE(writer.dequeue(done) == 0);
                CHECK(done.index == (number - 1) % 2);
            }
            CHECK(loop.stats().frames == 200);
        }
    }

    TEST_CASE("a loop that loses nothing loses nothing for its picture") {
        v4l2dma_loop_config config = with_timeout(5);
        config.flags = V4L2DMA_LOOP_LOSSLESS;
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, config);
        Client reader(loop.node());
        start_reading(reader, slots);
        Client writer(loop.node());
        start_writing(writer);
        std::uint32_t expected = 0;
        for (std::uint32_t number = 0; number < 100; ++number) {
            write_frame(writer, number % slots, number);
            // Sometimes slower than the timeout.
            if (number % 10 == 0) {
                const v4l2_buffer picture = next_placeholder(reader);
                REQUIRE(reader.queue(picture.index) == 0);
                ++expected; // next_placeholder() gave the frame back
            } else {
                const v4l2_buffer got = next_written(reader);
                CHECK(painted(reader.map(got.index)) == expected++);
                REQUIRE(reader.queue(got.index) == 0);
            }
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
        }
        CHECK(expected == 100);
        CHECK(loop.stats().dropped == 0);
    }

    TEST_CASE("a writer without REQBUFS keeps its slots, whoever comes and goes") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client writer(loop.node());
        REQUIRE(writer.create_bufs(output, V4L2_MEMORY_MMAP, 6) == 0);
        REQUIRE(writer.stream_on() == 0);
        for (std::uint32_t number = 0; number < 30; ++number) {
            Client reader(loop.node());
            start_reading(reader, slots);
            write_frame(writer, number % 6, number);
            reader.queue(next(reader).index);
            reader.close();
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0);
            CHECK(done.index == number % 6);
        }
        CHECK(loop.stats().frames == 30);
    }

    TEST_CASE("another picture is not written where somebody holds the old one") {
        const SilentLoop loop(V4L2_PIX_FMT_MJPEG);
        Client writer(loop.node());
        const auto store = [&writer](unsigned index, const char* text) {
            REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 1) == 0);
            std::memcpy(writer.map(index).data(), text, 5);
            REQUIRE(writer.queue(index, 5) == 0);
        };
        start_writing(writer);
        store(0, "first");
        v4l2_buffer done{};
        REQUIRE(writer.dequeue(done) == 0); // when it is stored
        Client first(loop.node());
        Client second(loop.node());
        start_reading(first, slots);
        start_reading(second, slots);
        for (Client* reader : {&first, &second})
            for (unsigned index = 0; index < reader->count(); ++index)
                reader->map(index);
        const v4l2_buffer held = next_placeholder(first);
        CHECK(std::memcmp(first.map(held.index).data(), "first", 5) == 0);
        store(1, "other");
        for (unsigned number = 0; number < 10; ++number) {
            const v4l2_buffer got = next_placeholder(second);
            CHECK(std::memcmp(second.map(got.index).data(), "first", 5) == 0);
            REQUIRE(second.queue(got.index) == 0);
        }
        CHECK(std::memcmp(first.map(held.index).data(), "first", 5) == 0);
        REQUIRE(first.queue(held.index) == 0);
        // Now nobody has it, and everybody gets the new one.
        bool came = false;
        for (unsigned number = 0; number < 100 && !came; ++number) {
            const v4l2_buffer got = next_placeholder(second);
            came = std::memcmp(second.map(got.index).data(), "other", 5) == 0;
            REQUIRE(second.queue(got.index) == 0);
            const v4l2_buffer too = next_placeholder(first);
            REQUIRE(first.queue(too.index) == 0);
        }
        CHECK(came);
    }

    TEST_CASE("a picture that is not wanted any more is not stored") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV);
        Client writer(loop.node());
        start_writing(writer);
        REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 1) == 0);
        REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 0) == 0);
        write_frame(writer, 0, 77);
        REQUIRE(writer.stream_off() == 0);
        REQUIRE(writer.stream_on() == 0);
        write_frame(writer, 0, 78);
        Client reader(loop.node());
        start_reading(reader, slots);
        const v4l2_buffer got = next_placeholder(reader);
        CHECK_FALSE(painted(reader.map(got.index)).has_value());
    }

    TEST_CASE("a writer that waits for the frame that is kept gets it") {
        for (const std::uint32_t flags : {0U, V4L2DMA_LOOP_LOSSLESS}) {
            v4l2dma_loop_config config = any_loop();
            config.flags = flags;
            const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, config);
            Client writer(loop.node());
            REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
            start_writing(writer);
            for (std::uint32_t number = 0; number < 10; ++number) {
                write_frame(writer, 0, number);
                v4l2_buffer done{};
                REQUIRE(writer.dequeue(done) == 0);
                CHECK(done.index == 0);
            }
        }
    }

    TEST_CASE("a frame that waits keeps its timestamp when it is repeated for others") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, any_loop());
        Client late(loop.node());
        Client quick(loop.node());
        Client writer(loop.node());
        REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
        start_reading(late, slots);
        start_reading(quick, slots);
        start_writing(writer);
        REQUIRE(writer.queue(0, 0, 5'000'000) == 0);
        for (unsigned times = 0; times < 5; ++times)
            REQUIRE(quick.queue(next(quick).index) == 0);
        const v4l2_buffer got = next(late);
        CHECK(got.sequence == 0);
        CHECK(microseconds(got) == 5'000'000);
    }

    TEST_CASE("timestamps move forward, whatever the settings are") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, with_timeout(20));
        Client reader(loop.node());
        Client writer(loop.node());
        set_interval(writer, {1, 10});
        REQUIRE(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 1) == 0);
        start_reading(reader, slots);
        start_writing(writer);
        REQUIRE(writer.queue(0, 0, 20'000) == 0);
        std::int64_t last = 0;
        for (unsigned number = 0; number < 8; ++number) {
            v4l2_buffer got = next(reader);
            if (number == 0)
                while (is_placeholder(got)) { // the writer was late
                    REQUIRE(reader.queue(got.index) == 0);
                    got = next(reader);
                }
            CHECK(microseconds(got) > last);
            last = microseconds(got);
            REQUIRE(reader.queue(got.index) == 0);
            if (number == 3)
                CHECK(writer.set_control(V4L2DMA_CID_SUSTAIN_FRAMERATE, 0) == 0);
        }
    }

    TEST_CASE("a new frame rate holds at once") {
        const SilentLoop loop(V4L2_PIX_FMT_YUYV, 64, 48, with_timeout(1));
        const Client client(loop.node());
        set_interval(client, {3600, 1});
        Client reader(loop.node());
        start_reading(reader, slots);
        REQUIRE(reader.queue(next(reader).index) == 0);
        set_interval(client, {1, 200});
        CHECK((reader.poll(POLLIN, 5000) & POLLIN) != 0); // and not in ten seconds
    }

    TEST_CASE("a loop goes while its picture is shown") {
        for (unsigned round = 0; round < 20; ++round) {
            AddedLoop loop(with_timeout(1));
            set_up(loop.node(), V4L2_PIX_FMT_YUYV, 320, 240);
            Client reader(loop.node());
            start_reading(reader, slots);
            std::thread takes([&] {
                v4l2_buffer buffer{};
                while (reader.dequeue(buffer) == 0)
                    reader.queue(buffer.index);
            });
            CHECK(loop.remove(V4L2DMA_REMOVE_FORCE) == 0);
            takes.join();
        }
    }
}
