// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace v4l2dma {

/// How the user wants a film to be played.
struct PlaybackWishes {
    std::optional<std::string> container{}; ///< FFmpeg's name of the demuxer; empty: found out by looking
    std::optional<std::string> decoder{};   ///< FFmpeg's name; empty: its own for the codec
    std::optional<std::string> hwaccel{};   ///< as DecodingDevice::open() takes it; empty: the CPU decodes
    std::optional<double> seek{};           ///< seconds from the beginning
    bool loop = false;                      ///< again and again
    bool unpaced = false;                   ///< as fast as the sink takes frames, instead of at their times
    bool compressed =
        false; ///< rather as the codec's packets than decoded, if they come in the pictures' order
    bool keep_pixels = false; ///< pixels that are not square stay so, and pictures are not turned
    /// How long the first picture may take to come; empty: as long as it does. Means nothing to devices.
    std::optional<std::chrono::microseconds> patience{};

    [[nodiscard]] bool any() const noexcept {
        return container || decoder || hwaccel || seek || loop || unpaced || compressed || keep_pixels;
    }
};

} // namespace v4l2dma
