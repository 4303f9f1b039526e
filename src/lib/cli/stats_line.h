// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace v4l2dma {

/// What a running command says about itself. Plain values: the caller measures, this file prints.
struct StatsValues {
    double fps = 0.0;                 ///< over the last interval
    std::uint64_t frames = 0;         ///< since the start
    std::uint64_t dropped = 0;        ///< since the start
    std::uint64_t corrupt = 0;        ///< since the start: bad frames
    std::uint64_t no_signal = 0;      ///< of the frames: a loop's own picture, while its writer is silent
    std::optional<double> latency_ms; ///< from the frame's timestamp to the sink; empty if it has none
    std::string path;                 ///< which path runs: "dmabuf (source exports, sink imports)"
    std::uint64_t copied_bytes_per_frame = 0;
    std::optional<double> progress{}; ///< 0 to 1: what has passed of a source that ends; empty if unknown
};

/// One line without a newline: "30.0 fps  300 frames  0 dropped  2.1 ms  0 bytes copied/frame  PATH", after
/// "52%" of what ends.
[[nodiscard]] std::string format_stats(const StatsValues& values);

/// "[#####-----] 52%  0:12 left"; without the time where that is unknown.
[[nodiscard]] std::string format_bar(double progress, std::optional<std::chrono::seconds> left);

/// The same values for `--json`: fps, frames, dropped, corrupt, no_signal, latency_ms (null if
/// unknown), path, copied_bytes_per_frame, progress (null if unknown).
[[nodiscard]] nlohmann::ordered_json stats_json(const StatsValues& values);

/// How long something that has an end will take, by how it went since it was first looked at.
class RemainingTime {
public:
    using Clock = std::chrono::steady_clock;

    /// Empty where nothing has passed since the first look, or since it went back (another film).
    [[nodiscard]] std::optional<std::chrono::seconds> after(double progress, Clock::time_point now);

private:
    struct Look {
        double progress;
        Clock::time_point at;
    };
    std::optional<Look> first_;
    double last_ = 0;
};

/// The statistics line on stderr: one line that is rewritten on a terminal, with a bar for what has an end;
/// plain lines elsewhere.
///
/// The caller asks due() with each frame, and measures and calls update() only if it answers true, so a
/// frame costs no formatting and no system call. A log line takes the place of the rewritten one
/// (init_log). Errors of stderr are ignored, there is nobody left to tell, and a line for which it
/// has no room is left out. Not thread-safe.
class StatsLine {
public:
    using Clock = std::chrono::steady_clock;

    /// @p fd is borrowed for the object's life. The first line is due one @p interval after @p start.
    /// Whether @p fd is a terminal is found out here.
    explicit StatsLine(std::chrono::milliseconds interval, int fd = 2,
                       Clock::time_point start = Clock::now());
    StatsLine(const StatsLine&) = delete;
    StatsLine& operator=(const StatsLine&) = delete;
    /// Ends a rewritten line, so that the shell's prompt gets its own.
    ~StatsLine();

    [[nodiscard]] bool due(Clock::time_point now = Clock::now()) const noexcept { return now >= next_; }

    /// Prints now, due or not, and starts the next interval.
    void update(const StatsValues& values, Clock::time_point now = Clock::now());

    /// Takes the rewritten line off the terminal: there will be no other.
    void clear();

    /// The last values, on a line that stays.
    void finish(const StatsValues& values);

private:
    void write(const std::string& text) const;

    std::chrono::milliseconds interval_;
    int fd_;
    bool terminal_;
    bool shown_ = false; ///< an unfinished line stands on the terminal
    RemainingTime remaining_;
    Clock::time_point next_;
};

} // namespace v4l2dma
