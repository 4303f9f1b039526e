// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace v4l2dma {

/// Whether a film shall come as its codec's packets where no format was wished for.
enum class Packets {
    never,
    preferred, ///< rather than decoded, if nothing has to be done with its pictures
    demanded,
};

/// How the user wants a film to be played.
struct PlaybackWishes {
    std::optional<std::string> container{}; ///< FFmpeg's name of the demuxer; empty: found out by looking
    std::optional<std::string> decoder{};   ///< FFmpeg's name; empty: its own for the codec
    std::optional<std::string> hwaccel{};   ///< as DecodingDevice::open() takes it; empty: the CPU decodes
    std::optional<double> seek{};           ///< seconds from the beginning
    bool loop = false;                      ///< again and again
    bool unpaced = false;                   ///< as fast as the sink takes frames, instead of at their times
    Packets packets = Packets::never;
    /// Packets may come in another order than their pictures are shown in, with BufferMetadata::decode_time:
    /// for files. Devices have one time for each frame, and get that of decoding.
    bool decode_times = false;
    bool keep_pixels = false; ///< pixels that are not square stay so, and pictures are not turned
    /// How long the first picture may take to come; empty: as long as it does. Means nothing to devices.
    std::optional<std::chrono::microseconds> patience{};

    [[nodiscard]] bool any() const noexcept {
        return container || decoder || hwaccel || seek || loop || unpaced || packets != Packets::never ||
               keep_pixels;
    }
};

} // namespace v4l2dma
