// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace v4l2dma {

/// FNV-1a, 64 bit, over the host's 64-bit words and then the bytes that are left. Tells frames apart; no
/// protection against anybody who wants two of them to be equal.
/// @p hash: that of what comes before them.
[[nodiscard]] inline std::uint64_t hash_bytes(std::span<const std::byte> bytes,
                                              std::uint64_t hash = 0xcbf29ce484222325) noexcept {
    constexpr std::uint64_t prime = 0x100000001b3;
    while (bytes.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32; // a word's upper bytes would reach no lower bit otherwise
        bytes = bytes.subspan(sizeof word);
    }
    for (const std::byte byte : bytes)
        hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * prime;
    return hash;
}

/// Of several pieces in turn; of one the same as hash_bytes().
[[nodiscard]] inline std::uint64_t hash_planes(std::span<const std::span<const std::byte>> planes) noexcept {
    std::uint64_t hash = hash_bytes(planes.front());
    for (const std::span<const std::byte> plane : planes.subspan(1))
        hash = hash_bytes(plane, hash);
    return hash;
}

} // namespace v4l2dma
