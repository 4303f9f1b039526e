// SPDX-License-Identifier: MIT
#pragma once

#include "format/canvas.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace v4l2dma {

/// What is behind the moving box, the text and the stamp.
enum class TestPattern {
    bars,     ///< the eight colours of full red, green and blue
    smpte,    ///< SMPTE's bars (EG 1): 75 % colours, and steps about black
    gradient, ///< ramps of grey, red, green and blue
    checker,
    black,
    white,
    red,
    green,
    blue,
};

/// As the user writes it: "bars".
[[nodiscard]] std::string_view test_pattern_name(TestPattern pattern);
/// The names of all patterns, in the order of the enumeration.
[[nodiscard]] std::span<const std::string_view> test_pattern_names();
/// Errors: (usage) no pattern has this name; a near match, or all that there are, is in the remedy.
[[nodiscard]] Result<TestPattern> parse_test_pattern(std::string_view text);

/// Draws the frames of a test pattern: its picture, a box whose place follows from the frame's number, this
/// number and the time in letters, and both as a FrameStamp. Small frames do without text, and below 64x24
/// without a stamp.
///
/// The picture is kept, in memory of the painter's own, because a buffer may have had another frame in it.
class TestPatternPainter {
public:
    TestPatternPainter(TestPatternPainter&&) = default;
    TestPatternPainter& operator=(TestPatternPainter&&) = default;

    /// Errors: those of Canvas::create(), and of tight_format().
    [[nodiscard]] static Result<TestPatternPainter> create(TestPattern pattern, const FrameFormat& format);

    /// Draws all of a frame into @p planes: one for each memory plane, from where its payload begins. Padding
    /// is not touched. Errors: (usage) a plane is too short.
    [[nodiscard]] Status paint(std::span<const std::span<std::byte>> planes, std::uint64_t frame_number,
                               std::chrono::microseconds timestamp) const;

private:
    TestPatternPainter(const FrameFormat& format, std::vector<std::vector<std::byte>> memory,
                       const Canvas& picture)
        : format_(format), memory_(std::move(memory)), picture_(picture) {}

    FrameFormat format_;
    std::vector<std::vector<std::byte>> memory_; ///< the picture without padding, by memory plane
    Canvas picture_;                             ///< onto memory_
};

/// As TestPatternPainter::paint(), for a single frame.
[[nodiscard]] Status draw_test_pattern(TestPattern pattern, const FrameFormat& format,
                                       std::span<const std::span<std::byte>> planes,
                                       std::uint64_t frame_number, std::chrono::microseconds timestamp);

} // namespace v4l2dma
