// SPDX-License-Identifier: MIT
#include "cli/stats_line.h"

#include "support/pipe.h"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

using namespace v4l2dma;
using namespace std::chrono_literals;

namespace {

const StatsValues sample{.fps = 29.97,
                         .frames = 300,
                         .dropped = 2,
                         .latency_ms = 2.14,
                         .path = "dmabuf",
                         .copied_bytes_per_frame = 0};

std::string contents(int fd) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

std::string drain(int fd) {
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

} // namespace

TEST_CASE("the statistics line names every figure once") {
    CHECK(format_stats(sample) == "30.0 fps  300 frames  2 dropped  2.1 ms  0 bytes copied/frame  dmabuf");
    StatsValues unknown = sample;
    unknown.latency_ms.reset();
    CHECK(format_stats(unknown) == "30.0 fps  300 frames  2 dropped  0 bytes copied/frame  dmabuf");
    CHECK(stats_json(unknown)["latency_ms"].is_null());
    StatsValues silent = sample;
    silent.no_signal = 290;
    CHECK(format_stats(silent) ==
          "30.0 fps  300 frames  2 dropped  290 without a signal  2.1 ms  0 bytes copied/frame  dmabuf");
    CHECK(stats_json(silent)["no_signal"] == 290);
    StatsValues spoilt = sample;
    spoilt.corrupt = 7;
    CHECK(format_stats(spoilt).contains("  7 bad"));
    CHECK(stats_json(spoilt)["corrupt"] == 7);
    CHECK(stats_json(sample)["frames"] == 300);
}

TEST_CASE("of what has an end the statistics say how far it is") {
    CHECK(stats_json(sample)["progress"].is_null());
    StatsValues film = sample;
    film.progress = 0.529;
    CHECK(format_stats(film) == "52%  " + format_stats(sample));
    CHECK(stats_json(film)["progress"] == 0.529);
}

TEST_CASE("the bar is full at the end and not before") {
    CHECK(format_bar(0, std::nullopt) == "[----------] 0%");
    CHECK(format_bar(0.529, 12s) == "[#####-----] 52%  0:12 left");
    CHECK(format_bar(0.999, 3599s) == "[#########-] 99%  59:59 left");
    CHECK(format_bar(0.001, 7384s) == "[----------] 0%  2:03:04 left");
    CHECK(format_bar(1, 0s) == "[##########] 100%  0:00 left");
}

TEST_CASE("the time that is left follows from what has passed since the first look") {
    const RemainingTime::Clock::time_point start{};
    RemainingTime remaining;
    CHECK_FALSE(remaining.after(0.5, start)); // begun in its middle
    CHECK_FALSE(remaining.after(0.5, start + 1s));
    CHECK(remaining.after(0.75, start + 10s) == 10s);
    CHECK(remaining.after(0.9, start + 10100ms) == 3s); // 2.5, rounded up
    CHECK(remaining.after(1, start + 20s) == 0s);
    CHECK_FALSE(remaining.after(0.1, start + 21s)); // another one
    CHECK(remaining.after(0.2, start + 22s) == 8s);
    CHECK_FALSE(remaining.after(0.2000001, start + 10000h));
}

TEST_CASE("a statistics line is due once per interval") {
    const UniqueFd file{::memfd_create("stats", MFD_CLOEXEC)};
    const StatsLine::Clock::time_point start{};
    StatsLine line(1000ms, file.get(), start);
    CHECK_FALSE(line.due(start + 999ms));
    CHECK(line.due(start + 1000ms));
    line.update(sample, start + 1500ms);
    CHECK_FALSE(line.due(start + 2499ms));
    CHECK(line.due(start + 2500ms));
}

TEST_CASE("a file gets plain lines") {
    const UniqueFd file{::memfd_create("stats", MFD_CLOEXEC)};
    {
        StatsLine line(1000ms, file.get());
        line.update(sample);
        line.clear();
        line.finish(sample);
    }
    CHECK(contents(file.get()) == format_stats(sample) + "\n" + format_stats(sample) + "\n");
}

TEST_CASE("a terminal gets one rewritten line, cut to its width") {
    int leader = -1;
    int follower = -1;
    winsize size{};
    size.ws_col = 20;
    size.ws_row = 5;
    REQUIRE(::openpty(&leader, &follower, nullptr, nullptr, &size) == 0);
    const UniqueFd screen{leader};
    const UniqueFd terminal{follower};
    {
        StatsLine line(1000ms, terminal.get());
        line.update(sample);
        CHECK(drain(screen.get()) == "\r\x1b[K30.0 fps  300 frame");
        line.clear();
        CHECK(drain(screen.get()) == "\r\x1b[K");
        line.update(sample);
        CHECK(drain(screen.get()).starts_with("\r\x1b[K"));
    }
    CHECK(drain(screen.get()) == "\r\n"); // the destructor ends the line; the tty adds the \r
}

TEST_CASE("a terminal gets a bar for what has an end, a file the percent") {
    int leader = -1;
    int follower = -1;
    REQUIRE(::openpty(&leader, &follower, nullptr, nullptr, nullptr) == 0);
    const UniqueFd screen{leader};
    const UniqueFd terminal{follower};
    const UniqueFd file{::memfd_create("stats", MFD_CLOEXEC)};
    const StatsLine::Clock::time_point start{};
    StatsValues film = sample;
    StatsLine bar(1000ms, terminal.get(), start);
    StatsLine plain(1000ms, file.get(), start);
    film.progress = 0.25;
    bar.update(film, start + 1s);
    CHECK(drain(screen.get()).starts_with("\r\x1b[K[##--------] 25%  30.0 fps"));
    film.progress = 0.5;
    bar.update(film, start + 2s);
    CHECK(drain(screen.get()).starts_with("\r\x1b[K[#####-----] 50%  0:02 left  30.0 fps"));
    plain.update(film, start + 2s);
    CHECK(contents(file.get()) == "50%  " + format_stats(sample) + "\n");
}

TEST_CASE("a line for which there is no room is left out") {
    const testing::Pipe pipe;
    StatsLine line(1000ms, pipe.writer.get());
    const std::size_t more_than_a_pipe = 1'000'000 / format_stats(sample).size();
    for (std::size_t i = 0; i < more_than_a_pipe; ++i)
        line.update(sample); // would sleep for ever
    CHECK(drain(pipe.reader.get()).starts_with(format_stats(sample) + "\n" + format_stats(sample) + "\n"));
}
