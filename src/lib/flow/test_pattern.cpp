// SPDX-License-Identifier: MIT
#include "flow/test_pattern.h"

#include "base/suggest.h"
#include "flow/frame_stamp.h"
#include "format/bitmap_text.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <string>

namespace v4l2dma {

namespace {

constexpr std::array<std::string_view, 9> names{"bars",  "smpte", "gradient", "checker", "black",
                                                "white", "red",   "green",    "blue"};
static_assert(names.size() == static_cast<std::size_t>(TestPattern::blue) + 1);

struct Column {
    std::uint32_t share; ///< of the frame's width
    Color color;
};

struct Strip {
    std::uint32_t share; ///< of the frame's height
    std::span<const Column> columns;
};

constexpr Column bar_colors[] = {
    {1, {255, 255, 255}}, {1, {255, 255, 0}}, {1, {0, 255, 255}}, {1, {0, 255, 0}},
    {1, {255, 0, 255}},   {1, {255, 0, 0}},   {1, {0, 0, 255}},   {1, {0, 0, 0}},
};
constexpr Strip bars[] = {{1, bar_colors}};

// SMPTE EG 1-1990, with what RGB can have of it: no blacker than black, no colour beyond red, green and blue.
constexpr Column smpte_top[] = {
    {1, {191, 191, 191}}, {1, {191, 191, 0}}, {1, {0, 191, 191}}, {1, {0, 191, 0}},
    {1, {191, 0, 191}},   {1, {191, 0, 0}},   {1, {0, 0, 191}},
};
constexpr Column smpte_middle[] = {
    {1, {0, 0, 191}},   {1, {0, 0, 0}}, {1, {191, 0, 191}},   {1, {0, 0, 0}},
    {1, {0, 191, 191}}, {1, {0, 0, 0}}, {1, {191, 191, 191}},
};
constexpr Column smpte_bottom[] = {
    {15, {0, 33, 76}}, {15, {255, 255, 255}}, {15, {50, 0, 106}}, {15, {0, 0, 0}},
    {4, {0, 0, 0}},    {4, {10, 10, 10}},     {4, {20, 20, 20}},  {12, {0, 0, 0}},
};
constexpr Strip smpte[] = {{8, smpte_top}, {1, smpte_middle}, {3, smpte_bottom}};

/// Where the share @p part of @p whole ends on @p length pixels: where no group of any format is cut in two,
/// unless the frame is small.
std::uint32_t edge(std::uint64_t part, std::uint64_t whole, std::uint32_t length) {
    constexpr std::uint32_t small = 128; // pixels
    const auto position = static_cast<std::uint32_t>(length * part / whole);
    return part == whole || length < small ? position : position & ~3U;
}

/// Calls @p draw with each of @p parts and the pixels, of @p length, where it begins and ends.
template <typename Part> void divide(std::span<const Part> parts, std::uint32_t length, const auto& draw) {
    std::uint32_t whole = 0;
    for (const Part& part : parts)
        whole += part.share;
    std::uint32_t sum = 0;
    for (const Part& part : parts) {
        const std::uint32_t begin = edge(sum, whole, length);
        sum += part.share;
        draw(part, begin, edge(sum, whole, length));
    }
}

void draw_strips(Canvas& canvas, std::span<const Strip> strips) {
    divide(strips, canvas.height(), [&](const Strip& strip, std::uint32_t top, std::uint32_t bottom) {
        divide(strip.columns, canvas.width(),
               [&](const Column& column, std::uint32_t left, std::uint32_t right) {
                   canvas.fill({.x = left, .y = top, .width = right - left, .height = bottom - top},
                               column.color);
               });
    });
}

using Ramp = std::array<Column, 256>;

/// From black to a colour.
Ramp ramp_to(Color color) {
    Ramp ramp{};
    for (std::size_t i = 0; i < ramp.size(); ++i) {
        const auto shade = [&](std::uint8_t full) {
            return static_cast<std::uint8_t>(full * i / (ramp.size() - 1));
        };
        ramp[i] = {1, {shade(color.red), shade(color.green), shade(color.blue)}};
    }
    return ramp;
}

void draw_gradient(Canvas& canvas) {
    const Ramp grey = ramp_to(colors::white);
    const Ramp red = ramp_to({255, 0, 0});
    const Ramp green = ramp_to({0, 255, 0});
    const Ramp blue = ramp_to({0, 0, 255});
    draw_strips(canvas, std::array<Strip, 4>{{{1, grey}, {1, red}, {1, green}, {1, blue}}});
}

void draw_checker(Canvas& canvas) {
    constexpr Color dark{64, 64, 64};
    constexpr Color light{192, 192, 192};
    const std::uint32_t field = std::max(8U, edge(1, 9, canvas.height()));
    canvas.fill({.width = canvas.width(), .height = canvas.height()}, dark);
    for (std::uint32_t y = 0, row = 0; y < canvas.height(); y += field, ++row)
        for (std::uint32_t x = row % 2 * field; x < canvas.width(); x += 2 * field)
            canvas.fill({.x = x, .y = y, .width = field, .height = field}, light);
}

void draw_plain(Canvas& canvas, Color color) {
    canvas.fill({.width = canvas.width(), .height = canvas.height()}, color);
}

void draw_picture(Canvas& canvas, TestPattern pattern) {
    switch (pattern) {
    case TestPattern::bars:
        return draw_strips(canvas, bars);
    case TestPattern::smpte:
        return draw_strips(canvas, smpte);
    case TestPattern::gradient:
        return draw_gradient(canvas);
    case TestPattern::checker:
        return draw_checker(canvas);
    case TestPattern::black:
        return draw_plain(canvas, colors::black);
    case TestPattern::white:
        return draw_plain(canvas, colors::white);
    case TestPattern::red:
        return draw_plain(canvas, {255, 0, 0});
    case TestPattern::green:
        return draw_plain(canvas, {0, 255, 0});
    case TestPattern::blue:
        return draw_plain(canvas, {0, 0, 255});
    }
}

/// "1:02:03.004". Texts are made in buffers of the stack: nothing is allocated per frame.
fmt::memory_buffer time_text(std::chrono::microseconds time) {
    using namespace std::chrono;
    const hh_mm_ss parts(abs(floor<milliseconds>(time)));
    fmt::memory_buffer text;
    fmt::format_to(std::back_inserter(text), "{}{}:{:02}:{:02}.{:03}", time < microseconds::zero() ? "-" : "",
                   parts.hours().count(), parts.minutes().count(), parts.seconds().count(),
                   parts.subseconds().count());
    return text;
}

/// Draws the text at the top. Returns where it ends: the first row below it.
std::int64_t draw_label(Canvas& canvas, const FrameStamp& stamp, std::int64_t bottom) {
    const std::int64_t dot = std::max<std::int64_t>(1, std::min(canvas.width() / 240, canvas.height() / 90));
    const std::int64_t margin = 2 * dot;
    const std::int64_t height = BitmapText::glyph_height * dot + 2 * margin;
    const fmt::memory_buffer time = time_text(stamp.timestamp);
    fmt::memory_buffer text;
    for (const std::string_view form : {"frame {0}  {1}", "{0} {1}", "{0}"}) {
        text.clear();
        fmt::format_to(std::back_inserter(text), fmt::runtime(form), stamp.frame_number,
                       std::string_view(time.data(), time.size()));
        const BitmapText label{.text = {text.data(), text.size()}, .dot = dot};
        const std::int64_t width = label.width() + 2 * margin;
        if (width > canvas.width() || height > bottom)
            continue;
        canvas.fill({.x = 0, .y = 0, .width = (width + 3) / 4 * 4, .height = height + height % 2},
                    colors::black);
        label.draw(canvas, margin, margin, colors::white);
        return height + height % 2;
    }
    return 0;
}

/// To and fro between 0 and @p range.
std::int64_t swing(std::uint64_t steps, std::uint64_t step, std::uint64_t range) {
    if (range == 0)
        return 0;
    const std::uint64_t position = steps % (2 * range) * step % (2 * range);
    return static_cast<std::int64_t>(position <= range ? position : 2 * range - position);
}

/// A box that is elsewhere in each frame, between rows @p top and @p bottom.
void draw_box(Canvas& canvas, std::uint64_t frame_number, std::int64_t top, std::int64_t bottom) {
    const std::int64_t size = std::min<std::int64_t>(canvas.width(), bottom - top) / 5 / 4 * 4;
    if (size <= 0)
        return;
    const std::uint64_t step = std::max(1U, canvas.width() / 160);
    const std::int64_t x = swing(frame_number, step, static_cast<std::uint64_t>(canvas.width() - size));
    const std::int64_t y = top + swing(frame_number, std::max<std::uint64_t>(1, step / 2),
                                       static_cast<std::uint64_t>(bottom - top - size));
    const std::int64_t border = std::max<std::int64_t>(1, size / 16);
    Rect box{.x = x, .y = y, .width = size, .height = size};
    for (const Color color : {colors::black, colors::white, Color{255, 128, 0}}) {
        canvas.fill(box, color);
        box = {.x = box.x + border,
               .y = box.y + border,
               .width = box.width - 2 * border,
               .height = box.height - 2 * border};
    }
}

void draw_what_changes(Canvas& canvas, const FrameStamp& stamp) {
    const std::optional<StampGrid> grid = stamp_grid(canvas.width(), canvas.height());
    const std::int64_t bottom = grid ? grid->y : canvas.height();
    const std::int64_t top = draw_label(canvas, stamp, bottom);
    draw_box(canvas, stamp.frame_number, top, bottom);
    draw_stamp(canvas, stamp);
}

} // namespace

std::string_view test_pattern_name(TestPattern pattern) {
    return names[static_cast<std::size_t>(pattern)];
}

std::span<const std::string_view> test_pattern_names() {
    return names;
}

Result<TestPattern> parse_test_pattern(std::string_view text) {
    const auto* const name = std::ranges::find(names, text);
    if (name != names.end())
        return static_cast<TestPattern>(name - names.begin());
    if (const std::string_view near = nearest(text, names); !near.empty())
        return make_error(ErrorKind::usage, "test pattern", text, "unknown",
                          fmt::format("Did you mean {}?", near));
    return make_error(ErrorKind::usage, "test pattern", text, "unknown",
                      fmt::format("There are {}", fmt::join(names, ", ")));
}

Result<TestPatternPainter> TestPatternPainter::create(TestPattern pattern, const FrameFormat& format) {
    Result<FrameFormat> tight = tight_format(format.fourcc, format.width, format.height);
    if (!tight)
        return std::unexpected(std::move(tight.error()));
    tight->colorimetry = format.colorimetry;
    std::vector<std::vector<std::byte>> memory;
    std::vector<std::span<std::byte>> planes;
    for (const MemoryPlane& plane : std::span(tight->planes).first(tight->plane_count))
        planes.emplace_back(memory.emplace_back(plane.sizeimage));
    Result<Canvas> picture = Canvas::create(*tight, planes);
    if (!picture)
        return std::unexpected(std::move(picture.error()));
    draw_picture(*picture, pattern);
    return TestPatternPainter(format, std::move(memory), *picture);
}

Status TestPatternPainter::paint(std::span<const std::span<std::byte>> planes, std::uint64_t frame_number,
                                 std::chrono::microseconds timestamp) const {
    Result<Canvas> canvas = Canvas::create(format_, planes);
    if (!canvas)
        return std::unexpected(std::move(canvas.error()));
    canvas->copy_from(picture_);
    draw_what_changes(*canvas, {.frame_number = frame_number, .timestamp = timestamp});
    return {};
}

Status draw_test_pattern(TestPattern pattern, const FrameFormat& format,
                         std::span<const std::span<std::byte>> planes, std::uint64_t frame_number,
                         std::chrono::microseconds timestamp) {
    Result<Canvas> canvas = Canvas::create(format, planes);
    if (!canvas)
        return std::unexpected(std::move(canvas.error()));
    draw_picture(*canvas, pattern);
    draw_what_changes(*canvas, {.frame_number = frame_number, .timestamp = timestamp});
    return {};
}

} // namespace v4l2dma
