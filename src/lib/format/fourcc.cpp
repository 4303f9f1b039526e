// SPDX-License-Identifier: MIT
#include "format/fourcc.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

constexpr std::uint32_t big_endian = 1U << 31; // v4l2_fourcc_be()
constexpr std::string_view big_endian_suffix = "-BE";

bool printable(char c) {
    return c >= ' ' && c <= '~';
}

} // namespace

Result<FourCC> FourCC::parse(std::string_view text) {
    std::string_view code = text;
    const bool swapped = code.ends_with(big_endian_suffix);
    if (swapped)
        code.remove_suffix(big_endian_suffix.size());
    if (code.empty() || code.size() > 4 || !std::ranges::all_of(code, printable))
        return make_error(ErrorKind::usage, "pixel format", text,
                          "a pixel format is named by up to four characters, such as YUYV");
    char padded[5] = "    ";
    std::ranges::copy(code, padded);
    return FourCC(FourCC(padded).value() | (swapped ? big_endian : 0));
}

std::string FourCC::text() const {
    std::string text;
    const std::uint32_t code = value_ & ~big_endian;
    for (int shift = 0; shift < 32; shift += 8)
        text.push_back(static_cast<char>(code >> shift & 0xff));
    if (!std::ranges::all_of(text, printable))
        return fmt::format("0x{:08x}", value_);
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return (value_ & big_endian) != 0 ? text.append(big_endian_suffix) : text;
}

} // namespace v4l2dma
