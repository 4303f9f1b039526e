// SPDX-License-Identifier: MIT
#include "flow/media_source.h"

#include "support/film_file.h"
#include "support/film_play.h"
#include "support/temporary_folder.h"

#include <algorithm>
#include <deque>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/stat.h>

using namespace v4l2dma;
using testing::film_picture;
using testing::FilmSpec;
using testing::give_memory;
using testing::has_pixels;
using testing::make_film;
using testing::next;
using testing::open;
using testing::TemporaryFolder;

namespace {

struct Run {
    std::uint64_t frames = 0;
    std::uint64_t copied_bytes = 0;
    std::uint64_t bad = 0;
    bool right = true; ///< pixels, and sequence numbers
};

/// The whole film, with up to @p out frames at the sink at a time.
Run run(MediaSource& source, const FilmSpec& spec, std::size_t out) {
    Run result;
    std::vector<std::uint32_t> held;
    while (const std::optional<Frame> frame = next(source)) {
        result.right &= frame->metadata.sequence == result.frames + result.bad;
        if ((frame->metadata.flags & V4L2_BUF_FLAG_ERROR) != 0) {
            ++result.bad;
            REQUIRE(source.give_back(frame->index));
            continue;
        }
        CHECK(std::ranges::find(held, frame->index) == held.end());
        result.right &= has_pixels(*frame, *film_picture(spec, static_cast<int>(result.frames)));
        ++result.frames;
        result.copied_bytes += frame->copied_bytes;
        held.push_back(frame->index);
        if (held.size() > out) {
            REQUIRE(source.give_back(held.front()));
            held.erase(held.begin());
        }
    }
    return result;
}

/// Another program that writes a file into a pipe.
class PipeWriter {
public:
    PipeWriter(std::string file, std::string pipe)
        : thread_([file = std::move(file), pipe = std::move(pipe)] {
              const std::string bytes = testing::read_file(file);
              const UniqueFd fd(::open(pipe.c_str(), O_WRONLY | O_CLOEXEC));
              CHECK(::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
          }) {}
    PipeWriter(const PipeWriter&) = delete;
    PipeWriter& operator=(const PipeWriter&) = delete;
    ~PipeWriter() { thread_.join(); }

private:
    std::thread thread_;
};

FilmSpec long_film(const std::string& codec, int width, int height) {
    FilmSpec spec{.codec = codec, .width = width, .height = height, .times_ms = {}};
    for (int i = 0; i < 40; ++i)
        spec.times_ms.push_back(40 * i);
    return spec;
}

} // namespace

TEST_CASE("pictures are decoded into the sink's memory where that is possible, and the count says so") {
    const TemporaryFolder folder;
    // H.264 looks back at its pictures and reorders them; FFV1 keeps the last one for as long as it lives.
    for (const std::string codec : {"libx264", "ffv1"}) {
        CAPTURE(codec);
        const FilmSpec spec = long_film(codec, 128, 80);
        const std::string path = folder.file(codec + ".mkv");
        make_film(path, spec);
        const auto source = open(path);
        CHECK(source->format().text() == "YU12 128x80");
        CHECK(source->copies(MemoryRole::touches) == 0);
        CHECK(source->extra_buffers() > FilmReader::ahead);
        const SharedMemory memory = give_memory(*source, 6 + source->extra_buffers());
        const Run all = run(*source, spec, 3);
        CHECK(all.frames == 40);
        CHECK(all.right);
        CHECK(all.copied_bytes == 0);
        source->release();
    }
}

namespace {

/// What is behind each memory plane in its last page.
std::span<std::byte> behind(const PlaneMemory& plane) {
    return {plane.bytes.data() + plane.bytes.size(),
            round_up_to_page(plane.bytes.size()) - plane.bytes.size()};
}

void check_in_place(const std::string& path, const FilmSpec& spec, const CaptureWishes& wishes = {}) {
    make_film(path, spec);
    const auto elsewhere = Film::open(path, {});
    REQUIRE(elsewhere);
    const auto source = open(path, wishes);
    CHECK(source->copies(MemoryRole::touches) == 0);
    SharedMemory memory = give_memory(*source, 6 + source->extra_buffers());
    constexpr std::byte canary{0x5a};
    for (const BufferMemory& buffer : memory.buffers())
        for (const PlaneMemory& plane : buffer.used())
            std::ranges::fill(behind(plane), canary);
    std::uint64_t frames = 0;
    while (const std::optional<Frame> frame = next(*source)) {
        const Result<std::optional<FilmPicture>> picture = (*elsewhere)->next();
        REQUIRE((picture && *picture));
        CHECK(frame->copied_bytes == 0);
        CHECK(has_pixels(*frame, *(*picture)->frame));
        ++frames;
        REQUIRE(source->give_back(frame->index));
    }
    CHECK(frames == spec.times_ms.size());
    for (const BufferMemory& buffer : memory.buffers())
        for (const PlaneMemory& plane : buffer.used())
            CHECK(std::ranges::all_of(behind(plane), [](std::byte byte) { return byte == canary; }));
    source->release();
}

/// As an encoder of that codec takes it.
FilmSpec film_of(const std::string& codec, int width, int height, bool interlaced) {
    FilmSpec spec = long_film(codec, width, height);
    spec.interlaced = interlaced;
    spec.lossless = false;
    if (codec == "mjpeg") {
        spec.pixel_format = AV_PIX_FMT_YUVJ420P;
        spec.range = AVCOL_RANGE_JPEG;
    }
    return spec;
}

} // namespace

TEST_CASE("what is decoded in place is what is decoded elsewhere, and nothing is written behind it") {
    const TemporaryFolder folder;
    struct Case {
        std::string codec;
        std::string ending;
        std::vector<std::pair<int, int>> sizes; ///< the heights are as odd as the codec's blocks let them be
    };
    for (const Case& one :
         {Case{"libx264", ".mkv", {{128, 80}, {256, 208}, {384, 144}, {384, 160}}},
          Case{"mpeg1video", ".ts", {{128, 80}, {256, 208}}},
          Case{"mpeg2video", ".ts", {{128, 96}, {384, 160}}}, Case{"mpeg4", ".avi", {{128, 80}, {256, 208}}},
          Case{"mjpeg", ".avi", {{128, 96}, {384, 160}}}, Case{"libvpx", ".webm", {{128, 80}, {256, 208}}},
          Case{"libx265", ".mkv", {{128, 80}, {256, 208}}}, Case{"ffv1", ".mkv", {{128, 75}, {256, 201}}}})
        for (const auto& [width, height] : one.sizes)
            for (const bool interlaced : {false, true}) {
                // Other encoders make no fields; H.264 has blocks of both, and is copied where they do not
                // fit.
                const bool makes_fields = one.codec == "mpeg2video" || one.codec == "mpeg4" ||
                                          (one.codec == "libx264" && height % 32 == 0);
                if (interlaced && !makes_fields)
                    continue;
                CAPTURE(one.codec);
                CAPTURE(height);
                CAPTURE(interlaced);
                check_in_place(folder.file("film" + one.ending),
                               film_of(one.codec, width, height, interlaced));
            }
}

TEST_CASE("planes that lie apart have room for blocks that are not whole") {
    const TemporaryFolder folder;
    for (const auto& [codec, ending] : {std::pair{"libx264", ".mkv"},
                                        {"libx265", ".mkv"},
                                        {"mpeg2video", ".ts"},
                                        {"mpeg4", ".avi"},
                                        {"mjpeg", ".avi"},
                                        {"libvpx", ".webm"}}) {
        CAPTURE(codec);
        const std::string path = folder.file(std::string("film") + ending);
        check_in_place(path, film_of(codec, 384, 120, false),
                       {.width = {}, .height = {}, .format = "YM12", .fps = {}});
        CHECK(open(path)->copies(MemoryRole::touches) == 1);
    }
}

TEST_CASE("decoders that write whole blocks of two fields get no memory that has not so many rows") {
    const TemporaryFolder folder;
    for (const auto& [codec, ending, interlaced] : {std::tuple{"mpeg2video", ".ts", true},
                                                    {"mpeg2video", ".ts", false},
                                                    {"mjpeg", ".avi", false},
                                                    {"libx264", ".mkv", true}}) {
        CAPTURE(codec);
        const std::string path = folder.file(std::string("film") + ending);
        make_film(path, film_of(codec, 256, 208, interlaced));
        CHECK(open(path)->copies(MemoryRole::touches) == 1);
    }
}

TEST_CASE("with too few buffers pictures are copied, and none is lost or torn") {
    const TemporaryFolder folder;
    const FilmSpec spec = long_film("libx264", 128, 80);
    const std::string path = folder.file("film.mkv");
    make_film(path, spec);
    for (const std::uint32_t buffers : {2U, 3U, 5U}) {
        CAPTURE(buffers);
        const auto source = open(path);
        const SharedMemory memory = give_memory(*source, buffers);
        const Run all = run(*source, spec, buffers - 2);
        CHECK(all.frames == 40);
        CHECK(all.right);
        CHECK(all.copied_bytes > 0);
        CHECK(all.copied_bytes % source->format().sizeimage() == 0);
    }
}

namespace {

/// The whole film into a sink that gives the oldest frame back only when it gets no more.
Run run_into_keeper(MediaSource& source, const FilmSpec& spec, std::size_t& most_kept) {
    Run result;
    std::deque<std::uint32_t> held;
    while (!source.ended()) {
        if (source.available() == 0 && !held.empty()) {
            REQUIRE(source.give_back(held.front()));
            held.pop_front();
        }
        pollfd waiting{.fd = source.event_fd(), .events = POLLIN, .revents = 0};
        REQUIRE(::poll(&waiting, 1, 10'000) == 1);
        const Result<std::optional<Frame>> taken = source.take();
        REQUIRE(taken);
        const std::optional<Frame>& frame = *taken;
        if (!frame)
            continue;
        result.right &= has_pixels(*frame, *film_picture(spec, static_cast<int>(result.frames)));
        ++result.frames;
        result.copied_bytes += frame->copied_bytes;
        held.push_back(frame->index);
        most_kept = std::max(most_kept, held.size());
    }
    return result;
}

} // namespace

TEST_CASE("a sink that keeps all it gets does not get the buffers that the decoder needs") {
    const TemporaryFolder folder;
    for (const std::string codec : {"libx264", "ffv1"}) {
        CAPTURE(codec);
        const FilmSpec spec = long_film(codec, 128, 80);
        const std::string path = folder.file(codec + ".mkv");
        make_film(path, spec);
        const auto source = open(path);
        const std::uint32_t own = source->extra_buffers();
        Result<SharedMemory> memory = SharedMemory::plain(source->format(), 6 + own);
        REQUIRE(memory);
        REQUIRE(source->use(MemoryRole::touches, memory->buffers()));
        source->hold_back();
        REQUIRE(source->start());
        std::size_t most_kept = 0;
        const Run all = run_into_keeper(*source, spec, most_kept);
        CHECK(all.frames == 40);
        CHECK(all.right);
        CHECK(all.copied_bytes == 0);
        CHECK(most_kept == 6);
        source->release();
    }
}

TEST_CASE("with too few buffers for both nothing is held back from a sink that keeps all it gets") {
    const TemporaryFolder folder;
    const FilmSpec spec = long_film("libx264", 128, 80);
    const std::string path = folder.file("film.mkv");
    make_film(path, spec);
    const std::uint32_t own = open(path)->extra_buffers();
    for (const std::uint32_t buffers : {2U, 4U, own, own + 3}) {
        CAPTURE(buffers);
        const auto source = open(path);
        Result<SharedMemory> memory = SharedMemory::plain(source->format(), buffers);
        REQUIRE(memory);
        REQUIRE(source->use(MemoryRole::touches, memory->buffers()));
        source->hold_back();
        REQUIRE(source->start());
        std::size_t most_kept = 0;
        const Run all = run_into_keeper(*source, spec, most_kept);
        CHECK(all.frames == 40);
        CHECK(all.right);
        CHECK(all.copied_bytes > 0);
        source->release();
    }
}

TEST_CASE("what does not fit is copied once") {
    const TemporaryFolder folder;
    // Rows that are no whole blocks; lines that do not begin where a vector does; a decoder without this way.
    for (const FilmSpec& spec : {long_film("libx264", 128, 72), long_film("libx264", 98, 64)}) {
        const std::string path = folder.file("film.mkv");
        make_film(path, spec);
        const auto source = open(path);
        CHECK(source->copies(MemoryRole::touches) == 1);
        CHECK(source->extra_buffers() == 0);
        const SharedMemory memory = give_memory(*source, 4);
        const Run all = run(*source, spec, 2);
        CHECK(all.frames == 40);
        CHECK(all.right);
        CHECK(all.copied_bytes == 40 * source->format().sizeimage());
    }
}

TEST_CASE("every pixel format of a lossless film that V4L2 has a name for arrives as it is") {
    const TemporaryFolder folder;
    for (const std::string name :
         {"yuv420p", "yuv422p",  "yuv411p",  "yuv410p",  "nv12",     "nv21",    "yuyv422",
          "uyvy422", "rgb24",    "bgr24",    "bgr0",     "bgra",     "rgb0",    "rgba",
          "gray",    "gray10le", "gray12le", "gray16le", "rgb565le", "rgb48le", "bayer_rggb8"}) {
        CAPTURE(name);
        FilmSpec spec{.codec = "rawvideo", .width = 96, .height = 32};
        spec.pixel_format = av_get_pix_fmt(name.c_str());
        const std::string path = folder.file("film.nut");
        make_film(path, spec);
        const auto source = open(path);
        CHECK(av_pixel_format(source->format().fourcc) == spec.pixel_format);
        const SharedMemory memory = give_memory(*source, 4);
        const Run all = run(*source, spec, 1);
        CHECK(all.frames == spec.times_ms.size());
        CHECK(all.right);
    }
}

TEST_CASE("a raw file's frames arrive byte for byte in every format that FFmpeg has a name for") {
    const TemporaryFolder folder;
    const std::string path = folder.file("frames.raw");
    unsigned formats = 0;
    for (const PixelFormat& entry : pixel_formats()) {
        if (find_av_format(entry.fourcc) == nullptr || entry.memory_planes() != 1)
            continue;
        CAPTURE(entry.fourcc.text());
        ++formats;
        const FrameFormat format = *tight_format(entry.fourcc, 96, 32);
        std::string bytes;
        for (std::uint32_t i = 0; i < 3 * format.sizeimage(); ++i)
            bytes.push_back(static_cast<char>(i * i / 7 + i));
        std::ofstream(path, std::ios::binary) << bytes;
        CaptureWishes wishes;
        wishes.format = entry.fourcc.text();
        wishes.width = 96;
        wishes.height = 32;
        const auto source = open(path, wishes);
        CHECK(source->format().fourcc == entry.fourcc);
        const SharedMemory memory = give_memory(*source, 4 + source->extra_buffers());
        std::string got;
        while (const std::optional<Frame> frame = next(*source)) {
            const Result<FrameBytes> frame_bytes = FrameBytes::of(*frame);
            REQUIRE(frame_bytes);
            const auto plane = frame_bytes->planes()[0];
            got.append(reinterpret_cast<const char*>(plane.data()), plane.size());
            CHECK(frame->copied_bytes == 0);
            REQUIRE(source->give_back(frame->index));
        }
        CHECK(got == bytes);
    }
    CHECK(formats > 50);
}

TEST_CASE("odd sizes arrive to the last pixel") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    for (const auto& [width, height] : {std::pair{65, 33}, {1, 1}, {3, 2}, {2, 3}}) {
        CAPTURE(width);
        const FilmSpec spec{.codec = "ffv1", .width = width, .height = height};
        make_film(path, spec);
        const auto source = open(path);
        CHECK(source->format().width == static_cast<std::uint32_t>(width));
        const SharedMemory memory = give_memory(*source, 4);
        const Run all = run(*source, spec, 1);
        CHECK(all.frames == spec.times_ms.size());
        CHECK(all.right);
    }
}

TEST_CASE("a path that is given up costs no picture") {
    const TemporaryFolder folder;
    const FilmSpec spec = long_film("libx264", 128, 80);
    const std::string path = folder.file("film.ts");
    make_film(path, spec);
    const auto source = open(path);
    for (int i = 0; i < 3; ++i) {
        const SharedMemory memory = give_memory(*source, 20);
        REQUIRE(next(*source));
        source->release();
    }
    const SharedMemory memory = give_memory(*source, 20);
    const Run all = run(*source, spec, 3);
    CHECK(all.frames == 40);
    CHECK(all.right);
    source->release();
}

TEST_CASE("a pipe is read to its end, and a path that is given up costs no picture of it either") {
    const TemporaryFolder folder;
    const FilmSpec spec = long_film("libx264", 128, 80);
    const std::string path = folder.file("film.ts");
    make_film(path, spec);
    const std::string pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const PipeWriter writer(path, pipe);
    const auto source = open(pipe);
    {
        const SharedMemory memory = give_memory(*source, 6);
        const std::optional<Frame> first = next(*source);
        REQUIRE(first);
        source->release();
    }
    const SharedMemory memory = give_memory(*source, 6);
    const Run all = run(*source, spec, 2);
    CHECK(all.frames == 40);
    CHECK(all.right);
    CHECK(all.copied_bytes == 40 * source->format().sizeimage());
    source->release();
}

TEST_CASE("a film that is stopped goes on where it was, also from a pipe") {
    const TemporaryFolder folder;
    const FilmSpec spec = long_film("ffv1", 128, 80);
    const std::string path = folder.file("film.mkv");
    make_film(path, spec);
    const std::string pipe = folder.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    for (const std::string& name : {path, pipe}) {
        CAPTURE(name);
        std::optional<PipeWriter> writer;
        if (name == pipe)
            writer.emplace(path, pipe);
        const auto source = open(name);
        const SharedMemory memory = give_memory(*source, 20);
        std::chrono::microseconds last{};
        for (int i = 0; i < 40; ++i) {
            const std::optional<Frame> frame = next(*source);
            REQUIRE(frame);
            CHECK(has_pixels(*frame, *film_picture(spec, i)));
            CHECK(frame->metadata.timestamp > last);
            last = frame->metadata.timestamp;
            REQUIRE(source->give_back(frame->index));
            source->stop();
            REQUIRE(source->start());
        }
        CHECK_FALSE(next(*source));
        source->release();
    }
}

TEST_CASE("formats and sizes are what is wished for") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.codec = "libx264", .width = 128, .height = 64, .aspect = {2, 1}});
    CHECK(open(path)->format().text() == "YU12 256x64");
    CaptureWishes wishes;
    wishes.format = "nv12";
    wishes.height = 32;
    CHECK(open(path, wishes)->format().text() == "NV12 128x32");
    CHECK(open(path, wishes)->other_formats().empty());
    wishes.format = "H264";
    CHECK(open(path, wishes)->format().text() == "H264 128x64");
    wishes.format = "MJPG";
    const auto wrong = MediaSource::open(path, wishes);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().kind == ErrorKind::usage);
    CHECK(wrong.error().remedy.find("H264") != std::string::npos);
    wishes = {};
    wishes.playback.packets =
        Packets::preferred; // but its packets are in another order, and its pixels not square
    CHECK(open(path, wishes)->format().text() == "YU12 256x64");
    const std::string pictures = folder.file("film.avi");
    make_film(pictures, {.codec = "mjpeg", .pixel_format = AV_PIX_FMT_YUVJ420P, .range = AVCOL_RANGE_JPEG});
    CHECK(open(pictures, wishes)->format().text() == "MJPG 64x48");
    wishes = {};
    wishes.controls = {"brightness=1"};
    CHECK(MediaSource::open(path, wishes).error().kind == ErrorKind::usage);
}

TEST_CASE("a sink finds what it takes among the other formats, the compressed one at last") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.codec = "libx264", .width = 128, .height = 64});
    const auto source = open(path);
    const std::vector<FrameFormat> others = source->other_formats();
    REQUIRE(others.size() > 20);
    CHECK(others.back().fourcc == FourCC("H264"));
    CHECK(std::ranges::find(others, FourCC("YUYV"), &FrameFormat::fourcc) != others.end());
    CHECK(std::ranges::find(others, FourCC("YU12"), &FrameFormat::fourcc) == others.end());
    REQUIRE(source->set_format(others.back()));
    const SharedMemory memory = give_memory(*source, 4);
    std::uint64_t frames = 0;
    while (const std::optional<Frame> frame = next(*source)) {
        CHECK(frame->metadata.payload() > 0);
        CHECK(frame->copied_bytes == frame->metadata.payload());
        CHECK(((frame->metadata.flags & V4L2_BUF_FLAG_KEYFRAME) != 0) == (frames % 4 == 0));
        ++frames;
        REQUIRE(source->give_back(frame->index));
    }
    CHECK(frames == 8);
}

TEST_CASE("frames come at the film's times, and say so") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.times_ms = {0, 10, 15, 60}});
    Result<std::unique_ptr<MediaSource>> source = MediaSource::open(path, {});
    REQUIRE(source);
    const SharedMemory memory = give_memory(**source, 6);
    std::vector<std::int64_t> times;
    while (const std::optional<Frame> frame = next(**source)) {
        CHECK(real_system().now() >= frame->metadata.timestamp);
        times.push_back(frame->metadata.timestamp.count());
        REQUIRE((*source)->give_back(frame->index));
    }
    REQUIRE(times.size() == 4);
    CHECK(times[1] - times[0] == 10'000);
    CHECK(times[2] - times[0] == 15'000);
    CHECK(times[3] - times[0] == 60'000);
    CHECK((*source)->progress() > 0.5);
    (*source)->release();
}

TEST_CASE("a film that changes its size in its middle keeps its frames' size") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.ts");
    make_film(path, {.codec = "libx264", .width = 128, .height = 80, .width_from = 4});
    const auto source = open(path);
    const SharedMemory memory = give_memory(*source, 20);
    std::uint64_t frames = 0;
    std::uint64_t copied = 0;
    while (const std::optional<Frame> frame = next(*source)) {
        CHECK((frame->metadata.flags & V4L2_BUF_FLAG_ERROR) == 0);
        CHECK(frame->format->width == 128);
        ++frames;
        copied += frame->copied_bytes;
        REQUIRE(source->give_back(frame->index));
    }
    CHECK(frames == 8);
    CHECK(copied == 4 * source->format().sizeimage());
    source->release();
}
