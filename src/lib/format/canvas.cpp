// SPDX-License-Identifier: MIT
#include "format/canvas.h"

#include <algorithm>
#include <cstring>

namespace v4l2dma {

namespace {

std::uint32_t clip(std::int64_t position, std::uint32_t length) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(position, 0, length));
}

std::uint32_t divide_up(std::uint32_t value, std::uint32_t by) {
    return value / by + (value % by != 0 ? 1 : 0);
}

/// What a group's bits become.
struct Ink {
    std::uint64_t word = 0;
    std::uint64_t mask = 0; ///< the bits that change
};

void blend(const SampleGroup& group, std::span<std::byte> memory, const Ink& ink) {
    group.store(memory, (group.load(memory) & ~ink.mask) | (ink.word & ink.mask));
}

/// Whole groups of one colour. They are put together in the CPU's cache and copied from there.
class Stroke {
public:
    Stroke(const SampleGroup& group, std::uint64_t word, std::size_t groups) noexcept {
        if (groups == 0)
            return;
        group.store(bytes_, word);
        length_ = std::min(groups, bytes_.size() / group.bytes) * group.bytes;
        for (std::size_t done = group.bytes; done < length_; done *= 2)
            std::memcpy(bytes_.data() + done, bytes_.data(), std::min(done, length_ - done));
    }

    void draw(std::span<std::byte> memory) const noexcept {
        while (!memory.empty()) {
            const std::size_t length = std::min(memory.size(), length_);
            std::memcpy(memory.data(), bytes_.data(), length);
            memory = memory.subspan(length);
        }
    }

private:
    std::array<std::byte, 1680> bytes_; // a multiple of every group's bytes, so that each copy begins anew
    std::size_t length_ = 0;
};

/// The part of a row that a rectangle covers.
struct Run {
    std::uint32_t begin = 0; ///< groups that are covered as a whole
    std::uint32_t end = 0;
    std::uint64_t head = 0; ///< bits of the group before them that change, 0 if none do
    std::uint64_t tail = 0; ///< likewise after them
};

/// Pixels @p left to @p right, at the frame's right edge to the end of the last group: what would be left of
/// it is no pixel of anybody's.
Run run_of(const SamplePlane& plane, const SampleGroup& group, std::uint32_t left, std::uint32_t right,
           std::uint32_t width) {
    const std::uint32_t columns = plane.group_columns;
    Run run{.begin = left / columns, .end = divide_up(right, columns)};
    if (!group.has_pixels())
        return run;
    const std::uint32_t from = left % columns;
    const std::uint32_t to = right == width || right % columns == 0 ? columns : right % columns;
    const bool single = run.end - run.begin == 1;
    if (from != 0) {
        run.head = group.mask(from, single ? to : columns);
        ++run.begin;
    }
    if (to != columns && run.begin < run.end) {
        run.tail = group.mask(0, to);
        --run.end;
    }
    return run;
}

void draw_run(const SampleGroup& group, const Run& run, std::uint64_t word, const Stroke& stroke,
              std::span<std::byte> row) {
    const auto groups = [&](std::uint32_t begin, std::uint32_t end) {
        return row.subspan(std::size_t{begin} * group.bytes, std::size_t{end - begin} * group.bytes);
    };
    if (run.head != 0)
        blend(group, groups(run.begin - 1, run.begin), {.word = word, .mask = run.head});
    stroke.draw(groups(run.begin, run.end));
    if (run.tail != 0)
        blend(group, groups(run.end, run.end + 1), {.word = word, .mask = run.tail});
}

} // namespace

Result<Canvas> Canvas::create(const FrameFormat& format, std::span<const std::span<std::byte>> planes) {
    const Result<SampleLayout> layout = sample_layout_of(format, MemorySizes(planes).bytes());
    if (!layout)
        return std::unexpected(layout.error());
    Canvas canvas(format, *layout);
    for (std::size_t i = 0; i < layout->plane_count; ++i) {
        const PlaneLayout& place = layout->storage[i].place;
        canvas.planes_[i] = planes[place.memory_plane].subspan(place.offset, place.size());
    }
    return canvas;
}

Canvas::Canvas(const FrameFormat& format, const SampleLayout& layout)
    : width_(format.width), height_(format.height), layout_(layout),
      encoding_(format.colorimetry, layout.rgb) {}

void Canvas::fill(const Rect& rect, Color color) noexcept {
    const Area area{.left = clip(rect.x, width_),
                    .top = clip(rect.y, height_),
                    .right = clip(rect.x + rect.width, width_),
                    .bottom = clip(rect.y + rect.height, height_)};
    if (area.left >= area.right || area.top >= area.bottom)
        return;
    for (std::size_t i = 0; i < layout_.plane_count; ++i)
        fill_plane(i, area, color);
}

void Canvas::fill_plane(std::size_t index, const Area& area, Color color) noexcept {
    const SamplePlane& plane = layout_.storage[index];
    const std::uint32_t first = area.top / plane.group_rows;
    const std::uint32_t end = divide_up(area.bottom, plane.group_rows);
    for (std::uint32_t phase = 0; phase < std::min(plane.phases, end - first); ++phase) {
        const SampleGroup& group = plane.row(first + phase);
        const Run run = run_of(plane, group, area.left, area.right, width_);
        const std::uint64_t ink = word(group, color);
        const Stroke stroke(group, ink, run.end - run.begin);
        for (std::uint32_t i = first + phase; i < end; i += plane.phases)
            draw_run(group, run, ink, stroke, row(index, i));
    }
}

void Canvas::copy_from(const Canvas& other) noexcept {
    for (std::size_t i = 0; i < layout_.plane_count; ++i)
        for (std::uint32_t y = 0; y < layout_.storage[i].place.rows; ++y)
            std::ranges::copy(other.row(i, y), row(i, y).begin());
}

/// All bits of a group whose pixels have this colour.
std::uint64_t Canvas::word(const SampleGroup& group, Color color) const noexcept {
    std::uint64_t bits = 0;
    for (const SampleField& field : group.fields()) {
        const std::uint64_t sample = encoding_.sample(field.component, field.depth, color);
        bits |= sample >> field.low << field.shift & field.mask();
    }
    return bits;
}

/// A row of a component plane, without its padding.
std::span<std::byte> Canvas::row(std::size_t plane, std::uint32_t index) const noexcept {
    const SamplePlane& samples = layout_.storage[plane];
    return planes_[plane].subspan(std::size_t{index} * samples.place.stride, samples.row_bytes());
}

} // namespace v4l2dma
