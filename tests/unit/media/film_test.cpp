// SPDX-License-Identifier: MIT
#include "media/film.h"

#include "support/film_file.h"
#include "support/temporary_folder.h"

#include <doctest/doctest.h>
#include <fstream>
#include <linux/videodev2.h>

using namespace v4l2dma;
using testing::film_picture;
using testing::FilmSpec;
using testing::make_film;
using testing::TemporaryFolder;

namespace {

std::unique_ptr<Film> open(const std::string& path, const FilmWishes& wishes = {}) {
    Result<std::unique_ptr<Film>> film = Film::open(path, wishes);
    if (!film)
        FAIL(film.error().message());
    return std::move(*film);
}

struct Seen {
    std::vector<std::int64_t> times_ms;
    std::vector<FilmPicture> pictures;
    int bad = 0;
};

/// At most @p most of what is left of the film.
Seen see(Film& film, std::size_t most = 1000) {
    Seen seen;
    while (seen.pictures.size() < most) {
        Result<std::optional<FilmPicture>> picture = film.next();
        REQUIRE(picture);
        if (!*picture)
            break;
        if ((*picture)->bad) {
            ++seen.bad;
            continue;
        }
        seen.times_ms.push_back(
            std::chrono::duration_cast<std::chrono::milliseconds>((*picture)->time).count());
        seen.pictures.push_back(std::move(**picture));
    }
    return seen;
}

void check_pictures(const Seen& seen, const FilmSpec& spec, int first = 0) {
    for (std::size_t i = 0; i < seen.pictures.size(); ++i) {
        CAPTURE(i);
        const int number = (first + static_cast<int>(i)) % static_cast<int>(spec.times_ms.size());
        CHECK(testing::same_pixels(*seen.pictures[i].frame, *film_picture(spec, number)));
    }
}

Error error_of(const std::string& path, const FilmWishes& wishes = {}) {
    Result<std::unique_ptr<Film>> film = Film::open(path, wishes);
    REQUIRE_FALSE(film);
    return film.error();
}

} // namespace

TEST_CASE("every picture of a film comes, in its order, with its pixels and at its time") {
    const TemporaryFolder folder;
    // The second reorders its pictures, and is decoded with a delay: the last ones come out when it is
    // drained.
    for (const FilmSpec& spec : {FilmSpec{.codec = "ffv1"}, FilmSpec{.codec = "libx264"}}) {
        CAPTURE(spec.codec);
        const std::string path = folder.file(spec.codec + ".mkv");
        make_film(path, spec);
        const auto film = open(path);
        CHECK(film->shape().pixel_format == AV_PIX_FMT_YUV420P);
        CHECK(film->shape().shown_width == 64);
        CHECK(film->length() == std::chrono::milliseconds(320));
        const Seen seen = see(*film);
        CHECK(seen.times_ms == spec.times_ms);
        CHECK(seen.bad == 0);
        check_pictures(seen, spec);
    }
}

TEST_CASE("times that differ from picture to picture are kept, also where they begin late") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.times_ms = {1000, 1010, 1500, 1503, 3000, 3040}});
    CHECK(see(*open(path)).times_ms == std::vector<std::int64_t>{0, 10, 500, 503, 2000, 2040});
}

TEST_CASE("a loop goes on as if the film had no end") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mp4");
    const FilmSpec spec{.codec = "libx264", .times_ms = {0, 40, 80, 120, 160}};
    make_film(path, spec);
    FilmWishes wishes;
    wishes.playback.loop = true;
    const auto film = open(path, wishes);
    CHECK_FALSE(film->length());
    const Seen seen = see(*film, 12);
    CHECK(seen.times_ms == std::vector<std::int64_t>{0, 40, 80, 120, 160, 200, 240, 280, 320, 360, 400, 440});
    check_pictures(seen, spec);
}

TEST_CASE("a film begins where it is wished, to the picture") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mp4");
    const FilmSpec spec{.codec = "libx264"};
    make_film(path, spec);
    FilmWishes wishes;
    wishes.playback.seek = 0.2;
    const Seen seen = see(*open(path, wishes));
    CHECK(seen.times_ms == std::vector<std::int64_t>{0, 40, 80});
    check_pictures(seen, spec, 5);
    wishes.playback.loop = true; // the same place in each round
    CHECK(see(*open(path, wishes), 5).times_ms == std::vector<std::int64_t>{0, 40, 80, 120, 160});
    wishes.playback.seek = 3;
    const Error error = error_of(path, wishes);
    CHECK(error.kind == ErrorKind::usage);
    CHECK(error.message().find("has no picture there") != std::string::npos);
}

TEST_CASE("a rewound film is the same again") {
    const TemporaryFolder folder;
    for (const std::string ending : {".mkv", ".mp4", ".avi", ".ts", ".h264"}) {
        CAPTURE(ending);
        const std::string path = folder.file("film" + ending);
        const FilmSpec spec{.codec = "libx264"};
        make_film(path, spec);
        FilmWishes wishes;
        if (ending == ".h264") // has no times
            wishes.input.fps = 25;
        const auto film = open(path, wishes);
        CHECK(see(*film, 3).pictures.size() == 3);
        REQUIRE(film->rewind());
        const Seen seen = see(*film);
        CHECK(seen.times_ms == spec.times_ms);
        check_pictures(seen, spec);
    }
}

TEST_CASE("pictures are turned upright") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mp4");
    const FilmSpec spec{.codec = "libx264", .rotation = 90};
    make_film(path, spec);
    const auto film = open(path);
    CHECK(film->shape().turned);
    CHECK(film->shape().width == 48);
    CHECK(film->shape().height == 64);
    CHECK_FALSE(film->decodes_into(*tight_format(FourCC("YU12"), 48, 64)));
    const Seen seen = see(*film);
    REQUIRE(seen.pictures.size() == 8);
    // What was at the left is at the top: the pixel before the matrix, and after.
    const AVFrame& upright = *seen.pictures[3].frame;
    const testing::FilmFrame stored = film_picture(spec, 3);
    REQUIRE(upright.width == 48);
    bool same = true;
    for (int y = 0; y < 64; ++y)
        for (int x = 0; x < 48; ++x)
            same &= upright.data[0][y * upright.linesize[0] + x] ==
                    stored->data[0][(47 - x) * stored->linesize[0] + y];
    CHECK(same);
    FilmWishes as_stored;
    as_stored.playback.keep_pixels = true;
    CHECK(open(path, as_stored)->shape().width == 64);
}

TEST_CASE("pixels that are not square are widened or heightened") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.aspect = {4, 3}});
    CHECK(open(path)->shape().width == 64);
    CHECK(open(path)->shape().shown_width == 86);
    CHECK(open(path)->shape().shown_height == 48);
    make_film(path, {.aspect = {1, 2}});
    CHECK(open(path)->shape().shown_width == 64);
    CHECK(open(path)->shape().shown_height == 96);
    FilmWishes as_stored;
    as_stored.playback.keep_pixels = true;
    CHECK(open(path, as_stored)->shape().shown_height == 48);
}

TEST_CASE("sound is left alone, and colours are told") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    const FilmSpec spec{.range = AVCOL_RANGE_JPEG, .audio = true};
    make_film(path, spec);
    const auto film = open(path);
    const Seen seen = see(*film);
    CHECK(seen.times_ms == spec.times_ms);
    check_pictures(seen, spec);
    CHECK(film->shape().colorimetry.quantization == V4L2_QUANTIZATION_FULL_RANGE);
    CHECK(film->shape().colorimetry.ycbcr_encoding == V4L2_YCBCR_ENC_709);
}

TEST_CASE("a film that changes its size in its middle goes on") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.ts");
    make_film(path, {.codec = "libx264", .width_from = 4});
    const Seen seen = see(*open(path));
    REQUIRE(seen.pictures.size() == 8);
    CHECK(seen.pictures[3].frame->width == 64);
    CHECK(seen.pictures[4].frame->width == 32);
}

TEST_CASE("packets come as devices have them") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mp4");
    make_film(path, {.codec = "libx264"});
    const auto film = open(path);
    CHECK(film->packet_format() == FourCC("H264"));
    REQUIRE(film->play_packets(true));
    REQUIRE(film->rewind());
    const Seen seen = see(*film);
    CHECK(seen.pictures.size() == 8);
    for (const FilmPicture& picture : seen.pictures) {
        REQUIRE(picture.packet);
        REQUIRE(picture.packet->size > 4);
        const std::uint8_t* const bytes = picture.packet->data; // a start code, not a length
        CHECK(bytes[0] == 0);
        CHECK(bytes[1] == 0);
        CHECK(((bytes[2] == 0 && bytes[3] == 1) || bytes[2] == 1));
    }
    // In the order of decoding, at its steps; and again and again.
    CHECK(std::ranges::is_sorted(seen.times_ms));
    CHECK(seen.times_ms.back() == 280);
    FilmWishes wishes;
    wishes.playback.loop = true;
    const auto looped = open(path, wishes);
    REQUIRE(looped->play_packets(true));
    REQUIRE(looped->rewind());
    CHECK(see(*looped, 20).times_ms.back() == 19 * 40);
    const std::string lossless = folder.file("film.mkv");
    make_film(lossless, {.codec = "ffv1"});
    CHECK_FALSE(open(lossless)->packet_format());
}

TEST_CASE("a rate that is wished for takes the place of the film's times") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    make_film(path, {.times_ms = {0, 40, 500}});
    FilmWishes wishes;
    wishes.input.fps = 10;
    CHECK(see(*open(path, wishes)).times_ms == std::vector<std::int64_t>{0, 100, 200});
}

TEST_CASE("a raw file is what it is said to be") {
    const TemporaryFolder folder;
    const std::string path = folder.file("frames.raw");
    std::string bytes;
    for (int frame = 0; frame < 3; ++frame)
        for (int i = 0; i < 16 * 8 * 3 / 2; ++i)
            bytes.push_back(static_cast<char>(i < 16 * 8 ? 100 + frame : (i < 16 * 8 * 5 / 4 ? 50 : 200)));
    std::ofstream(path, std::ios::binary) << bytes;
    FilmWishes wishes;
    wishes.input = {.fourcc = FourCC("YV12"), .width = 16, .height = 8, .fps = 50};
    const auto film = open(path, wishes);
    const Seen seen = see(*film);
    CHECK(seen.times_ms == std::vector<std::int64_t>{0, 20, 40});
    CHECK(seen.pictures[2].frame->data[0][0] == 102);
    CHECK(seen.pictures[2].frame->data[2][0] == 50); // YV12 has V first, FFmpeg has U first
    CHECK(seen.pictures[2].frame->data[1][0] == 200);
    CHECK(error_of(path, {.playback = {.container = "raw"}}).kind == ErrorKind::usage);
}

TEST_CASE("a name is a name, whatever is in it") {
    const TemporaryFolder folder;
    for (const std::string name : {"a%d.mkv", "file:b.mkv", "c d?.mkv"}) {
        CAPTURE(name);
        make_film("file:" + folder.file(name), {});
        CHECK(see(*open(folder.file(name))).pictures.size() == 8);
    }
}

TEST_CASE("what is no film says so") {
    const TemporaryFolder folder;
    const std::string path = folder.file("film.mkv");
    CHECK(error_of(path).kind == ErrorKind::device);
    CHECK(error_of(path).code == ENOENT);
    CHECK(error_of(folder.file("")).code == EISDIR);
    std::ofstream(path, std::ios::binary).flush();
    CHECK(error_of(path).kind == ErrorKind::device);
    std::ofstream(path, std::ios::binary) << "this is a text, and nothing else";
    CHECK(error_of(path).kind == ErrorKind::device);
    const Error container = error_of(path, {.playback = {.container = "matrska"}});
    CHECK(container.kind == ErrorKind::usage);
    CHECK(container.remedy.find("matroska") != std::string::npos);
    CHECK(error_of("nothing://somewhere").kind == ErrorKind::usage);
}
