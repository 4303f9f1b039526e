// SPDX-License-Identifier: MIT
#include "format/likeness.h"

#include "format/sample_layout.h"

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <limits>

namespace v4l2dma {

namespace {

/// What a format can show.
struct Wealth {
    bool known = false; ///< down to the samples, and every pixel has all of its own
    bool compressed = false;
    bool rgb = false;
    bool colour = false;
    unsigned depth = 0; ///< bits of the poorest component
    long bytes = 0;     ///< of a small picture
};

void look_at(const SampleGroup& group, Wealth& wealth) {
    for (const SampleField& field : group.fields()) {
        if (field.component == Component::alpha)
            continue;
        wealth.colour = wealth.colour || field.component != Component::luma;
        wealth.depth = std::min<unsigned>(wealth.depth, field.depth);
    }
}

Wealth wealth_of(FourCC fourcc) {
    constexpr std::uint32_t side = 16; // a whole number of every format's groups
    const PixelFormat* entry = find_pixel_format(fourcc);
    Wealth wealth{.compressed = entry != nullptr && entry->compressed()};
    const Result<FrameFormat> format = tight_format(fourcc, side, side);
    if (!format)
        return wealth;
    wealth.bytes = format->sizeimage();
    std::array<std::size_t, FrameFormat::max_planes> memory{};
    for (std::uint32_t i = 0; i < format->plane_count; ++i)
        memory[i] = format->planes[i].sizeimage;
    const Result<SampleLayout> layout =
        sample_layout_of(*format, std::span(memory).first(format->plane_count));
    if (!layout)
        return wealth;
    wealth.known = true;
    wealth.rgb = layout->rgb;
    wealth.depth = std::numeric_limits<unsigned>::max();
    for (const SamplePlane& plane : layout->planes()) {
        wealth.known = wealth.known && plane.phases == 1; // raw sensors have rows of two kinds
        for (std::uint32_t row = 0; row < plane.phases; ++row)
            look_at(plane.row(row), wealth);
    }
    return wealth;
}

/// Less is more alike.
struct Distance {
    int loss = 0;
    bool other_family = false;
    long bytes = 0;

    friend auto operator<=>(const Distance&, const Distance&) = default;
};

int loss(const Wealth& wanted, const Wealth& other) {
    if (other.compressed)
        return 5;
    if (!other.known)
        return 4;
    if (wanted.colour && !other.colour)
        return 3;
    return other.depth < wanted.depth || other.bytes < wanted.bytes ? 2 : 1;
}

} // namespace

void sort_by_likeness(FourCC wanted, std::vector<FourCC>& formats) {
    Wealth model = wealth_of(wanted);
    if (model.bytes == 0)
        model = wealth_of(FourCC("YUYV"));
    const auto distance = [&](FourCC fourcc) {
        if (same_pixels(wanted, fourcc))
            return Distance{};
        const Wealth other = wealth_of(fourcc);
        return Distance{.loss = loss(model, other),
                        .other_family = other.rgb != model.rgb,
                        .bytes = std::abs(other.bytes - model.bytes)};
    };
    std::ranges::stable_sort(formats, {}, distance);
}

bool is_rgb(FourCC fourcc) {
    return wealth_of(fourcc).rgb;
}

} // namespace v4l2dma
