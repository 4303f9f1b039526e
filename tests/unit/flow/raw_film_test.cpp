// SPDX-License-Identifier: MIT
#include "media/raw_reader.h"

#include "support/film_file.h"
#include "support/film_play.h"
#include "support/temporary_folder.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <future>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <thread>

using namespace v4l2dma;
using testing::film_picture;
using testing::FilmSpec;
using testing::give_memory;
using testing::has_pixels;
using testing::next;
using testing::TemporaryFolder;

namespace {

constexpr int pictures = 12;

void append(std::string& bytes, const AVFrame& picture) {
    const auto format = static_cast<AVPixelFormat>(picture.format);
    std::vector<std::uint8_t> tight(
        static_cast<std::size_t>(av_image_get_buffer_size(format, picture.width, picture.height, 1)));
    REQUIRE(av_image_copy_to_buffer(tight.data(), static_cast<int>(tight.size()), picture.data,
                                    picture.linesize, format, picture.width, picture.height, 1) >= 0);
    bytes.append(reinterpret_cast<const char*>(tight.data()), tight.size());
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string raw_bytes(const FilmSpec& spec) {
    std::string bytes;
    for (int i = 0; i < pictures; ++i)
        append(bytes, *film_picture(spec, i));
    return bytes;
}

/// Every third picture's header has a parameter.
std::string y4m_bytes(const FilmSpec& spec, std::string_view colours) {
    std::string bytes =
        fmt::format("YUV4MPEG2 W{} H{} F25:1 Ip A1:1 C{}\n", spec.width, spec.height, colours);
    for (int i = 0; i < pictures; ++i) {
        bytes += i % 3 == 2 ? "FRAME Xnothing=1\n" : "FRAME\n";
        append(bytes, *film_picture(spec, i));
    }
    return bytes;
}

CaptureWishes raw_wishes(std::string_view fourcc, const FilmSpec& spec) {
    CaptureWishes wishes;
    wishes.format = fourcc;
    wishes.width = static_cast<std::uint32_t>(spec.width);
    wishes.height = static_cast<std::uint32_t>(spec.height);
    return wishes;
}

struct Run {
    int frames = 0;
    int bad = 0;
    std::uint64_t copied_bytes = 0;
    bool right = true;
    std::vector<std::int64_t> steps{}; ///< microseconds
};

/// At most @p most frames, up to @p out of them at the sink at a time; they are the film's from @p first on.
Run run(MediaSource& source, const FilmSpec& spec, std::size_t out, int most = 1000, int first = 0) {
    Run result;
    std::vector<std::uint32_t> held;
    std::optional<std::chrono::microseconds> last;
    while (result.frames < most) {
        const std::optional<Frame> frame = next(source);
        if (!frame)
            break;
        held.push_back(frame->index);
        if ((frame->metadata.flags & V4L2_BUF_FLAG_ERROR) != 0) {
            ++result.bad;
        } else {
            result.right &=
                has_pixels(*frame, *film_picture(spec, first + result.frames % (pictures - first)));
            ++result.frames;
            result.copied_bytes += frame->copied_bytes;
            if (last)
                result.steps.push_back((frame->metadata.timestamp - *last).count());
            last = frame->metadata.timestamp;
        }
        if (held.size() > out) {
            REQUIRE(source.give_back(held.front()));
            held.erase(held.begin());
        }
    }
    return result;
}

Error failure_of(MediaSource& source) {
    while (true) {
        const Result<std::optional<Frame>> frame = source.take();
        if (!frame)
            return frame.error();
        REQUIRE_FALSE(source.ended());
        if (*frame)
            REQUIRE(source.give_back((*frame)->index));
    }
}

} // namespace

TEST_CASE("raw and y4m pictures are read straight into the sink's memory: nothing is copied") {
    const TemporaryFolder folder;
    for (const auto& [pixels, fourcc, colours, width, height] :
         {std::tuple{AV_PIX_FMT_YUV420P, "YU12", "420jpeg", 96, 32},
          {AV_PIX_FMT_YUV420P, "YU12", "420", 65, 33},
          {AV_PIX_FMT_YUV422P, "422P", "422", 98, 31},
          {AV_PIX_FMT_GRAY8, "GREY", "mono", 33, 7},
          {AV_PIX_FMT_YUYV422, "YUYV", "", 64, 32},
          {AV_PIX_FMT_RGB24, "RGB3", "", 13, 5}}) {
        CAPTURE(fourcc);
        CAPTURE(width);
        const FilmSpec spec{.pixel_format = pixels, .width = width, .height = height};
        const std::string raw = folder.file("film.raw");
        const std::string y4m = folder.file("film.y4m");
        write_file(raw, raw_bytes(spec));
        write_file(y4m, y4m_bytes(spec, colours));
        for (const std::string& path : {raw, y4m}) {
            if (path == y4m && std::string_view(colours).empty())
                continue;
            const auto source = testing::open(path, path == raw ? raw_wishes(fourcc, spec) : CaptureWishes{});
            CHECK(source->format().fourcc.text() == fourcc);
            CHECK(source->copies(MemoryRole::touches) == 0);
            const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
            const Run all = run(*source, spec, 2);
            CHECK(all.frames == pictures);
            CHECK(all.bad == 0);
            CHECK(all.right);
            CHECK(all.copied_bytes == 0);
            CHECK(std::ranges::all_of(all.steps, [](std::int64_t step) { return step == 40'000; }));
            source->release();
        }
    }
}

TEST_CASE("lines are read apart where the sink's have padding, more of them than a call takes, too") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 32, .height = 1200};
    static_assert(1200 * 2 > IOV_MAX);
    const std::string path = folder.file("film.y4m");
    write_file(path, y4m_bytes(spec, "420jpeg"));
    const auto source = testing::open(path);
    FrameFormat padded = source->format();
    padded.planes[0] = {.bytesperline = 64, .sizeimage = 64 * 1200 * 3 / 2};
    REQUIRE(source->set_format(padded));
    Result<SharedMemory> memory = SharedMemory::plain(padded, 6 + source->extra_buffers());
    REQUIRE(memory);
    for (const BufferMemory& buffer : memory->buffers())
        std::ranges::fill(buffer.planes[0].bytes, std::byte{0x5a});
    REQUIRE(source->use(MemoryRole::touches, memory->buffers()));
    REQUIRE(source->start());
    const Layout layout = *layout_of(padded);
    const Run all = run(*source, spec, 1);
    CHECK(all.frames == pictures);
    CHECK(all.right);
    CHECK(all.copied_bytes == 0);
    for (const BufferMemory& buffer : memory->buffers())
        for (const PlaneLayout& plane : layout.planes)
            for (std::uint32_t row = 0; row < plane.rows; ++row) {
                const auto padding = buffer.planes[0].bytes.subspan(
                    plane.offset + std::size_t{row} * plane.stride + plane.row_bytes,
                    plane.stride - plane.row_bytes);
                REQUIRE(std::ranges::all_of(padding, [](std::byte byte) { return byte == std::byte{0x5a}; }));
            }
    source->release();
}

TEST_CASE("a raw file whose end is missing: what is left of it is a bad picture; of y4m it is the end") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.raw");
    const std::string raw = raw_bytes(spec);
    const std::string y4m = y4m_bytes(spec, "420jpeg");
    for (const bool is_raw : {true, false})
        for (const std::size_t missing : {std::size_t{1}, std::size_t{4607}, std::size_t{4608 + 1}}) {
            CAPTURE(is_raw);
            CAPTURE(missing);
            const std::string& bytes = is_raw ? raw : y4m;
            write_file(path, bytes.substr(0, bytes.size() - missing));
            const auto source = testing::open(path, is_raw ? raw_wishes("YU12", spec) : CaptureWishes{});
            const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
            const Run all = run(*source, spec, 1);
            CHECK(all.frames == pictures - (is_raw && missing > 4608 ? 2 : 1));
            CHECK(all.bad == (is_raw ? 1 : 0));
            CHECK(all.right);
            CHECK(all.copied_bytes == 0);
            source->release();
        }
}

TEST_CASE("a y4m file without the word before a picture, or without the end of its line, is damaged") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.y4m");
    const std::string whole = y4m_bytes(spec, "420jpeg");
    const std::size_t fourth = whole.find("FRAME\n", whole.find("FRAME X"));
    for (const std::string& header : {std::string("FRAMX\n"), std::string("\n\n\n\n\n\n"),
                                      std::string(6, '\0'), "FRAME " + std::string(5000, 'x') + "\n"}) {
        std::string bytes = whole;
        write_file(path, bytes.replace(fourth, 6, header));
        const auto source = testing::open(path);
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        const Error error = failure_of(*source);
        CHECK(error.kind == ErrorKind::system);
        CHECK(error.message() == "read " + path + ": its data are damaged");
        source->release();
    }
}

TEST_CASE("raw pictures come again and again, and from the middle on") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.raw");
    write_file(path, raw_bytes(spec));
    CaptureWishes wishes = raw_wishes("YU12", spec);
    wishes.fps = 50;
    wishes.playback.loop = true;
    wishes.playback.seek = 0.1;
    const auto source = testing::open(path, wishes);
    const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
    const Run all = run(*source, spec, 2, 3 * pictures, 5);
    CHECK(all.frames == 3 * pictures);
    CHECK(all.right);
    CHECK(all.copied_bytes == 0);
    CHECK(std::ranges::all_of(all.steps, [](std::int64_t step) { return step == 20'000; }));
    source->release();
}

TEST_CASE("a y4m film is found in its middle, whatever its headers say") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.y4m");
    write_file(path, y4m_bytes(spec, "420jpeg")); // with other headers in between
    for (int first = 0; first < pictures; ++first) {
        CAPTURE(first);
        CaptureWishes wishes;
        wishes.playback.seek = 0.04 * first;
        const auto source = testing::open(path, wishes);
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        const Run all = run(*source, spec, 2, 1000, first);
        CHECK(all.frames == pictures - first);
        CHECK(all.right);
        source->release();
    }
}

TEST_CASE("a path that is given up costs no raw picture, and too few buffers cost copies") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.raw");
    write_file(path, raw_bytes(spec));
    const auto source = testing::open(path, raw_wishes("YU12", spec));
    for (const std::uint32_t buffers : {2U, 3U, 5U}) {
        CAPTURE(buffers);
        const SharedMemory memory = give_memory(*source, buffers);
        for (int i = 0; i < 2; ++i)
            REQUIRE(source->give_back(next(*source)->index));
        source->release();
    }
    const SharedMemory memory = give_memory(*source, 2);
    const Run all = run(*source, spec, 0);
    CHECK(all.frames == pictures);
    CHECK(all.right);
    CHECK(all.copied_bytes % source->format().sizeimage() == 0);
    source->release();
}

TEST_CASE("raw pictures are also read into place for a sink that keeps all it gets") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.raw");
    write_file(path, raw_bytes(spec));
    const auto source = testing::open(path, raw_wishes("YU12", spec));
    Result<SharedMemory> memory = SharedMemory::plain(source->format(), 4 + source->extra_buffers());
    REQUIRE(memory);
    REQUIRE(source->use(MemoryRole::touches, memory->buffers()));
    source->hold_back();
    REQUIRE(source->start());
    const Run all = run(*source, spec, 3);
    CHECK(source->available() == 1);
    CHECK(all.frames == pictures);
    CHECK(all.right);
    CHECK(all.copied_bytes == 0);
    source->release();
}

TEST_CASE("the colours of a y4m film are what its header says") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.y4m");
    for (const auto& [tag, quantization] : {std::pair{"XCOLORRANGE=FULL", V4L2_QUANTIZATION_FULL_RANGE},
                                            {"XCOLORRANGE=LIMITED", V4L2_QUANTIZATION_LIM_RANGE}}) {
        CAPTURE(tag);
        write_file(path, y4m_bytes(spec, fmt::format("420mpeg2 {}", tag)));
        const auto source = testing::open(path);
        CHECK(source->format().colorimetry.quantization == static_cast<std::uint32_t>(quantization));
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        const Run all = run(*source, spec, 1);
        CHECK(all.frames == pictures);
        CHECK(all.right);
        CHECK(all.copied_bytes == 0);
        source->release();
    }
}

namespace {

/// Another program that writes into a pipe, in two parts.
class PipeWriter {
public:
    PipeWriter(std::string pipe, std::string first, std::string second)
        : thread_([this, pipe = std::move(pipe), first = std::move(first), second = std::move(second)] {
              const UniqueFd fd(::open(pipe.c_str(), O_WRONLY | O_CLOEXEC));
              write_all(fd.get(), first);
              go_on_.get_future().wait();
              write_all(fd.get(), second);
          }) {}
    PipeWriter(const PipeWriter&) = delete;
    PipeWriter& operator=(const PipeWriter&) = delete;
    ~PipeWriter() { thread_.join(); }
    void go_on() { go_on_.set_value(); }

private:
    static void write_all(int fd, const std::string& bytes) {
        CHECK(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    }
    std::promise<void> go_on_;
    std::thread thread_;
};

} // namespace

TEST_CASE("pictures are read from a pipe into place, but for what FFmpeg has read of it before") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 320, .height = 240}; // more than a pipe and its reader hold
    const std::string y4m = y4m_bytes(spec, "420jpeg");
    const std::string raw = raw_bytes(spec);
    for (const bool is_raw : {true, false}) {
        CAPTURE(is_raw);
        const std::string pipe = folder.file(is_raw ? "raw" : "y4m");
        REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        CaptureWishes wishes = is_raw ? raw_wishes("YU12", spec) : CaptureWishes{};
        if (is_raw)
            wishes.playback.container = "raw";
        PipeWriter writer(pipe, is_raw ? raw : y4m, "");
        writer.go_on();
        const auto source = testing::open(pipe, wishes);
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        const Run all = run(*source, spec, 2);
        CHECK(all.frames == pictures);
        CHECK(all.right);
        CHECK(all.copied_bytes >= source->format().sizeimage());
        CHECK(all.copied_bytes <= source->format().sizeimage() + 64 * 1024);
        CHECK(std::ranges::all_of(all.steps, [](std::int64_t step) { return step == 40'000; }));
        source->release();
    }
}

TEST_CASE("a pipe's pictures come through few buffers, however many of them the sink holds") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    for (const std::uint32_t buffers : {2U, 3U, 5U, 10U})
        for (std::size_t out = 0; out < std::min(buffers, 5U); ++out) {
            CAPTURE(buffers);
            CAPTURE(out);
            const std::string pipe = folder.file(fmt::format("{}-{}", buffers, out));
            REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
            PipeWriter writer(pipe, y4m_bytes(spec, "420jpeg"), "");
            writer.go_on();
            const auto source = testing::open(pipe);
            CHECK(source->copies(MemoryRole::touches) == 1); // of the first one
            const SharedMemory memory = give_memory(*source, buffers);
            const Run all = run(*source, spec, out);
            CHECK(all.frames == pictures);
            CHECK(all.right);
            source->release();
        }
}

TEST_CASE("a path that is given up in the middle of a pipe's picture costs nothing of it") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 320, .height = 240};
    const std::string bytes = y4m_bytes(spec, "420jpeg");
    const std::string pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const std::size_t some = bytes.find("FRAME", bytes.find("FRAME X")) + 100'000; // of the third picture
    PipeWriter writer(pipe, bytes.substr(0, some), bytes.substr(some));
    const auto source = testing::open(pipe);
    {
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        REQUIRE(next(*source));
        source->release();
    }
    {
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        REQUIRE(next(*source));
        source->release();
    }
    writer.go_on();
    const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
    const Run all = run(*source, spec, 2);
    CHECK(all.frames == pictures);
    CHECK(all.right);
    source->release();
}

TEST_CASE("raw pictures that are wanted otherwise are converted") {
    const TemporaryFolder folder;
    const FilmSpec spec{.width = 96, .height = 32};
    const std::string path = folder.file("film.y4m");
    write_file(path, y4m_bytes(spec, "420jpeg"));
    CaptureWishes wishes;
    wishes.format = "YUYV";
    const auto source = testing::open(path, wishes);
    CHECK(source->copies(MemoryRole::touches) == 1);
    const SharedMemory memory = give_memory(*source, 4);
    std::uint64_t frames = 0;
    while (const std::optional<Frame> frame = next(*source)) {
        ++frames;
        CHECK(frame->copied_bytes == source->format().sizeimage());
        REQUIRE(source->give_back(frame->index));
    }
    CHECK(frames == pictures);
    source->release();
}
