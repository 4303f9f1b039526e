// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/av_objects.h"

#include <array>
#include <cstdint>
#include <optional>

namespace v4l2dma {

/// Mappings are whole pages: what is behind a buffer's end in its last one may be read.
[[nodiscard]] constexpr std::size_t round_up_to_page(std::size_t bytes) noexcept {
    constexpr std::size_t page = 4096;
    return (bytes + page - 1) / page * page;
}

/// Memory of somebody else's that a decoder may decode into, or a file be read into. Its functions are called
/// from any of the decoder's threads.
class DecodeTarget {
public:
    struct Place {
        std::uint32_t index = 0;               ///< for release()
        std::array<Rows<std::byte>, 3> rows{}; ///< of the component planes, in FFmpeg's order
        std::array<std::size_t, 3> room{};     ///< bytes from the plane's begin that may be read or written
    };

    DecodeTarget() = default;
    DecodeTarget(const DecodeTarget&) = delete;
    DecodeTarget& operator=(const DecodeTarget&) = delete;
    virtual ~DecodeTarget() = default;

    /// A place for a picture of the target's format; empty: none is free, the decoder takes memory of its
    /// own.
    [[nodiscard]] virtual std::optional<Place> acquire() noexcept = 0;
    /// Nobody needs the picture there any more: neither who has it nor the decoder, which looks back at it.
    virtual void release(std::uint32_t index) noexcept = 0;
};

/// Makes @p place the memory of @p frame; it goes back to @p target with the frame's last reference. False:
/// there is no memory for that, and the place has gone back.
[[nodiscard]] bool lend(DecodeTarget& target, const DecodeTarget::Place& place, AVFrame& frame) noexcept;

} // namespace v4l2dma
