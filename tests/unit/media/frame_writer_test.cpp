// SPDX-License-Identifier: MIT
#include "media/frame_writer.h"

#include "format/pixel_format.h"
#include "media/av_format.h"
#include "media/copying_writer.h"
#include "media/encoder_choice.h"
#include "media/film.h"
#include "media/video_encoder.h"
#include "support/av_picture.h"
#include "support/guarded_memory.h"
#include "support/jpeg.h"
#include "support/temporary_folder.h"
#include "support/test_frame.h"

#include <doctest/doctest.h>
#include <random>
#include <utility>

using namespace v4l2dma;
using namespace v4l2dma::testing;
using namespace v4l2dma::test;
using namespace std::chrono_literals;

namespace {

/// The bits of a row's byte that mean something: sensors' grey has fewer than its words, "X" is nothing.
std::byte meaning(AVPixelFormat format, std::size_t position) {
    if (format == AV_PIX_FMT_BGR0 || format == AV_PIX_FMT_RGB0)
        return std::byte{position % 4 == 3 ? std::uint8_t{0} : std::uint8_t{0xff}};
    if (format == AV_PIX_FMT_GRAY10LE || format == AV_PIX_FMT_GRAY12LE || format == AV_PIX_FMT_GRAY14LE) {
        const int high = av_pix_fmt_desc_get(format)->comp[0].depth - 8;
        return position % 2 == 0 ? std::byte{0xff} : static_cast<std::byte>((1 << high) - 1);
    }
    return std::byte{0xff};
}

bool same_row(AVPixelFormat format, std::span<const std::byte> a, std::span<const std::byte> b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (((a[i] ^ b[i]) & meaning(format, i)) != std::byte{0})
            return false;
    return true;
}

void fill_with_noise(TestFrame& frame, unsigned seed) {
    std::mt19937 random(seed);
    for (std::uint32_t plane = 0; plane < frame.layout().plane_count; ++plane)
        for (std::uint32_t row = 0; row < frame.layout().planes[plane].rows; ++row)
            for (std::size_t i = 0; i < frame.layout().planes[plane].row_bytes; ++i)
                frame.row(plane, row)[i] =
                    static_cast<std::byte>(random()) & meaning(av_pixel_format(frame.format().fourcc), i);
}

/// A writer for frames of a format, and what it is made with.
struct Writing {
    Writing(const std::string& name, const FrameFormat& source, const ExportWishes& wishes = {},
            const StreamProperties& properties = {}, const Urgency* urgency = nullptr) {
        const Result<ExportTarget> target = resolve_export_target(name, wishes);
        REQUIRE(target);
        files.emplace(*OutputFiles::create(*target, {}));
        Result<std::unique_ptr<FrameWriter>> made = make_frame_writer({.target = *target,
                                                                       .wishes = wishes,
                                                                       .source = source,
                                                                       .properties = properties,
                                                                       .file = {.urgency = urgency}},
                                                                      &*files);
        if (made)
            writer = std::move(*made);
        else
            error = made.error();
    }

    std::optional<OutputFiles> files;
    std::unique_ptr<FrameWriter> writer;
    std::optional<Error> error;
};

/// FFmpeg's own demuxer and decoder: the pixels of a file's pictures.
std::vector<AvPicture> read_film(const std::string& name) {
    std::vector<AvPicture> pictures;
    AVFormatContext* input = nullptr;
    REQUIRE(avformat_open_input(&input, name.c_str(), nullptr, nullptr) == 0);
    REQUIRE(avformat_find_stream_info(input, nullptr) >= 0);
    AVCodecContext* decoder =
        avcodec_alloc_context3(avcodec_find_decoder(input->streams[0]->codecpar->codec_id));
    REQUIRE(avcodec_parameters_to_context(decoder, input->streams[0]->codecpar) == 0);
    REQUIRE(avcodec_open2(decoder, nullptr, nullptr) == 0);
    AVPacket* packet = av_packet_alloc();
    const auto take = [&] {
        AvPicture picture(av_frame_alloc());
        while (avcodec_receive_frame(decoder, picture.get()) == 0) {
            pictures.push_back(std::move(picture));
            picture.reset(av_frame_alloc());
        }
    };
    while (av_read_frame(input, packet) == 0) {
        REQUIRE(avcodec_send_packet(decoder, packet) == 0);
        av_packet_unref(packet);
        take();
    }
    (void)avcodec_send_packet(decoder, nullptr);
    take();
    av_packet_free(&packet);
    avcodec_free_context(&decoder);
    avformat_close_input(&input);
    return pictures;
}

void write_frames(FrameWriter& writer, std::span<const TestFrame> frames) {
    REQUIRE(writer.begin({.rate = 25, .most_borrowed = 3}));
    std::chrono::microseconds time{};
    for (const TestFrame& frame : frames) {
        const auto planes = frame.planes();
        const Result<FrameWritten> written = writer.write({.planes = planes, .time = time, .owner = nullptr});
        REQUIRE(written);
        CHECK(!written->bad);
        time += 40ms;
    }
    REQUIRE(writer.finish(true));
    CHECK(writer.summary().frames == frames.size());
}

} // namespace

TEST_CASE("ffv1 and rawvideo keep every bit of every format that they take") {
    for (const std::string codec : {"ffv1", "rawvideo"}) {
        unsigned kept = 0;
        for (const PixelFormat& entry : pixel_formats()) {
            if (av_pixel_format(entry.fourcc) == AV_PIX_FMT_NONE)
                continue;
            const TemporaryFolder folder;
            const std::string name = folder.file("film.nut");
            std::vector<TestFrame> frames;
            for (unsigned i = 0; i < 3; ++i) {
                frames.emplace_back(entry.fourcc,
                                    TestFrame::Shape{.width = 68, .height = 36, .line_padding = 24});
                fill_with_noise(frames.back(), i);
            }
            CAPTURE(codec);
            CAPTURE(entry.fourcc.text());
            Writing writing(name, frames[0].format(), {.codec = codec});
            if (!writing.writer)
                continue; // nut has no name for it
            if (writing.writer->converted() &&
                av_pixel_format(writing.writer->converted()->fourcc) != av_pixel_format(entry.fourcc))
                continue; // the codec does not take it
            write_frames(*writing.writer, frames);
            const std::vector<AvPicture> pictures = read_film(name);
            REQUIRE(pictures.size() == frames.size());
            if (pictures[0]->format != av_pixel_format(entry.fourcc))
                continue; // the file has another name for it
            for (std::size_t i = 0; i < frames.size(); ++i) {
                TestFrame copy(entry.fourcc, {.width = 68, .height = 36, .line_padding = 24});
                copy_into(copy, *pictures[i]);
                bool same = true;
                for (std::uint32_t plane = 0; plane < copy.layout().plane_count; ++plane)
                    for (std::uint32_t row = 0; row < copy.layout().planes[plane].rows; ++row) {
                        const std::size_t length = copy.layout().planes[plane].row_bytes;
                        same = same &&
                               same_row(av_pixel_format(entry.fourcc), copy.row(plane, row).first(length),
                                        frames[i].row(plane, row).first(length));
                    }
                CHECK(same);
            }
            ++kept;
        }
        MESSAGE(codec, " keeps ", kept, " formats");
        CHECK(kept >= 10);
    }
}

TEST_CASE("encoders that borrow read nothing beyond the rows") {
    for (const char* const codec : {"libx264", "ffv1", "rawvideo"}) {
        for (const char* const fourcc : {"NV12", "YU12", "422P", "GREY", "XR24", "BGR3"}) {
            for (const std::uint32_t width : {64U, 66U, 250U}) {
                const TemporaryFolder folder;
                const Result<FrameFormat> format = tight_format(*FourCC::parse(fourcc), width, 34);
                REQUIRE(format);
                Writing writing(folder.file("film.nut"), *format, {.codec = codec});
                if (!writing.writer || writing.writer->converted())
                    continue;
                CAPTURE(codec);
                CAPTURE(fourcc);
                CAPTURE(width);
                CHECK(writing.writer->copied_bytes() == 0);
                const GuardedMemory memory(format->sizeimage());
                const std::span<const std::byte> plane = memory.bytes();
                REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
                for (int i = 0; i < 4; ++i) {
                    const Result<FrameWritten> written =
                        writing.writer->write({.planes = {&plane, 1}, .time = i * 40ms, .owner = nullptr});
                    REQUIRE(written);
                    CHECK(written->copied_bytes == 0);
                }
                CHECK(writing.writer->finish(true));
            }
        }
    }
}

TEST_CASE("a frame is given back when the encoder is done with it, and only then") {
    const TemporaryFolder folder;
    TestFrame frame("NV12", {});
    fill_with_noise(frame, 1);
    for (const char* const codec : {"libx264", "ffv1", "mpeg4", "rawvideo"}) {
        CAPTURE(codec);
        Writing writing(folder.file(std::string(codec) + ".nut"), frame.format(), {.codec = codec});
        REQUIRE(writing.writer);
        REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
        std::vector<std::weak_ptr<const void>> owners;
        const auto planes = frame.planes();
        for (int i = 0; i < 20; ++i) {
            const auto owner = std::make_shared<const int>(i);
            owners.emplace_back(owner);
            const std::vector<std::span<const std::byte>> constant(planes.begin(), planes.end());
            REQUIRE(writing.writer->write({.planes = constant, .time = i * 40ms, .owner = owner}));
            const auto out = std::ranges::count_if(owners, [](const auto& weak) { return !weak.expired(); });
            CHECK(out <= 3); // this one, and what leaves room for another one
        }
        CHECK(writing.writer->finish(true));
        CHECK(std::ranges::all_of(owners, [](const auto& weak) { return weak.expired(); }));
    }
}

TEST_CASE("JPEG frames go into a container as they are") {
    const TemporaryFolder folder;
    const std::vector<std::byte> jpeg = make_jpeg(64, 48, {80, 90, 200});
    const FrameFormat format{
        .fourcc = FourCC("MJPG"), .width = 64, .height = 48, .planes = {MemoryPlane{0, 100'000}}};
    for (const char* const extension : {"mkv", "mp4", "avi", "mov"}) {
        CAPTURE(extension);
        const std::string name = folder.file(std::string("film.") + extension);
        Writing writing(name, format);
        REQUIRE(writing.writer);
        CHECK(!writing.writer->converted());
        REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
        const std::span<const std::byte> plane = jpeg;
        for (int i = 0; i < 3; ++i)
            REQUIRE(writing.writer->write({.planes = {&plane, 1}, .time = i * 40ms, .owner = nullptr}));
        REQUIRE(writing.writer->finish(true));
        CHECK(writing.writer->summary().codec == "copy");
        AVFormatContext* input = nullptr;
        REQUIRE(avformat_open_input(&input, name.c_str(), nullptr, nullptr) == 0);
        AVPacket* packet = av_packet_alloc();
        int count = 0;
        while (av_read_frame(input, packet) == 0) {
            ++count;
            CHECK(std::ranges::equal(
                std::as_bytes(std::span(packet->data, static_cast<std::size_t>(packet->size))), jpeg));
            av_packet_unref(packet);
        }
        CHECK(count == 3);
        av_packet_free(&packet);
        avformat_close_input(&input);
    }
}

TEST_CASE("JPEG frames are decoded for an encoder, and a broken one is left out") {
    const TemporaryFolder folder;
    const std::vector<std::byte> jpeg = make_jpeg(64, 48, {80, 90, 200});
    const FrameFormat format{
        .fourcc = FourCC("MJPG"), .width = 64, .height = 48, .planes = {MemoryPlane{0, 100'000}}};
    const std::string name = folder.file("film.mkv");
    Writing writing(name, format, {.codec = "ffv1"});
    REQUIRE(writing.writer);
    REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
    const std::span<const std::byte> whole = jpeg;
    const std::span<const std::byte> broken = whole.first(20);
    CHECK(!writing.writer->write({.planes = {&whole, 1}, .time = 0ms, .owner = nullptr})->bad);
    CHECK(writing.writer->write({.planes = {&broken, 1}, .time = 40ms, .owner = nullptr})->bad);
    CHECK(!writing.writer->write({.planes = {&whole, 1}, .time = 80ms, .owner = nullptr})->bad);
    CHECK(writing.writer->finish(true));
    CHECK(read_film(name).size() == 2);
}

TEST_CASE("H264 frames are copied from the first key frame on, with their parameter sets in the header") {
    const TemporaryFolder folder;
    const std::string annex_b = folder.file("film.h264");
    TestFrame frame("YU12", {.width = 64, .height = 64});
    std::vector<TestFrame> frames(5, frame);
    for (unsigned i = 0; i < frames.size(); ++i)
        fill_with_noise(frames[i], i);
    {
        Writing writing(annex_b, frame.format(), {.codec = "libx264", .preset = "ultrafast"});
        REQUIRE(writing.writer);
        write_frames(*writing.writer, frames);
    }
    AVFormatContext* input = nullptr;
    REQUIRE(avformat_open_input(&input, annex_b.c_str(), nullptr, nullptr) == 0);
    REQUIRE(avformat_find_stream_info(input, nullptr) >= 0);
    std::vector<std::vector<std::byte>> packets;
    AVPacket* packet = av_packet_alloc();
    while (av_read_frame(input, packet) == 0) {
        const auto bytes = std::as_bytes(std::span(packet->data, static_cast<std::size_t>(packet->size)));
        packets.emplace_back(bytes.begin(), bytes.end());
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&input);
    REQUIRE(packets.size() == frames.size());

    const FrameFormat format{
        .fourcc = FourCC("H264"), .width = 64, .height = 64, .planes = {MemoryPlane{0, 100'000}}};
    for (const char* const extension : {"mkv", "mp4", "ts"}) {
        CAPTURE(extension);
        const std::string name = folder.file(std::string("copy.") + extension);
        Writing writing(name, format);
        REQUIRE(writing.writer);
        REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
        const std::span<const std::byte> late = packets[1]; // a stream that is entered in the middle
        CHECK(writing.writer->write({.planes = {&late, 1}, .time = 0ms, .owner = nullptr})->bad);
        std::chrono::milliseconds time = 40ms;
        for (const std::vector<std::byte>& bytes : packets) {
            const std::span<const std::byte> plane = bytes;
            CHECK(!writing.writer->write({.planes = {&plane, 1}, .time = time, .owner = nullptr})->bad);
            time += 40ms;
        }
        REQUIRE(writing.writer->finish(true));
        CHECK(read_film(name).size() == packets.size());
    }
}

TEST_CASE("what cannot be written is said before frames come") {
    const TemporaryFolder folder;
    const FrameFormat nv12 = *tight_format(FourCC("NV12"), 64, 48);
    const auto refused = [&](const char* name, const FrameFormat& source, const ExportWishes& wishes) {
        Writing writing(folder.file(name), source, wishes);
        REQUIRE(writing.error);
        CHECK(folder.count() == 0);
        return *writing.error;
    };
    CHECK(refused("a.mkv", nv12, {.codec = "libx2645"}).remedy.contains("libx264"));
    CHECK(refused("a.mp4", nv12, {.codec = "ffv1"}).kind == ErrorKind::usage);
    CHECK(refused("a.mkv", nv12, {.codec = "vp7"}).kind == ErrorKind::unsupported);
    CHECK(refused("a.mkv", nv12, {.codec = "libx264", .preset = "fats"}).kind == ErrorKind::usage);
    CHECK(refused("a.mkv", nv12, {.codec = "libx264", .preset = "fats"}).remedy.contains("fast"));
    CHECK(refused("a.mkv", nv12, {.codec = "ffv1", .preset = "fast"}).kind == ErrorKind::usage);
    CHECK(refused("a.mkv", nv12, {.codec = "copy"}).kind == ErrorKind::usage);
    CHECK(refused("a.y4m", nv12, {.bitrate = 1000}).kind == ErrorKind::usage);
    const FrameFormat h264{.fourcc = FourCC("H264"), .width = 64, .height = 48};
    CHECK(refused("a.webm", h264, {}).kind == ErrorKind::usage);
    CHECK(refused("a.mkv", h264, {.codec = "ffv1"}).kind == ErrorKind::unsupported);
}

TEST_CASE("a frame is no key frame where its source says so, whatever its bits say") {
    const TemporaryFolder folder;
    const FrameFormat vp8{
        .fourcc = FourCC("VP80"), .width = 64, .height = 64, .planes = {MemoryPlane{0, 100'000}}};
    Writing writing(folder.file("a.mkv"), vp8);
    REQUIRE(writing.writer);
    REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
    const std::array<std::byte, 4> bytes{}; // its bits say that it is one
    const std::span<const std::byte> plane = bytes;
    CHECK(writing.writer->write({.planes = {&plane, 1}, .time = 0ms, .key = false, .owner = nullptr})->bad);
    CHECK(!writing.writer->write({.planes = {&plane, 1}, .time = 40ms, .key = true, .owner = nullptr})->bad);
    CHECK(writing.writer->finish(true));
}

TEST_CASE("packets keep both times, and go only where there are such") {
    const TemporaryFolder folder;
    const FrameFormat h264{
        .fourcc = FourCC("H264"), .width = 64, .height = 64, .planes = {MemoryPlane{0, 100'000}}};
    const StreamProperties reordered{.reorders = true};
    const auto can = [&](const char* name, const FrameFormat& format, const StreamProperties& properties,
                         const ExportWishes& wishes = {}) {
        const Result<ExportTarget> target = resolve_export_target(folder.file(name), wishes);
        REQUIRE(target);
        return can_be_written(
            {.target = *target, .wishes = wishes, .source = format, .properties = properties});
    };
    CHECK(can("a.mkv", h264, reordered));
    CHECK(can("a.avi", h264, {}));
    CHECK(!can("a.avi", h264, reordered));
    CHECK(can("a.h264", h264, reordered));
    CHECK(!can("a.webm", h264, {}));
    CHECK(!can("a.png", h264, {}));
    CHECK(can("a.raw", h264, {}));
    CHECK(!can("a.mkv", h264, {}, {.codec = "ffv1"}));
    CHECK(can("a.webm", h264, {}, {.codec = "copy"})); // and make_frame_writer() says why not
    CHECK(Writing(folder.file("a.avi"), h264, {.codec = "copy"}, reordered).error->kind == ErrorKind::usage);

    const std::string name = folder.file("a.nut");
    Writing writing(name, h264, {}, reordered);
    REQUIRE(writing.writer);
    REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
    const std::array<std::byte, 5> slice{{{}, {}, std::byte{1}, std::byte{0x65}, std::byte{0x88}}};
    const std::span<const std::byte> plane = slice;
    const std::array<std::array<std::chrono::milliseconds, 2>, 3> times{
        {{0ms, -40ms}, {80ms, 0ms}, {40ms, 40ms}}};
    for (const auto& [shown, decoded] : times)
        CHECK(writing.writer->write(
            {.planes = {&plane, 1}, .time = shown, .decode_time = decoded, .owner = nullptr}));
    CHECK(writing.writer->finish(true));
    AVFormatContext* input = nullptr;
    REQUIRE(avformat_open_input(&input, name.c_str(), nullptr, nullptr) == 0);
    AVPacket* packet = av_packet_alloc();
    std::vector<std::int64_t> shown;
    while (av_read_frame(input, packet) == 0) {
        shown.push_back(av_rescale_q(packet->pts, input->streams[0]->time_base, {1, 1000}));
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    avformat_close_input(&input);
    REQUIRE(shown.size() == 3);
    CHECK(shown[1] - shown[0] == 80);
    CHECK(shown[2] - shown[0] == 40);
}

TEST_CASE("how pictures are to be shown is noted in the file") {
    const TemporaryFolder folder;
    const std::vector<std::byte> jpeg = make_jpeg(64, 48, {80, 90, 200});
    const FrameFormat mjpg{
        .fourcc = FourCC("MJPG"), .width = 64, .height = 48, .planes = {MemoryPlane{0, 100'000}}};
    const StreamProperties properties{
        .aspect = {4, 3},
        .display_matrix = std::array<std::int32_t, 9>{0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30}};
    for (const bool copied : {true, false}) {
        const std::string name = folder.file(copied ? "copy.mov" : "encoded.mov");
        Writing writing(name, mjpg, copied ? ExportWishes{} : ExportWishes{.codec = "mpeg4"}, properties);
        REQUIRE(writing.writer);
        REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
        const std::span<const std::byte> plane = jpeg;
        for (int i = 0; i < 3; ++i)
            REQUIRE(writing.writer->write({.planes = {&plane, 1}, .time = i * 40ms, .owner = nullptr}));
        REQUIRE(writing.writer->finish(true));
        AVFormatContext* input = nullptr;
        REQUIRE(avformat_open_input(&input, name.c_str(), nullptr, nullptr) == 0);
        REQUIRE(avformat_find_stream_info(input, nullptr) >= 0);
        const AVRational aspect = av_guess_sample_aspect_ratio(input, input->streams[0], nullptr);
        CHECK(aspect.num * 3 == aspect.den * 4);
        std::unique_ptr<Film> film = std::move(*Film::open(name, {.playback = {.keep_pixels = true}}));
        REQUIRE(film->shape().display_matrix);
        CHECK(*film->shape().display_matrix == *properties.display_matrix);
        avformat_close_input(&input);
    }
}

TEST_CASE("what an encoder holds back is left out when it was given up, and the file is whole") {
    const TemporaryFolder folder;
    const std::vector<TestFrame> frames(30, TestFrame("NV12", {}));
    Urgency urgency = std::move(*Urgency::create());
    const std::string name = folder.file("a.mkv");
    Writing writing(name, frames[0].format(), {.codec = "libx264", .preset = "medium"}, {}, &urgency);
    REQUIRE(writing.writer);
    REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
    std::chrono::microseconds time{};
    for (std::size_t i = 0; i < frames.size(); ++i, time += 40ms) {
        if (i == 5)
            urgency.give_up();
        const auto planes = frames[i].planes();
        REQUIRE(writing.writer->write({.planes = planes, .time = time, .owner = nullptr}));
    }
    CHECK(writing.writer->finish(true));
    CHECK(writing.writer->summary().frames < frames.size());
}

TEST_CASE("NV16 becomes planar where the encoder takes only that, bit by bit") {
    const TemporaryFolder folder;
    TestFrame frame("NV16", {.width = 66, .height = 34});
    fill_with_noise(frame, 7);
    const std::string name = folder.file("a.mkv");
    Writing writing(name, frame.format(), {.codec = "ffv1"});
    REQUIRE(writing.writer);
    REQUIRE(writing.writer->converted());
    CHECK(writing.writer->converted()->fourcc == FourCC("422P"));
    REQUIRE(writing.writer->begin({.rate = 25, .most_borrowed = 3}));
    const auto planes = std::as_const(frame).planes();
    const Result<FrameWritten> written =
        writing.writer->write({.planes = planes, .time = 0ms, .owner = nullptr});
    REQUIRE(written);
    CHECK(written->copied_bytes >= 66U * 34 * 2);
    REQUIRE(writing.writer->finish(true));
    const std::vector<AvPicture> pictures = read_film(name);
    REQUIRE(pictures.size() == 1);
    for (std::uint32_t y = 0; y < 34; ++y)
        for (std::uint32_t x = 0; x < 33; ++x) {
            CHECK(pictures[0]->data[1][y * static_cast<unsigned>(pictures[0]->linesize[1]) + x] ==
                  std::to_integer<unsigned>(frame.row(1, y)[2 * x]));
            CHECK(pictures[0]->data[2][y * static_cast<unsigned>(pictures[0]->linesize[2]) + x] ==
                  std::to_integer<unsigned>(frame.row(1, y)[2 * x + 1]));
        }
    CHECK(Writing(folder.file("b.mkv"), frame.format(), {.codec = "mjpeg"}).writer);
}

TEST_CASE("segments begin with key frames and with time 0") {
    const TemporaryFolder folder;
    std::vector<TestFrame> frames(20, TestFrame("NV12", {}));
    Writing writing(folder.file("part-%d.mkv"), frames[0].format(), {.segment = 0.2});
    REQUIRE(writing.writer);
    write_frames(*writing.writer, frames); // 40 ms apart
    CHECK(writing.writer->summary().files == 4);
    for (int i = 0; i < 4; ++i)
        CHECK(read_film(folder.file("part-" + std::to_string(i) + ".mkv")).size() == 5);
}
