// SPDX-License-Identifier: MIT
#include "flow/film_slots.h"

#include <algorithm>
#include <utility>

namespace v4l2dma {

namespace {

/// Bytes from @p begin to the end of the last page of @p plane.
std::size_t room_from(const std::byte* begin, std::span<const std::byte> plane) {
    const auto end = reinterpret_cast<std::uintptr_t>(plane.data() + plane.size());
    return round_up_to_page(end) - reinterpret_cast<std::uintptr_t>(begin);
}

} // namespace

Status FilmSlots::set(std::span<BufferMemory> memory, const FrameFormat& format) {
    slots_ = std::vector<Slot>(memory.size());
    memory_ = memory;
    layout_ = {};
    if (const AvFormat* const av_format = find_av_format(format.fourcc); av_format != nullptr) {
        const Result<Layout> layout = layout_of(format);
        if (!layout)
            return std::unexpected(layout.error());
        layout_ = *layout;
        swapped_ = av_format->swapped;
    }
    return {};
}

std::optional<std::uint32_t> FilmSlots::claim(std::uint32_t spare) noexcept {
    const auto is_free = [](const Slot& slot) { return !slot.used; };
    if (std::ranges::count_if(slots_, is_free) <= spare)
        return std::nullopt;
    const auto slot = std::ranges::find_if(slots_, is_free);
    slot->clear();
    slot->used = true;
    return static_cast<std::uint32_t>(slot - slots_.begin());
}

std::optional<DecodeTarget::Place> FilmSlots::acquire() noexcept {
    const std::lock_guard lock(mutex_);
    const std::optional<std::uint32_t> index = claim(1);
    if (!index)
        return std::nullopt;
    Slot& slot = slots_[*index];
    if (!write(slot, *index) || !holds(slot.bytes->planes(), layout_)) {
        slot.clear(); // the copy will say why
        return std::nullopt;
    }
    Place place{.index = *index, .rows = rows_of(slot.bytes->planes(), layout_)};
    for (std::uint32_t i = 0; i < layout_.plane_count; ++i)
        place.room[i] = room_from(place.rows[i].begin, slot.bytes->planes()[layout_.planes[i].memory_plane]);
    if (swapped_) {
        std::swap(place.rows[1], place.rows[2]);
        std::swap(place.room[1], place.room[2]);
    }
    slot.first = reinterpret_cast<const std::uint8_t*>(place.rows[0].begin);
    return place;
}

void FilmSlots::release(std::uint32_t index) noexcept {
    const std::lock_guard lock(mutex_);
    slots_[index].clear();
}

std::optional<std::uint32_t> FilmSlots::take() {
    const std::lock_guard lock(mutex_);
    return claim(0);
}

std::optional<std::uint32_t> FilmSlots::find(const AVFrame& frame) const noexcept {
    const std::lock_guard lock(mutex_);
    const auto slot = std::ranges::find_if(slots_, [&](const Slot& candidate) {
        return candidate.first != nullptr && candidate.first == frame.data[0];
    });
    return slot == slots_.end() ? std::nullopt
                                : std::optional(static_cast<std::uint32_t>(slot - slots_.begin()));
}

Status FilmSlots::write(Slot& slot, std::uint32_t index) {
    Result<WritableBytes> bytes = WritableBytes::of(memory_[index]);
    if (!bytes)
        return std::unexpected(std::move(bytes.error()));
    slot.bytes.emplace(std::move(*bytes));
    return {};
}

Result<Planes> FilmSlots::begin_writing(std::uint32_t index) {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[index];
    if (Status status = write(slot, index); !status)
        return std::unexpected(std::move(status.error()));
    return slot.bytes->planes();
}

void FilmSlots::end_writing(std::uint32_t index) noexcept {
    const std::lock_guard lock(mutex_);
    slots_[index].bytes.reset();
}

std::uint32_t FilmSlots::free_count() const noexcept {
    const std::lock_guard lock(mutex_);
    return static_cast<std::uint32_t>(
        std::ranges::count_if(slots_, [](const Slot& slot) { return !slot.used; }));
}

} // namespace v4l2dma
