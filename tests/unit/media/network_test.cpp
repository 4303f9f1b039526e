// SPDX-License-Identifier: MIT
#include "media/network.h"

#include "media/ffmpeg.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("a URL's scheme") {
    CHECK(scheme_of("RTMP://host/app") == "rtmp");
    CHECK(scheme_of("file:///a") == "file");
    CHECK(scheme_of("") == "");
    CHECK(scheme_of("a.mkv") == "");
    CHECK(scheme_of("://a") == "");
    CHECK(scheme_of("a:b?c.mkv") == "");
    CHECK(scheme_of("my film://x") == "");
    CHECK(scheme_of("ümlaut://x") == "");
}

TEST_CASE("a URL of a file is the file") {
    CHECK(without_file_scheme("file:///tmp/a.mkv") == "/tmp/a.mkv");
    CHECK(without_file_scheme("FILE://a.mkv") == "a.mkv");
    CHECK(without_file_scheme("file:a.mkv") == "file:a.mkv");
    CHECK(without_file_scheme("udp://a:1") == "udp://a:1");
    CHECK(without_file_scheme("") == "");
}

TEST_CASE("whether somebody else is behind a name") {
    CHECK(is_network("srt://h:1"));
    CHECK(is_network("HTTPS://h/x"));
    CHECK(!is_network("file:///x.ts"));
    CHECK(!is_network("pipe://"));
    CHECK(!is_network("x.mkv"));
    CHECK(!is_network("-"));
}

TEST_CASE("a URL of a protocol without a usual port names one") {
    for (const char* const url :
         {"udp://h:1", "tcp://[::1]:5000?listen", "srt://:5000?mode=listener", "rtp://user:word@h:65535/a",
          "rtsp://h/a", "udp://?localport=5000", "udp://@239.0.0.1:1234", "http://h", "a.mkv", "-"}) {
        CAPTURE(url);
        CHECK(check_port(url).has_value());
    }
    for (const char* const url : {"udp://h", "tcp://", "tcp://[::1]", "srt://h:", "RTP://h:0",
                                  "udp://h:65536", "udp://h:5000x", "udp://h?pkt_size=1:2", "udp://h/a:1"}) {
        CAPTURE(url);
        REQUIRE(!check_port(url).has_value());
        CHECK(check_port(url).error().kind == ErrorKind::usage);
        CHECK(check_port(url).error().remedy.contains("://HOST:5000"));
    }
}

TEST_CASE("what is said of a peer") {
    REQUIRE(load_ffmpeg());
    const Error refused = peer_error("open", "tcp://h:1", AVERROR(ECONNREFUSED)).error();
    CHECK(refused.kind == ErrorKind::peer);
    CHECK(refused.message() ==
          "open tcp://h:1: Connection refused. Start the other end first, or wait for it "
          "here by ?listen");
    CHECK(peer_error("open", "srt://h:1", AVERROR(EIO)).error().remedy.contains("?mode=listener"));
    CHECK(peer_error("open", "rtmp://h/a", AVERROR(EIO)).error().remedy == "Start the other end first");
    CHECK(peer_error("write", "tcp://h:1", AVERROR(EPIPE)).error().detail == "the other end went away");
    CHECK(peer_error("write", "udp://h:1", AVERROR(EACCES)).error().message() ==
          "write udp://h:1: Permission denied");
    CHECK(peer_error("open", "http://h/x", AVERROR_HTTP_NOT_FOUND).error().kind == ErrorKind::peer);
}

TEST_CASE("a protocol that is not there is told apart from those that are nearly called so") {
    REQUIRE(load_ffmpeg_formats());
    const Error error = unknown_protocol("rtnp://host", Direction::write).error();
    CHECK(error.kind == ErrorKind::usage);
    CHECK(error.message().starts_with("open rtnp://host: FFmpeg has no such protocol to write to"));
    CHECK(error.remedy.find("rtmp") != std::string::npos);
    CHECK(unknown_protocol("qqqqqqq://host", Direction::read).error().remedy.empty());
}
