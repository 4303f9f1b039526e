// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace v4l2dma {

/// The four-character code that names a pixel format in V4L2.
class FourCC {
public:
    constexpr FourCC() = default;
    constexpr explicit FourCC(std::uint32_t value) noexcept : value_(value) {}
    /// FourCC("YUYV")
    constexpr explicit FourCC(const char (&text)[5]) noexcept
        : value_(byte(text[0], 0) | byte(text[1], 8) | byte(text[2], 16) | byte(text[3], 24)) {}

    /// One to four printable characters, short ones padded with blanks ("Y10"), "-BE" appended for the
    /// big-endian variant. Says nothing about whether anybody knows the format.
    [[nodiscard]] static Result<FourCC> parse(std::string_view text);

    [[nodiscard]] constexpr std::uint32_t value() const noexcept { return value_; }
    /// As parse() takes it: "YUYV", "Y10", "Y16-BE"; "0x..." where a byte is not printable.
    [[nodiscard]] std::string text() const;

    friend constexpr auto operator<=>(FourCC, FourCC) = default;

private:
    static constexpr std::uint32_t byte(char c, int shift) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << shift;
    }

    std::uint32_t value_ = 0;
};

} // namespace v4l2dma
