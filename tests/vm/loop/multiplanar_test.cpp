// SPDX-License-Identifier: MIT
// Loops with the multi-planar API: what they say they are, their formats, and what they refuse.
#include "client.h"
#include "control.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace {

v4l2dma_loop_config multiplanar(std::uint32_t flags = 0) {
    v4l2dma_loop_config config = any_loop();
    config.flags = V4L2DMA_LOOP_MULTIPLANAR | flags;
    return config;
}

std::uint32_t sides(const Client& client) {
    v4l2_capability capability{};
    REQUIRE(client.ioctl(VIDIOC_QUERYCAP, &capability) == 0);
    return capability.device_caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_OUTPUT |
                                     V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_OUTPUT_MPLANE);
}

void set_format(const Client& writer, std::uint32_t fourcc, std::uint32_t width = 64,
                std::uint32_t height = 48) {
    auto pix = wish<v4l2_pix_format_mplane>(fourcc, width, height);
    REQUIRE(writer.set_format(pix) == 0);
    REQUIRE(fourcc_of(pix) == fourcc);
}

std::vector<std::uint32_t> formats_of(const Client& client, v4l2_buf_type type) {
    std::vector<std::uint32_t> all;
    v4l2_fmtdesc description{};
    for (description.type = type; client.ioctl(VIDIOC_ENUM_FMT, &description) == 0; ++description.index)
        all.push_back(description.pixelformat);
    return all;
}

/// The planes of 64 x 48 pixels.
struct Layout {
    std::uint32_t fourcc;
    std::vector<std::uint32_t> bytesperline;
    std::vector<std::uint32_t> lines;
};

const std::vector<Layout>& layouts() {
    static const std::vector<Layout> all = {
        {V4L2_PIX_FMT_NV12M, {64, 64}, {48, 24}},
        {V4L2_PIX_FMT_NV21M, {64, 64}, {48, 24}},
        {V4L2_PIX_FMT_NV16M, {64, 64}, {48, 48}},
        {V4L2_PIX_FMT_NV61M, {64, 64}, {48, 48}},
        {v4l2_fourcc('P', 'M', '1', '2'), {128, 128}, {48, 24}},
        {V4L2_PIX_FMT_YUV420M, {64, 32, 32}, {48, 24, 24}},
        {V4L2_PIX_FMT_YVU420M, {64, 32, 32}, {48, 24, 24}},
        {V4L2_PIX_FMT_YUV422M, {64, 32, 32}, {48, 48, 48}},
        {V4L2_PIX_FMT_YVU422M, {64, 32, 32}, {48, 48, 48}},
        {V4L2_PIX_FMT_YUV444M, {64, 64, 64}, {48, 48, 48}},
        {V4L2_PIX_FMT_YVU444M, {64, 64, 64}, {48, 48, 48}},
    };
    return all;
}

/// Whatever of one API a node of the other one is asked for.
void check_refused(const Client& client, v4l2_buf_type type) {
    CAPTURE(type);
    v4l2_format format{};
    format.type = type;
    for (const unsigned long request : {VIDIOC_G_FMT, VIDIOC_TRY_FMT, VIDIOC_S_FMT})
        CHECK(client.ioctl(request, &format) == EINVAL);
    v4l2_fmtdesc description{};
    description.type = type;
    CHECK(client.ioctl(VIDIOC_ENUM_FMT, &description) == EINVAL);
    v4l2_streamparm parameters{};
    parameters.type = type;
    CHECK(client.ioctl(VIDIOC_G_PARM, &parameters) == EINVAL);
    CHECK(client.ioctl(VIDIOC_S_PARM, &parameters) == EINVAL);
    for (const unsigned count : {0U, 4U}) {
        v4l2_requestbuffers request{};
        request.type = type;
        request.memory = V4L2_MEMORY_MMAP;
        request.count = count;
        CHECK(client.ioctl(VIDIOC_REQBUFS, &request) == EINVAL);
    }
    v4l2_create_buffers create{};
    create.format.type = type;
    create.memory = V4L2_MEMORY_MMAP;
    create.count = 1;
    CHECK(client.ioctl(VIDIOC_CREATE_BUFS, &create) == EINVAL);
    PlanarBuffer planar;
    planar.buffer.type = type;
    planar.buffer.memory = V4L2_MEMORY_MMAP;
    planar.buffer.length = V4L2_TYPE_IS_MULTIPLANAR(type) ? 3 : 0;
    for (const unsigned long request : {VIDIOC_QUERYBUF, VIDIOC_QBUF, VIDIOC_DQBUF, VIDIOC_PREPARE_BUF})
        CHECK(client.ioctl(request, planar.connect()) == EINVAL);
    int number = type;
    CHECK(client.ioctl(VIDIOC_STREAMON, &number) == EINVAL);
    CHECK(client.ioctl(VIDIOC_STREAMOFF, &number) == EINVAL);
}

/// A frame that the loop shows while nobody writes, its planes one after the other.
std::vector<std::uint8_t> placeholder(const AddedLoop& loop) {
    const Client reader(loop.node());
    std::vector<std::uint8_t> frame(loop.info().sizeimage);
    REQUIRE(::read(reader.fd(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size()));
    return frame;
}

} // namespace

TEST_SUITE("multi-planar") {
    TEST_CASE("one API at a time, and the other one is refused") {
        const AddedLoop loop(multiplanar());
        const AddedLoop plain;
        const Client client(loop.node());
        CHECK(sides(client) == (V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_OUTPUT_MPLANE));
        CHECK((loop.info().config.flags & V4L2DMA_LOOP_MULTIPLANAR) != 0);
        check_refused(client, output);
        check_refused(client, capture);
        const Client other(plain.node());
        CHECK((plain.info().config.flags & V4L2DMA_LOOP_MULTIPLANAR) == 0);
        check_refused(other, planar_output);
        check_refused(other, planar_capture);
    }

    TEST_CASE("exclusive_caps announces the side of that API") {
        const AddedLoop loop(multiplanar(V4L2DMA_LOOP_EXCLUSIVE_CAPS));
        const Client stranger(loop.node());
        CHECK(sides(stranger) == V4L2_CAP_VIDEO_OUTPUT_MPLANE);
        check_refused(stranger, planar_capture);
        Client writer(loop.node());
        set_format(writer, V4L2_PIX_FMT_NV12M);
        start_writing(writer, 4, planar_output);
        CHECK(sides(stranger) == V4L2_CAP_VIDEO_CAPTURE_MPLANE);
        check_refused(stranger, planar_output);
        CHECK(writer.planar_format(planar_output).num_planes == 2); // he goes on to see his side
        CHECK(formats_of(stranger, planar_capture) == std::vector<std::uint32_t>{V4L2_PIX_FMT_NV12M});
        Client reader(loop.node());
        start_reading(reader, 4, planar_capture);
        paint(writer.map(1, 1), 5);
        REQUIRE(writer.queue(1) == 0);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(painted(reader.map(1, 1)) == 5);
        REQUIRE(writer.stream_off() == 0);
        CHECK(sides(stranger) == V4L2_CAP_VIDEO_OUTPUT_MPLANE);
    }

    TEST_CASE("split nodes have one side each") {
        const AddedLoop loop(multiplanar(V4L2DMA_LOOP_SPLIT_NODES));
        Client writer(loop.node());
        Client reader(loop.capture_node());
        CHECK(sides(writer) == V4L2_CAP_VIDEO_OUTPUT_MPLANE);
        CHECK(sides(reader) == V4L2_CAP_VIDEO_CAPTURE_MPLANE);
        check_refused(writer, planar_capture);
        check_refused(reader, planar_output);
        check_refused(writer, output);
        check_refused(reader, capture);
        set_format(writer, V4L2_PIX_FMT_YUV420M);
        start_reading(reader, 4, planar_capture);
        start_writing(writer, 4, planar_output);
        for (unsigned plane = 0; plane < 3; ++plane)
            paint(writer.map(2, plane), 70 + plane);
        REQUIRE(writer.queue(2) == 0);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        for (unsigned plane = 0; plane < 3; ++plane)
            CHECK(painted(reader.map(2, plane)) == 70 + plane);
    }

    TEST_CASE("the formats in one piece, and those in several") {
        const AddedLoop loop(multiplanar());
        const AddedLoop plain;
        const Client writer(loop.node());
        const std::vector<std::uint32_t> several = formats_of(writer, planar_output);
        const std::vector<std::uint32_t> one = formats_of(Client(plain.node()), output);
        CHECK(several.size() == one.size() + layouts().size());
        for (const std::uint32_t fourcc : one)
            CHECK(std::ranges::find(several, fourcc) != several.end());
        for (const Layout& layout : layouts()) {
            CAPTURE(layout.fourcc);
            CHECK(std::ranges::find(several, layout.fourcc) != several.end());
            CHECK(std::ranges::find(one, layout.fourcc) == one.end());
            auto pix = wish<v4l2_pix_format_mplane>(layout.fourcc, 64, 48);
            REQUIRE(writer.set_format(pix) == 0);
            REQUIRE(fourcc_of(pix) == layout.fourcc);
            REQUIRE(pix.num_planes == layout.lines.size());
            std::uint32_t sum = 0;
            for (unsigned plane = 0; plane < pix.num_planes; ++plane) {
                CHECK(stride_of(pix, plane) == layout.bytesperline[plane]);
                CHECK(size_of(pix, plane) == layout.bytesperline[plane] * layout.lines[plane]);
                sum += pix.plane_fmt[plane].sizeimage;
            }
            CHECK(loop.info().sizeimage == sum);
        }
        v4l2_pix_format pix{};
        pix.pixelformat = V4L2_PIX_FMT_NV12M;
        pix.width = 64;
        pix.height = 48;
        REQUIRE(Client(plain.node()).set_format(pix) == 0);
        CHECK(pix.pixelformat == V4L2_PIX_FMT_YUYV); // what a loop gives for a format that it does not have
    }

    TEST_CASE("a format in one piece is as on a plain loop") {
        const AddedLoop loop(multiplanar());
        const AddedLoop plain;
        const Client writer(loop.node());
        const Client other(plain.node());
        for (const std::uint32_t fourcc : formats_of(other, output)) {
            v4l2_pix_format single{};
            single.pixelformat = fourcc;
            single.width = 128;
            single.height = 96;
            REQUIRE(other.set_format(single) == 0);
            auto pix = wish<v4l2_pix_format_mplane>(fourcc, 128, 96);
            REQUIRE(writer.set_format(pix) == 0);
            CHECK(fourcc_of(pix) == single.pixelformat);
            CHECK(pix.num_planes == 1);
            CHECK(stride_of(pix, 0) == single.bytesperline);
            CHECK(size_of(pix, 0) == single.sizeimage);
            CHECK(single.colorspace == std::uint32_t{pix.colorspace});
        }
    }

    TEST_CASE("padding is kept plane by plane, nonsense is not, and nothing unused is said") {
        const AddedLoop loop(multiplanar());
        const Client writer(loop.node());
        auto pix = wish<v4l2_pix_format_mplane>(V4L2_PIX_FMT_NV12M, 640, 480);
        pix.num_planes = 8;
        std::memset(pix.plane_fmt, 0x5a, sizeof pix.plane_fmt);
        pix.plane_fmt[0] = {.sizeimage = 704 * 480 + 4096, .bytesperline = 704, .reserved = {}};
        pix.plane_fmt[1] = {.sizeimage = 0, .bytesperline = 768, .reserved = {}};
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(pix.num_planes == 2);
        CHECK(stride_of(pix, 0) == 704);
        CHECK(size_of(pix, 0) == 704 * 480 + 4096);
        CHECK(stride_of(pix, 1) == 768);
        CHECK(size_of(pix, 1) == 768 * 240);
        const v4l2_plane_pix_format nothing{};
        for (unsigned plane = 2; plane < VIDEO_MAX_PLANES; ++plane)
            CHECK(std::memcmp(&pix.plane_fmt[plane], &nothing, sizeof nothing) == 0);
        const v4l2_pix_format_mplane got = writer.planar_format(planar_capture);
        CHECK(std::memcmp(&got, &pix, sizeof pix) == 0);

        pix.plane_fmt[1].bytesperline = 3;
        pix.plane_fmt[1].sizeimage = 0xffffffff;
        REQUIRE(writer.set_format(pix) == 0);
        CHECK(stride_of(pix, 0) == 704);
        CHECK(stride_of(pix, 1) == 640);
        CHECK(size_of(pix, 1) == 640 * 240);
    }

    TEST_CASE("the same format again changes nothing, whatever lies in its unused parts") {
        const AddedLoop loop(multiplanar());
        const Client writer(loop.node());
        set_format(writer, V4L2_PIX_FMT_NV12M);
        Client reader(loop.node());
        start_reading(reader, 4, planar_capture);
        v4l2_pix_format_mplane pix = writer.planar_format(planar_output);
        std::memset(&pix.plane_fmt[2], 0x77, sizeof pix.plane_fmt[2]);
        std::memset(pix.reserved, 0x77, sizeof pix.reserved);
        std::memset(pix.plane_fmt[0].reserved, 0x77, sizeof pix.plane_fmt[0].reserved);
        REQUIRE(writer.set_format(pix) == 0);
        CHECK((reader.poll(POLLIN, 0) & POLLERR) == 0); // its buffers are as good as before
        CHECK(loop.info().pixelformat == V4L2_PIX_FMT_NV12M);
    }

    TEST_CASE("frame intervals and sizes") {
        const AddedLoop loop(multiplanar());
        const Client writer(loop.node());
        v4l2_streamparm parameters{};
        parameters.type = planar_output;
        parameters.parm.output.timeperframe = {.numerator = 1, .denominator = 50};
        REQUIRE(writer.ioctl(VIDIOC_S_PARM, &parameters) == 0);
        parameters = {};
        parameters.type = planar_capture;
        REQUIRE(writer.ioctl(VIDIOC_G_PARM, &parameters) == 0);
        CHECK(parameters.parm.capture.timeperframe.denominator == 50);
        v4l2_frmsizeenum size{};
        size.pixel_format = V4L2_PIX_FMT_YUV420M;
        CHECK(writer.ioctl(VIDIOC_ENUM_FRAMESIZES, &size) == EINVAL); // it asked about the capture side last
        parameters.type = planar_output;
        REQUIRE(writer.ioctl(VIDIOC_G_PARM, &parameters) == 0);
        REQUIRE(writer.ioctl(VIDIOC_ENUM_FRAMESIZES, &size) == 0);
        CHECK(size.stepwise.step_width == 2);
        CHECK(size.stepwise.step_height == 2);
        const AddedLoop plain;
        CHECK(Client(plain.node()).ioctl(VIDIOC_ENUM_FRAMESIZES, &size) == EINVAL);
    }

    TEST_CASE("write() and read() have the planes one after the other") {
        const AddedLoop loop(multiplanar());
        Client writer(loop.node());
        for (const Layout& layout : layouts()) {
            CAPTURE(layout.fourcc);
            const Client one(loop.node());
            set_format(one, layout.fourcc);
            const std::uint32_t bytes = loop.info().sizeimage;
            std::vector<std::uint32_t> sent(bytes / 4);
            std::vector<std::uint32_t> got(sent.size());
            paint(sent, layout.fourcc);
            const Client reader(loop.node());
            CHECK(reader.poll(POLLIN, 0) == 0);
            Client mapped(loop.node());
            start_reading(mapped, 4, planar_capture);
            const auto before = loop.stats();
            REQUIRE(::write(one.fd(), sent.data(), bytes) == static_cast<ssize_t>(bytes));
            // In two pieces: what does not fit is not lost.
            REQUIRE(::read(reader.fd(), got.data(), 4000) == 4000);
            REQUIRE(::read(reader.fd(), got.data() + 1000, bytes) == static_cast<ssize_t>(bytes - 4000));
            CHECK(got == sent);
            PlanarBuffer planar;
            REQUIRE(mapped.dequeue(planar) == 0);
            std::size_t word = 0;
            for (unsigned plane = 0; plane < mapped.planes(); ++plane) {
                CHECK(planar.planes[plane].bytesused == mapped.length(plane));
                const auto pixels = mapped.map(planar.buffer.index, plane).first(mapped.length(plane) / 4);
                CHECK(std::ranges::equal(pixels, std::span(sent).subspan(word, pixels.size())));
                word += pixels.size();
            }
            CHECK(loop.stats().copies - before.copies == 2); // write() and read()
            CHECK(loop.stats().copied_bytes - before.copied_bytes == 2 * bytes);
        }
    }

    TEST_CASE("what is wrong is refused, and spoils nothing") {
        const AddedLoop loop(multiplanar());
        Client writer(loop.node());
        set_format(writer, V4L2_PIX_FMT_NV12M);
        start_writing(writer, 4, planar_output);
        PlanarBuffer planar = writer.filled_in(0);
        planar.buffer.length = 1; // too few planes
        CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
        planar.buffer.length = VIDEO_MAX_PLANES + 1;
        CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
        planar = writer.filled_in(0);
        planar.connect()->m.planes = nullptr;
        CHECK(writer.ioctl(VIDIOC_QBUF, &planar.buffer) != 0);
        planar = writer.filled_in(0);
        planar.planes[1].bytesused = writer.length(1) + 1;
        CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
        planar = writer.filled_in(0);
        planar.planes[1].data_offset = writer.length(1); // nothing is behind it
        CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
        planar.planes[1].data_offset = 0xffffffff;
        CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
        CHECK(writer.export_fd(0, 2) == -EINVAL); // no such plane
        CHECK(writer.create_bufs(planar_output, V4L2_MEMORY_MMAP, 1, 100) == EINVAL);
        CHECK(writer.create_bufs(planar_output, V4L2_MEMORY_MMAP, 1, 0x40000000) == EINVAL);

        Client reader(loop.node());
        start_reading(reader, 4, planar_capture);
        REQUIRE(writer.queue(0) == 0);
        PlanarBuffer got;
        got.buffer.type = planar_capture;
        got.buffer.memory = V4L2_MEMORY_MMAP;
        got.buffer.length = 1;
        CHECK(reader.ioctl(VIDIOC_DQBUF, got.connect()) == EINVAL);
        REQUIRE(reader.dequeue(got) == 0);
        CHECK(got.buffer.length == 2);
        CHECK(loop.stats().delivered == 1);
    }

    TEST_CASE("a dma-buf that is too small in one plane is refused, and the right one taken") {
        const AddedLoop loop(multiplanar());
        const AddedLoop small;
        v4l2_pix_format pix{};
        pix.pixelformat = V4L2_PIX_FMT_GREY;
        pix.width = pix.height = 16;
        Client owner(small.node());
        REQUIRE(owner.set_format(pix) == 0);
        REQUIRE(owner.reqbufs(output, V4L2_MEMORY_MMAP, 4) == 0);
        const int page = owner.export_fd(0);
        REQUIRE(page >= 0);

        Client writer(loop.node());
        set_format(writer, V4L2_PIX_FMT_YUV444M, 128, 96);
        REQUIRE(writer.reqbufs(planar_output, V4L2_MEMORY_DMABUF, 4) == 0);
        const ForeignBuffers foreign(3, writer.length());
        const auto& fds = foreign.fds();
        Client reader(loop.node());
        start_reading(reader, 4, planar_capture);
        REQUIRE(writer.stream_on() == 0);
        for (unsigned plane = 0; plane < 3; ++plane) {
            std::vector<int> mixed = fds;
            mixed[plane] = page;
            writer.use(mixed);
            CHECK(writer.queue(0) == EFAULT); // its length is a lie
            PlanarBuffer planar = writer.filled_in(0);
            planar.planes[plane].length = 0; // its own
            planar.planes[plane].bytesused = 0;
            CHECK(writer.ioctl(VIDIOC_QBUF, planar.connect()) == EINVAL);
            mixed[plane] = -1;
            writer.use(mixed);
            CHECK(writer.queue(0) == EINVAL);
        }
        writer.use(fds);
        REQUIRE(writer.queue(0) == 0);
        v4l2_buffer got{};
        REQUIRE(reader.dequeue(got) == 0);
        ::close(page);
    }

    TEST_CASE("a reader's planes cannot be one dma-buf") {
        const AddedLoop loop(multiplanar());
        set_format(Client(loop.node()), V4L2_PIX_FMT_NV12M);
        Client reader(loop.node());
        REQUIRE(reader.reqbufs(planar_capture, V4L2_MEMORY_DMABUF, 4) == 0);
        const ForeignBuffers foreign(2, reader.length());
        reader.use({foreign.fds()[0], foreign.fds()[0]});
        CHECK(reader.queue(0) == EINVAL);
        reader.use(foreign.fds());
        CHECK(reader.queue(0) == 0);
    }

    TEST_CASE("NV12M becomes YM12 while readers stream") {
        const AddedLoop loop(multiplanar());
        Client reader(loop.node());
        Client second(loop.node());
        {
            Client writer(loop.node());
            set_format(writer, V4L2_PIX_FMT_NV12M);
            start_reading(reader, 4, planar_capture);
            start_reading(second, 4, planar_capture);
            start_writing(writer, 4, planar_output);
            REQUIRE(writer.queue(0) == 0);
            v4l2_buffer got{};
            REQUIRE(reader.dequeue(got) == 0);
            CHECK(got.length == 2);
        }
        Client writer(loop.node());
        set_format(writer, V4L2_PIX_FMT_YUV420M);
        v4l2_buffer got{};
        for (Client* each : {&reader, &second}) {
            CHECK(each->dequeue(got) == EIO);
            CHECK(each->queue(1) == EIO);
            REQUIRE(each->stream_off() == 0);
            start_reading(*each, 4, planar_capture);
            CHECK(each->planes() == 3);
        }
        start_writing(writer, 4, planar_output);
        for (unsigned plane = 0; plane < 3; ++plane)
            paint(writer.map(3, plane), 300 + plane);
        REQUIRE(writer.queue(3) == 0);
        for (Client* each : {&reader, &second}) {
            REQUIRE(each->dequeue(got) == 0);
            CHECK(got.length == 3);
            for (unsigned plane = 0; plane < 3; ++plane)
                CHECK(painted(each->map(3, plane)) == 300 + plane);
        }
    }

    TEST_CASE("without a signal: the picture that the format in one piece has, in planes") {
        v4l2dma_loop_config config = multiplanar();
        config.timeout_ms = 50;
        const AddedLoop loop(config);
        const std::pair<std::uint32_t, std::uint32_t> relatives[] = {
            {V4L2_PIX_FMT_NV12M, V4L2_PIX_FMT_NV12},
            {V4L2_PIX_FMT_NV21M, V4L2_PIX_FMT_NV21},
            {V4L2_PIX_FMT_NV16M, V4L2_PIX_FMT_NV16},
            {V4L2_PIX_FMT_NV61M, V4L2_PIX_FMT_NV61},
            {V4L2_PIX_FMT_YUV420M, V4L2_PIX_FMT_YUV420},
            {V4L2_PIX_FMT_YVU420M, V4L2_PIX_FMT_YVU420},
            {V4L2_PIX_FMT_YUV422M, V4L2_PIX_FMT_YUV422P},
            {v4l2_fourcc('P', 'M', '1', '2'), v4l2_fourcc('P', '0', '1', '2')}};
        for (const auto& [apart, whole] : relatives) {
            CAPTURE(apart);
            set_format(Client(loop.node()), whole, 320, 240);
            const std::vector<std::uint8_t> expected = placeholder(loop);
            set_format(Client(loop.node()), apart, 320, 240);
            CHECK(placeholder(loop) == expected);
            Client mapped(loop.node());
            start_reading(mapped, 4, planar_capture);
            PlanarBuffer got;
            REQUIRE(mapped.dequeue(got) == 0);
            auto at = expected.begin();
            for (unsigned plane = 0; plane < mapped.planes(); ++plane) {
                CHECK(got.planes[plane].bytesused == mapped.length(plane));
                const auto words = mapped.map(got.buffer.index, plane);
                const auto* start = reinterpret_cast<const std::uint8_t*>(words.data());
                CHECK(std::equal(start, start + mapped.length(plane), at));
                at += mapped.length(plane);
            }
        }
        // There is no such format in one piece.
        for (const std::uint32_t fourcc :
             {V4L2_PIX_FMT_YVU422M, V4L2_PIX_FMT_YUV444M, V4L2_PIX_FMT_YVU444M}) {
            set_format(Client(loop.node()), fourcc, 320, 240);
            const std::vector<std::uint8_t> frame = placeholder(loop);
            CHECK(std::ranges::count(frame, frame[0]) < static_cast<std::ptrdiff_t>(frame.size() / 2));
        }
    }

    TEST_CASE("a stored placeholder has all planes, and nothing that was before them") {
        v4l2dma_loop_config config = multiplanar();
        config.timeout_ms = 50;
        const AddedLoop loop(config);
        std::vector<std::uint32_t> expected;
        {
            Client writer(loop.node());
            set_format(writer, V4L2_PIX_FMT_YUV444M);
            REQUIRE(writer.set_control(V4L2DMA_CID_STORE_PLACEHOLDER, 1) == 0);
            start_writing(writer, 4, planar_output);
            PlanarBuffer sent = writer.filled_in(0);
            for (unsigned plane = 0; plane < 3; ++plane) {
                paint(writer.map(0, plane), 500 + plane);
                sent.planes[plane].data_offset = 64 * plane;
                const auto pixels = writer.map(0, plane).first(writer.length(plane) / 4).subspan(16 * plane);
                expected.insert(expected.end(), pixels.begin(), pixels.end());
            }
            REQUIRE(writer.ioctl(VIDIOC_QBUF, sent.connect()) == 0);
            v4l2_buffer done{};
            REQUIRE(writer.dequeue(done) == 0); // it is copied by then
        }
        const Client reader(loop.node());
        std::vector<std::uint32_t> got(expected.size() + 100);
        const auto bytes = static_cast<ssize_t>(expected.size() * sizeof(std::uint32_t));
        REQUIRE(::read(reader.fd(), got.data(), got.size() * sizeof(std::uint32_t)) == bytes);
        got.resize(expected.size());
        CHECK(got == expected);
    }
}
