// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace v4l2dma {

/// How the user wants frames to be written to a file.
struct ExportWishes {
    std::optional<std::string> container{}; ///< FFmpeg's name of the muxer, its extension, or "raw"
    std::optional<std::string> codec{};     ///< FFmpeg's name of the encoder or codec, or "copy"
    std::optional<std::string> preset{};    ///< as the encoder names them
    std::optional<std::uint64_t> bitrate{}; ///< bits a second
    std::optional<double> fps{};            ///< for formats without times; empty: measured
    std::optional<double> segment{};        ///< seconds in each file
    std::optional<std::string> sdp{};       ///< file that says to players what is in an RTP stream
    std::optional<std::chrono::microseconds> patience{}; ///< until a peer is there; empty: for ever
    std::optional<std::uint64_t> frames{};               ///< after which it ends, as far as is known
    std::optional<double> duration{};                    ///< likewise, in seconds
    bool force = false;                                  ///< a file that exists is overwritten
    bool lossless = false;                               ///< the source waits; no frame is left out
};

} // namespace v4l2dma
