// SPDX-License-Identifier: MIT
#include "format/brightness.h"

namespace v4l2dma {

namespace {

/// Whether the field has bits of the pixel's brightness.
bool is_bright(const SampleField& field, std::uint32_t pixel) {
    switch (field.component) {
    case Component::luma:
    case Component::red:
    case Component::green:
    case Component::blue:
        return field.shared || field.pixel == pixel;
    case Component::blue_chroma:
    case Component::red_chroma:
    case Component::alpha:
        break;
    }
    return false;
}

} // namespace

Result<BrightnessReader> BrightnessReader::create(const FrameFormat& format,
                                                  std::span<const std::span<const std::byte>> planes) {
    const Result<SampleLayout> layout = sample_layout_of(format, MemorySizes(planes).bytes());
    if (!layout)
        return std::unexpected(layout.error());
    const PlaneLayout& place = layout->storage[0].place;
    return BrightnessReader(layout->storage[0],
                            planes[place.memory_plane].subspan(place.offset, place.size()));
}

double BrightnessReader::at(std::uint32_t x, std::uint32_t y) const noexcept {
    const SampleGroup& group = plane_.row(y);
    const std::uint32_t pixel = x % plane_.group_columns;
    const std::uint64_t word = group.load(memory_.subspan(
        std::size_t{y} * plane_.place.stride + std::size_t{x / plane_.group_columns} * group.bytes));
    double sum = 0;
    int samples = 0;
    for (const SampleField& field : group.fields()) {
        if (!is_bright(field, pixel))
            continue;
        const std::uint64_t bits = (word & field.mask()) >> field.shift << field.low;
        sum += static_cast<double>(bits) * 255 / static_cast<double>((1U << field.depth) - 1);
        samples += field.low + field.width == field.depth ? 1 : 0; // its upper bits: each sample once
    }
    return samples == 0 ? 0 : sum / samples;
}

} // namespace v4l2dma
