// SPDX-License-Identifier: MIT
#include "cli/stats_line.h"

#include "base/log.h"
#include "base/write_bytes.h"

#include <span>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

/// Columns of the terminal now (it may be resized while we run), 0 if it does not say.
std::size_t columns(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// Rounded down: what is at 100% is over.
int percent(double progress) {
    return static_cast<int>(progress * 100);
}

std::string format_figures(const StatsValues& values) {
    std::string text =
        fmt::format("{:.1f} fps  {} frames  {} dropped", values.fps, values.frames, values.dropped);
    if (values.corrupt > 0)
        text += fmt::format("  {} bad", values.corrupt);
    if (values.no_signal > 0)
        text += fmt::format("  {} without a signal", values.no_signal);
    if (values.latency_ms)
        text += fmt::format("  {:.1f} ms", *values.latency_ms);
    text += fmt::format("  {} bytes copied/frame", values.copied_bytes_per_frame);
    if (!values.path.empty())
        text += "  " + values.path;
    return text;
}

std::string format_clock(std::chrono::seconds time) {
    const auto seconds = time.count();
    return seconds < 3600 ? fmt::format("{}:{:02}", seconds / 60, seconds % 60)
                          : fmt::format("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

} // namespace

std::string format_stats(const StatsValues& values) {
    const std::string figures = format_figures(values);
    return values.progress ? fmt::format("{}%  {}", percent(*values.progress), figures) : figures;
}

std::string format_bar(double progress, std::optional<std::chrono::seconds> left) {
    constexpr int cells = 10;
    const int full = static_cast<int>(progress * cells);
    return fmt::format("[{:#<{}}{:-<{}}] {}%{}", "", full, "", cells - full, percent(progress),
                       left ? fmt::format("  {} left", format_clock(*left)) : "");
}

nlohmann::ordered_json stats_json(const StatsValues& values) {
    nlohmann::ordered_json json;
    json["fps"] = values.fps;
    json["frames"] = values.frames;
    json["dropped"] = values.dropped;
    json["corrupt"] = values.corrupt;
    json["no_signal"] = values.no_signal;
    json["latency_ms"] = nullptr;
    if (values.latency_ms)
        json["latency_ms"] = *values.latency_ms;
    json["path"] = values.path;
    json["copied_bytes_per_frame"] = values.copied_bytes_per_frame;
    json["progress"] = nullptr;
    if (values.progress)
        json["progress"] = *values.progress;
    return json;
}

std::optional<std::chrono::seconds> RemainingTime::after(double progress, Clock::time_point now) {
    if (!first_ || progress < last_)
        first_ = Look{.progress = progress, .at = now};
    last_ = progress;
    const double passed = progress - first_->progress;
    if (passed <= 0)
        return std::nullopt;
    const std::chrono::duration<double> left = (now - first_->at) * ((1 - progress) / passed);
    constexpr std::chrono::hours longest(1000); // nobody waits for that, and it fits
    return left < longest ? std::optional(std::chrono::ceil<std::chrono::seconds>(left)) : std::nullopt;
}

StatsLine::StatsLine(std::chrono::milliseconds interval, int fd, Clock::time_point start)
    : interval_(interval), fd_(fd), terminal_(::isatty(fd) == 1), next_(start + interval) {}

StatsLine::~StatsLine() {
    if (shown_)
        write("\n");
}

void StatsLine::update(const StatsValues& values, Clock::time_point now) {
    next_ = now + interval_;
    if (!terminal_) {
        write(format_stats(values) + "\n");
        return;
    }
    std::string text = format_figures(values);
    if (values.progress)
        text = format_bar(*values.progress, remaining_.after(*values.progress, now)) + "  " + text;
    // A line that wraps cannot be rewritten, and a terminal wraps already when its last column is filled.
    if (const std::size_t width = columns(fd_); width > 1 && text.size() >= width)
        text.resize(width - 1);
    write(std::string(erase_line) + text);
    shown_ = true;
}

void StatsLine::clear() {
    if (shown_)
        write(std::string(erase_line));
    shown_ = false;
}

void StatsLine::finish(const StatsValues& values) {
    clear();
    write(format_stats(values) + "\n");
}

// A line that nobody takes is left out: the frames do not wait for it.
void StatsLine::write(const std::string& text) const {
    static_cast<void>(write_bytes(fd_, std::as_bytes(std::span(text)), "standard error",
                                  {.limit = std::chrono::milliseconds(0)}));
}

} // namespace v4l2dma
