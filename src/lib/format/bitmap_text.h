// SPDX-License-Identifier: MIT
#pragma once

#include "format/canvas.h"

#include <cstdint>
#include <string_view>

namespace v4l2dma {

/// A font of 5x7 dots: digits, capitals (small letters are drawn as such), and a little punctuation. What it
/// does not have is a blank.
struct BitmapText {
    static constexpr std::int64_t glyph_width = 5;  ///< dots
    static constexpr std::int64_t glyph_height = 7; ///< dots
    static constexpr std::int64_t advance = 6;      ///< dots from a character to the next

    std::string_view text;
    std::int64_t dot = 1; ///< pixels that a dot has in each direction

    /// Pixels from the left of the first character to the right of the last one.
    [[nodiscard]] std::int64_t width() const noexcept;
    [[nodiscard]] std::int64_t height() const noexcept { return glyph_height * dot; }
    /// Draws the dots only, what is between them stays. @p x, @p y: the upper left corner.
    void draw(Canvas& canvas, std::int64_t x, std::int64_t y, Color color) const noexcept;
};

} // namespace v4l2dma
