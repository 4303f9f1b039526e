// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"
#include "media/av_format.h"
#include "media/decode_target.h"

#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace v4l2dma {

/// The sink's buffers, for a decoder to work in, and for copies of what it decoded elsewhere. A decoder needs
/// its pictures longer than the sink: a slot is free when both are done with it. Any thread, but for set().
class FilmSlots final : public DecodeTarget {
public:
    /// @p memory (borrowed, mapped in whole pages) is for frames of @p format; empty: there are none. Only
    /// while nobody has a slot.
    [[nodiscard]] Status set(std::span<BufferMemory> memory, const FrameFormat& format);

    /// Leaves one for take(): the decoder holds on to others until it gets on.
    [[nodiscard]] std::optional<Place> acquire() noexcept override;
    void release(std::uint32_t index) noexcept override;

    /// A slot for a copy, empty if none is free.
    [[nodiscard]] std::optional<std::uint32_t> take();
    /// The slot that @p frame was decoded into, empty if it lies elsewhere.
    [[nodiscard]] std::optional<std::uint32_t> find(const AVFrame& frame) const noexcept;
    /// For the CPU to write, until end_writing(). Errors: those of WritableBytes::of().
    [[nodiscard]] Result<Planes> begin_writing(std::uint32_t index);
    /// The picture is complete; whoever reads it sees all of it.
    void end_writing(std::uint32_t index) noexcept;
    [[nodiscard]] std::uint32_t free_count() const noexcept;

private:
    struct Slot {
        bool used = false;
        std::optional<WritableBytes> bytes{}; ///< while it is written to
        const std::uint8_t* first = nullptr;  ///< of the picture that was decoded into it

        void clear() noexcept {
            used = false;
            bytes.reset();
            first = nullptr;
        }
    };
    [[nodiscard]] Status write(Slot& slot, std::uint32_t index);
    [[nodiscard]] std::optional<std::uint32_t> claim(std::uint32_t spare) noexcept;

    mutable std::mutex mutex_; ///< of slots_
    std::span<BufferMemory> memory_;
    Layout layout_{};
    bool swapped_ = false;
    std::vector<Slot> slots_;
};

} // namespace v4l2dma
