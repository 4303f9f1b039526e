// SPDX-License-Identifier: MIT
#include "flow/test_source.h"

#include "format/likeness.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <spdlog/fmt/fmt.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

constexpr double most_fps = 10'000;
constexpr std::uint32_t most_pixels = 16'384; // of a side

struct TestWishes {
    std::string_view pattern = "bars";
    std::optional<std::string_view> format{};
    std::uint32_t width = 640;
    std::uint32_t height = 480;
    double fps = 30;
};

template <typename Number> std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

bool take_size(std::string_view part, TestWishes& wishes) {
    const std::size_t cross = part.find('x');
    if (cross == std::string_view::npos)
        return false;
    const auto width = number_of<std::uint32_t>(part.substr(0, cross));
    const auto height = number_of<std::uint32_t>(part.substr(cross + 1));
    if (!width || !height)
        return false;
    wishes.width = *width;
    wishes.height = *height;
    return true;
}

// The parts look different: 640x480, 25, NV12. An empty one leaves the default.
TestWishes wishes_of(std::string_view name) {
    TestWishes wishes;
    bool first = true;
    for (std::string_view rest = name.substr(name.find(':') + 1); !rest.empty();) {
        const std::size_t comma = rest.find(',');
        const std::string_view part = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        if (std::exchange(first, false)) {
            wishes.pattern = part.empty() ? wishes.pattern : part;
        } else if (const auto fps = number_of<double>(part); fps) {
            wishes.fps = *fps;
        } else if (!part.empty() && !take_size(part, wishes)) {
            wishes.format = part;
        }
    }
    return wishes;
}

Status check(std::string_view name, const TestWishes& wishes) {
    const bool size = wishes.width >= 1 && wishes.height >= 1 && wishes.width <= most_pixels &&
                      wishes.height <= most_pixels;
    if (!size)
        return make_error(ErrorKind::usage, "picture", name,
                          fmt::format("{}x{} is not a size from 1x1 to {}x{}", wishes.width, wishes.height,
                                      most_pixels, most_pixels));
    if (!(wishes.fps >= 0.01 && wishes.fps <= most_fps)) // also for what is no number
        return make_error(ErrorKind::usage, "picture", name,
                          fmt::format("{:g} is not a frame rate from 0.01 to {:g}", wishes.fps, most_fps));
    return {};
}

} // namespace

Result<std::unique_ptr<TestSource>> TestSource::open(std::string_view name, const CaptureWishes& options,
                                                     System& system) {
    if (!options.controls.empty())
        return make_error(ErrorKind::usage, "--set", options.controls.front(),
                          fmt::format("{} is a generated picture and has no controls", name),
                          "Leave --set away");
    TestWishes wishes = wishes_of(name);
    wishes.width = options.width.value_or(wishes.width);
    wishes.height = options.height.value_or(wishes.height);
    wishes.fps = options.fps.value_or(wishes.fps);
    if (options.format)
        wishes.format = *options.format;
    if (Status status = check(name, wishes); !status)
        return std::unexpected(std::move(status.error()));
    const Result<TestPattern> pattern = parse_test_pattern(wishes.pattern);
    if (!pattern)
        return std::unexpected(pattern.error());
    const Result<FourCC> fourcc = resolve_format(wishes.format.value_or("YUYV"));
    if (!fourcc)
        return std::unexpected(fourcc.error());
    Result<FrameFormat> format = tight_format(*fourcc, wishes.width, wishes.height);
    if (!format)
        return std::unexpected(std::move(format.error()));
    format->field = V4L2_FIELD_NONE;
    Result<TestPatternPainter> painter = TestPatternPainter::create(*pattern, *format);
    if (!painter)
        return std::unexpected(std::move(painter.error()));
    UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer)
        return system_error("timerfd_create", name);
    const std::chrono::nanoseconds interval(std::llround(1e9 / wishes.fps));
    std::unique_ptr<TestSource> source(
        new TestSource(std::string(name), system, *pattern, std::move(*painter), interval, std::move(timer)));
    source->format_ = *format;
    source->format_wished_ = wishes.format.has_value();
    source->waits_ = options.waits;
    return source;
}

StreamProperties TestSource::properties() const {
    return {.rate = 1e9 / static_cast<double>(interval_.count()), .keeps_rate = true};
}

std::vector<FrameFormat> TestSource::other_formats() const {
    std::vector<FourCC> drawn;
    for (const PixelFormat& entry : pixel_formats())
        if (!format_wished_ && entry.fourcc != format_.fourcc && has_sample_layout(entry.fourcc))
            drawn.push_back(entry.fourcc);
    sort_by_likeness(format_.fourcc, drawn);
    std::vector<FrameFormat> formats;
    for (const FourCC fourcc : drawn)
        if (Result<FrameFormat> format = tight_format(fourcc, format_.width, format_.height); format) {
            format->field = V4L2_FIELD_NONE;
            formats.push_back(*format);
        }
    return formats;
}

Status TestSource::set_format(const FrameFormat& format) {
    Result<TestPatternPainter> painter = TestPatternPainter::create(pattern_, format);
    if (!painter)
        return std::unexpected(std::move(painter.error()));
    painter_ = std::move(*painter);
    format_ = format;
    return {};
}

std::string TestSource::why_not(MemoryRole role) const {
    return role == MemoryRole::touches ? ""
                                       : "a generated picture has no buffers: it is drawn into the sink's";
}

Result<std::span<BufferMemory>> TestSource::provide(MemoryRole, std::uint32_t) {
    return make_error(ErrorKind::unsupported, "allocate", name_, "it has no buffers");
}

Status TestSource::use(MemoryRole, std::span<BufferMemory> memory) {
    memory_ = memory;
    return {};
}

Status TestSource::start() {
    out_.resize(memory_.size());
    return set_timer(interval_);
}

Status TestSource::set_timer(std::chrono::nanoseconds interval) noexcept {
    constexpr std::int64_t second = 1'000'000'000;
    const timespec time{.tv_sec = interval.count() / second, .tv_nsec = interval.count() % second};
    const itimerspec setting{.it_interval = time, .it_value = time};
    return ::timerfd_settime(timer_.get(), 0, &setting, nullptr) == 0
               ? Status{}
               : system_error("timerfd_settime", name_);
}

Result<std::optional<Frame>> TestSource::take() {
    if (waits_ && available() == 0)
        return std::nullopt; // the timer keeps what is due
    std::uint64_t due = 0;   // frames since the last time; all but the last have had theirs
    if (::read(timer_.get(), &due, sizeof due) != static_cast<ssize_t>(sizeof due))
        return std::nullopt;
    next_ += waits_ ? 1 : due;
    const auto free = std::ranges::find(out_, false);
    if (free == out_.end())
        return std::nullopt;
    const auto index = static_cast<std::uint32_t>(free - out_.begin());
    Frame frame{.index = index, .format = &format_, .memory = &memory_[index]};
    frame.metadata = {.plane_count = format_.plane_count,
                      .planes = {},
                      .field = format_.field,
                      .flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
                      .sequence = static_cast<std::uint32_t>(next_ - 1),
                      .timestamp = system_.now()};
    for (std::uint32_t i = 0; i < format_.plane_count; ++i)
        frame.metadata.planes[i].bytesused = format_.planes[i].sizeimage;
    const Result<WritableBytes> bytes = WritableBytes::of(memory_[index]);
    if (!bytes)
        return std::unexpected(bytes.error());
    if (Status status = painter_.paint(bytes->planes(), next_ - 1, frame.metadata.timestamp); !status)
        return std::unexpected(std::move(status.error()));
    out_[index] = true;
    return frame;
}

Status TestSource::give_back(std::uint32_t index) {
    out_[index] = false;
    return {};
}

std::uint32_t TestSource::available() const noexcept {
    return static_cast<std::uint32_t>(std::ranges::count(out_, false));
}

void TestSource::stop() noexcept {
    static_cast<void>(set_timer(std::chrono::nanoseconds(0)));
}

void TestSource::release() noexcept {
    stop();
    memory_ = {};
    out_.clear();
}

} // namespace v4l2dma
