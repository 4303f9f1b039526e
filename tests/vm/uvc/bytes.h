// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Writes what goes over a USB cable: little-endian, without gaps.
class Writer {
public:
    Writer& u8(std::initializer_list<unsigned> values) {
        for (const unsigned value : values)
            bytes_.push_back(static_cast<std::uint8_t>(value));
        return *this;
    }
    Writer& u16(unsigned value) { return u8({value & 0xff, value >> 8 & 0xff}); }
    Writer& u32(std::uint32_t value) { return u16(value & 0xffff).u16(value >> 16); }
    Writer& add(ByteView more) {
        bytes_.insert(bytes_.end(), more.begin(), more.end());
        return *this;
    }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }

private:
    Bytes bytes_;
};

[[nodiscard]] inline std::uint32_t little_endian(ByteView bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}
