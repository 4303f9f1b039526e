// SPDX-License-Identifier: MIT
#include "media/export_target.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

ExportTarget target_of(std::string_view name, const ExportWishes& wishes = {}) {
    const Result<ExportTarget> target = resolve_export_target(name, wishes);
    REQUIRE(target);
    return *target;
}

Error refusal_of(std::string_view name, const ExportWishes& wishes = {}) {
    const Result<ExportTarget> target = resolve_export_target(name, wishes);
    REQUIRE(!target);
    return target.error();
}

} // namespace

TEST_CASE("a name says what is to be written") {
    CHECK(target_of("a.mkv").container() == "matroska");
    CHECK(target_of("dir.x/a.MP4").container() == "mp4");
    CHECK(target_of("a.ts").container() == "mpegts");
    CHECK(target_of("a.raw").kind == ExportKind::raw);
    CHECK(target_of("a.yuv").kind == ExportKind::raw);
    CHECK(!target_of("a.yuv").fourcc);
    CHECK(target_of("a.nv12").kind == ExportKind::raw);
    CHECK(target_of("a.nv12").fourcc == FourCC("NV12"));
    CHECK(target_of("a.y4m").kind == ExportKind::y4m);
    CHECK(target_of("a.png").kind == ExportKind::png);
    CHECK(target_of("-").container() == "matroska");
    CHECK(target_of("-").standard_output);
    CHECK(target_of("udp://h:1").container() == "mpegts");
    CHECK(target_of("srt://h:1").container() == "mpegts");
    CHECK(target_of("rtmp://h/a").container() == "flv");
    CHECK(target_of("rtmps://h/a").container() == "flv");
    CHECK(target_of("rtp://h:1").container() == "rtp_mpegts");
    CHECK(target_of("rtsp://h/a").container() == "rtsp");
    CHECK(target_of("rtp://h:1", {.container = "rtp", .sdp = "x.sdp"}).sdp == "x.sdp");
}

TEST_CASE("--container goes before the name") {
    CHECK(target_of("film", {.container = "mkv"}).container() == "matroska");
    CHECK(target_of("a.mkv", {.container = "ts"}).container() == "mpegts");
    CHECK(target_of("-", {.container = "raw"}).kind == ExportKind::raw);
    CHECK(target_of("tcp://h:1", {.container = "matroska"}).container() == "matroska");
}

TEST_CASE("what nobody knows is a usage error with near matches") {
    CHECK(refusal_of("a.mkv", {.container = "matrosca"}).kind == ErrorKind::usage);
    CHECK(refusal_of("a.mkv", {.container = "matrosca"}).remedy.contains("matroska"));
    CHECK(refusal_of("film").remedy.contains("--container"));
    CHECK(refusal_of("").kind == ErrorKind::usage);
    CHECK(refusal_of("/tmp").message() ==
          "export /tmp: it is a folder. Name a file in it, as in FOLDER/film.mkv");
    CHECK(refusal_of("udp://h").kind == ErrorKind::usage);
    CHECK(refusal_of("http://h/a").remedy.contains("--container"));
    CHECK(refusal_of("rtp://h:1", {.sdp = "x.sdp"}).remedy.contains("--container rtp"));
    CHECK(refusal_of("a.raw", {.sdp = "x.sdp"}).kind == ErrorKind::usage);
    CHECK(refusal_of("a.wav").detail == "it holds no pictures");
    CHECK(refusal_of("a.jpg").kind == ErrorKind::unsupported);
    CHECK(refusal_of("-", {.container = "png"}).kind == ErrorKind::usage);
}

TEST_CASE("numbers in names") {
    CHECK(target_of("a%d.mkv").numbered.has_value());
    CHECK(target_of("a%d.mkv").file(12) == "a12.mkv");
    CHECK(target_of("a%03d.mkv").file(7) == "a007.mkv");
    CHECK(target_of("a%03d.mkv").file(1234) == "a1234.mkv");
    CHECK(target_of("%2d.png").file(1) == "01.png");
    for (const char* const name : {"a.mkv", "100%.mkv", "%s.mkv", "%d%d.mkv", "%99999d.mkv", "%.mkv"}) {
        CHECK(!target_of(name).numbered.has_value());
        CHECK(target_of(name).file(1) == name);
    }
    CHECK(refusal_of("a.mkv", {.segment = 1}).remedy.contains("%d"));
    CHECK(target_of("a%d.mkv", {.segment = 1}).numbered.has_value());
    CHECK(refusal_of("a%d.png", {.segment = 1}).kind == ErrorKind::usage);
}

TEST_CASE("clone takes only for a file what says so") {
    for (const char* const name : {"-", "a.mkv", "a.raw", "dir/a.nv12", "x.png", "udp://h:1"})
        CHECK(is_export_name(name));
    for (const char* const name :
         {"0", "/dev/video0", "/dev/null", "v4l2dma demo", "file", "usb-0000:00:14.0-1", "a.", ".mkv", ""})
        CHECK(!is_export_name(name));
}
