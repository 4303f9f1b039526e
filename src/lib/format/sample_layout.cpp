// SPDX-License-Identifier: MIT
#include "format/sample_layout.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <iterator>
#include <spdlog/fmt/fmt.h>
#include <string_view>

namespace v4l2dma {

namespace {

// A group's bits in words such as "Y8 U8 Y8 V8": component and number of bits. They follow each other from
// the lowest bit of a little-endian word, or from the highest of a big-endian one; both times that is the
// order of the first bytes in memory. The n-th Y is the n-th pixel's. A is alpha and what stands in for it,
// '.' no sample at all (zero), S a sample whose component the Bayer pattern says. A small letter stands for
// the low bits of a sample whose upper bits are elsewhere (MIPI's packing).
using Words = std::array<std::string_view, 3>; // by component plane

constexpr Words yuyv{"Y8 U8 Y8 V8"};
constexpr Words y_uv{"Y8", "U8 V8"};
constexpr Words y_vu{"Y8", "V8 U8"};
constexpr Words y_u_v{"Y8", "U8", "V8"};
constexpr Words y_v_u{"Y8", "V8", "U8"};
constexpr Words bgra{"B8 G8 R8 A8"};
constexpr Words rgba{"R8 G8 B8 A8"};
constexpr Words argb{"A8 R8 G8 B8"};
constexpr Words abgr{"A8 B8 G8 R8"};
constexpr Words argb4{"B4 G4 R4 A4"}; // here the names say the word from its highest bit
constexpr Words rgba4{"A4 B4 G4 R4"};
constexpr Words abgr4{"R4 G4 B4 A4"};
constexpr Words bgra4{"A4 R4 G4 B4"};
constexpr Words argb5{"B5 G5 R5 A1"};
constexpr Words rgba5{"A1 B5 G5 R5"};
constexpr Words abgr5{"R5 G5 B5 A1"};
constexpr Words bgra5{"A1 R5 G5 B5"};
constexpr Words argb5_big{"A1 R5 G5 B5"};
constexpr Words rgba10{"A2 B10 G10 R10"};
constexpr Words ayuv{"A8 Y8 U8 V8"};
constexpr Words vuya{"V8 U8 Y8 A8"};
constexpr Words yuva{"Y8 U8 V8 A8"};
constexpr Words s8{"S8 S8"};
constexpr Words s10{"S10 .6 S10 .6"};
constexpr Words s12{"S12 .4 S12 .4"};
constexpr Words s14{"S14 .2 S14 .2"};
constexpr Words s16{"S16 S16"};
constexpr Words s10_mipi{"S8 S8 S8 S8 s2 s2 s2 s2"};
constexpr Words s12_mipi{"S8 S8 s4 s4"};
constexpr Words s14_mipi{"S8 S8 S8 S8 s6 s6 s6 s6"};

struct Entry {
    FourCC fourcc;
    Words words;
    std::string_view bayer{}; ///< components of the first two pixels of an even, then of an odd row
    bool big_endian = false;
};

constexpr FourCC cc(const char (&text)[5]) {
    return FourCC(text);
}
constexpr FourCC be(const char (&text)[5]) {
    return FourCC(FourCC(text).value() | 1U << 31);
}

// As the V4L2 documentation's chapter "Image Formats" has them.
constexpr Entry table[] = {
    {cc("YUYV"), yuyv},
    {cc("UYVY"), {"U8 Y8 V8 Y8"}},
    {cc("YVYU"), {"Y8 V8 Y8 U8"}},
    {cc("VYUY"), {"V8 Y8 U8 Y8"}},
    {cc("Y210"), {".6 Y10 .6 U10 .6 Y10 .6 V10"}},
    {cc("Y212"), {".4 Y12 .4 U12 .4 Y12 .4 V12"}},
    {cc("Y216"), {"Y16 U16 Y16 V16"}},
    {cc("NV12"), y_uv},
    {cc("NV21"), y_vu},
    {cc("NV16"), y_uv},
    {cc("NV61"), y_vu},
    {cc("NV24"), y_uv},
    {cc("NV42"), y_vu},
    {cc("NM12"), y_uv},
    {cc("NM21"), y_vu},
    {cc("NM16"), y_uv},
    {cc("NM61"), y_vu},
    {cc("P010"), {".6 Y10", ".6 U10 .6 V10"}},
    {cc("P012"), {".4 Y12", ".4 U12 .4 V12"}},
    {cc("PM12"), {".4 Y12", ".4 U12 .4 V12"}},
    {cc("YU12"), y_u_v},
    {cc("YV12"), y_v_u},
    {cc("422P"), y_u_v},
    {cc("YUV9"), y_u_v},
    {cc("YVU9"), y_v_u},
    {cc("411P"), y_u_v},
    {cc("YM12"), y_u_v},
    {cc("YM21"), y_v_u},
    {cc("YM16"), y_u_v},
    {cc("YM61"), y_v_u},
    {cc("YM24"), y_u_v},
    {cc("YM42"), y_v_u},
    {cc("RGB3"), {"R8 G8 B8"}},
    {cc("BGR3"), {"B8 G8 R8"}},
    {cc("XR24"), bgra},
    {cc("AR24"), bgra},
    {cc("BGR4"), bgra},
    {cc("XB24"), rgba},
    {cc("AB24"), rgba},
    {cc("BX24"), argb},
    {cc("BA24"), argb},
    {cc("RGB4"), argb},
    {cc("RX24"), abgr},
    {cc("RA24"), abgr},
    {cc("RGBP"), {"B5 G6 R5"}},
    {cc("RGBR"), {"R5 G6 B5"}, {}, true},
    {cc("RGB1"), {"B2 G3 R3"}},
    {cc("AR12"), argb4},
    {cc("XR12"), argb4},
    {cc("R444"), argb4},
    {cc("RA12"), rgba4},
    {cc("RX12"), rgba4},
    {cc("AB12"), abgr4},
    {cc("XB12"), abgr4},
    {cc("GA12"), bgra4},
    {cc("BX12"), bgra4},
    {cc("AR15"), argb5},
    {cc("XR15"), argb5},
    {cc("RGBO"), argb5},
    {cc("RA15"), rgba5},
    {cc("RX15"), rgba5},
    {cc("AB15"), abgr5},
    {cc("XB15"), abgr5},
    {cc("BA15"), bgra5},
    {cc("BX15"), bgra5},
    {cc("RGBQ"), argb5_big, {}, true},
    {be("AR15"), argb5_big, {}, true},
    {be("XR15"), argb5_big, {}, true},
    {cc("BGRH"), {"B6 G6 R6 .14"}, {}, true},
    {cc("RX30"), rgba10},
    {cc("RA30"), rgba10},
    {cc("AR30"), {"B10 G10 R10 A2"}},
    {cc("B312"), {".4 B12 .4 G12 .4 R12"}},
    {cc("BGR6"), {"B16 G16 R16"}},
    {cc("RGB6"), {"R16 G16 B16"}},
    {cc("B412"), {".4 B12 .4 G12 .4 R12 .4 A12"}},
    {cc("Y444"), {"V4 U4 Y4 A4"}},
    {cc("YUVO"), {"V5 U5 Y5 A1"}},
    {cc("YUVP"), {"V5 U6 Y5"}},
    {cc("YUV3"), {"Y8 U8 V8"}},
    {cc("YUV4"), ayuv},
    {cc("AYUV"), ayuv},
    {cc("XYUV"), ayuv},
    {cc("VUYA"), vuya},
    {cc("VUYX"), vuya},
    {cc("YUVA"), yuva},
    {cc("YUVX"), yuva},
    {cc("Y312"), {".4 Y12 .4 U12 .4 V12"}},
    {cc("GREY"), {"Y8"}},
    {cc("Y04 "), {"Y4 .4"}},
    {cc("Y06 "), {"Y6 .2"}},
    {cc("Y10 "), {"Y10 .6"}},
    {cc("Y12 "), {"Y12 .4"}},
    {cc("Y012"), {".4 Y12"}},
    {cc("Y14 "), {"Y14 .2"}},
    {cc("Y16 "), {"Y16"}},
    {be("Y16 "), {"Y16"}, {}, true},
    {cc("Y10B"), {"Y10 Y10 Y10 Y10"}, {}, true},
    {cc("Y10P"), {"Y8 Y8 Y8 Y8 y2 y2 y2 y2"}},
    {cc("Y12P"), {"Y8 Y8 y4 y4"}},
    {cc("Y14P"), {"Y8 Y8 Y8 Y8 y6 y6 y6 y6"}},
    {cc("BA81"), s8, "BGGR"},
    {cc("GBRG"), s8, "GBRG"},
    {cc("GRBG"), s8, "GRBG"},
    {cc("RGGB"), s8, "RGGB"},
    {cc("BG10"), s10, "BGGR"},
    {cc("GB10"), s10, "GBRG"},
    {cc("BA10"), s10, "GRBG"},
    {cc("RG10"), s10, "RGGB"},
    {cc("pBAA"), s10_mipi, "BGGR"},
    {cc("pGAA"), s10_mipi, "GBRG"},
    {cc("pgAA"), s10_mipi, "GRBG"},
    {cc("pRAA"), s10_mipi, "RGGB"},
    {cc("BG12"), s12, "BGGR"},
    {cc("GB12"), s12, "GBRG"},
    {cc("BA12"), s12, "GRBG"},
    {cc("RG12"), s12, "RGGB"},
    {cc("pBCC"), s12_mipi, "BGGR"},
    {cc("pGCC"), s12_mipi, "GBRG"},
    {cc("pgCC"), s12_mipi, "GRBG"},
    {cc("pRCC"), s12_mipi, "RGGB"},
    {cc("BG14"), s14, "BGGR"},
    {cc("GB14"), s14, "GBRG"},
    {cc("GR14"), s14, "GRBG"},
    {cc("RG14"), s14, "RGGB"},
    {cc("pBEE"), s14_mipi, "BGGR"},
    {cc("pGEE"), s14_mipi, "GBRG"},
    {cc("pgEE"), s14_mipi, "GRBG"},
    {cc("pREE"), s14_mipi, "RGGB"},
    {cc("BYR2"), s16, "BGGR"},
    {cc("GB16"), s16, "GBRG"},
    {cc("GR16"), s16, "GRBG"},
    {cc("RG16"), s16, "RGGB"},
};

const Entry* find_entry(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &Entry::fourcc);
    return entry == std::end(table) ? nullptr : entry;
}

Component component_of(char letter) {
    constexpr std::string_view letters = "YUVRGBA"; // in the order of the enumeration
    return static_cast<Component>(letters.find(letter));
}

/// A word of a group's description, such as "Y10".
struct Token {
    char letter = '.'; ///< in capitals
    bool low_bits = false;
    std::uint8_t bits = 0;
};

/// The next word of @p text, which is removed from it.
Token take_token(std::string_view& text) {
    const std::size_t length = std::min(text.find(' '), text.size());
    Token token;
    for (const char c : text.substr(0, length)) {
        if (c >= '0' && c <= '9') {
            token.bits = static_cast<std::uint8_t>(token.bits * 10 + (c - '0'));
        } else {
            token.low_bits = c >= 'a' && c <= 'z';
            token.letter = static_cast<char>(std::toupper(c));
        }
    }
    text.remove_prefix(std::min(length + 1, text.size()));
    return token;
}

/// Puts a group together, one word of its description after the other.
class GroupBuilder {
public:
    GroupBuilder(std::string_view bayer_row, bool big_endian) : bayer_row_(bayer_row) {
        group_.big_endian = big_endian;
    }

    void add(const Token& token) {
        const std::uint8_t shift = bits_;
        bits_ = static_cast<std::uint8_t>(bits_ + token.bits);
        if (token.letter == '.')
            return;
        const bool per_pixel = token.letter == 'Y' || token.letter == 'S';
        std::uint8_t& count = token.low_bits ? low_count_ : count_;
        const std::uint8_t pixel = per_pixel ? count++ : std::uint8_t{0};
        const char letter = token.letter == 'S' ? bayer_row_[pixel % 2] : token.letter;
        if (token.low_bits)
            lower(pixel, token.bits);
        group_.storage[group_.field_count++] = {.component = component_of(letter),
                                                .shared = !per_pixel,
                                                .pixel = pixel,
                                                .depth = token.bits,
                                                .low = 0,
                                                .width = token.bits,
                                                .shift = shift};
    }

    [[nodiscard]] SampleGroup finish() {
        group_.bytes = static_cast<std::uint8_t>(bits_ / 8);
        if (group_.big_endian) // counted from the highest bit so far
            for (SampleField& field : std::span(group_.storage).first(group_.field_count))
                field.shift = static_cast<std::uint8_t>(bits_ - field.shift - field.width);
        for (SampleField& field : std::span(group_.storage).first(group_.field_count))
            field.depth = depth_of(field);
        return group_;
    }

private:
    /// The pixel's sample has this many bits below those that were described so far.
    void lower(std::uint8_t pixel, std::uint8_t bits) {
        for (SampleField& field : std::span(group_.storage).first(group_.field_count))
            if (!field.shared && field.pixel == pixel)
                field.low = bits;
    }

    [[nodiscard]] std::uint8_t depth_of(const SampleField& of) const {
        std::uint8_t depth = 0;
        for (const SampleField& field : group_.fields())
            if (field.pixel == of.pixel && field.component == of.component)
                depth = std::max(depth, static_cast<std::uint8_t>(field.low + field.width));
        return depth;
    }

    std::string_view bayer_row_;
    SampleGroup group_{};
    std::uint8_t bits_ = 0;
    std::uint8_t count_ = 0;
    std::uint8_t low_count_ = 0;
};

SampleGroup parse_group(std::string_view text, std::string_view bayer_row, bool big_endian) {
    GroupBuilder builder(bayer_row, big_endian);
    while (!text.empty())
        builder.add(take_token(text));
    return builder.finish();
}

SamplePlane describe_plane(const Entry& entry, const PixelFormat& pixel_format, std::size_t index,
                           const PlaneLayout& place, std::uint32_t width) {
    SamplePlane plane{.place = place};
    plane.phases = entry.bayer.empty() ? 1 : 2;
    for (std::size_t i = 0; i < plane.phases; ++i)
        plane.rows[i] = parse_group(entry.words[index], entry.bayer.substr(2 * i, 2), entry.big_endian);
    const ComponentPlane& shape = pixel_format.planes[index];
    plane.group_rows = shape.vertical_subsampling;
    plane.group_columns = plane.rows[0].bytes * 8U * shape.stride_divisor /
                          (pixel_format.bits_per_pixel * std::uint32_t{shape.stride_multiplier});
    plane.groups = width / plane.group_columns + (width % plane.group_columns != 0 ? 1 : 0);
    return plane;
}

} // namespace

std::uint64_t SampleGroup::mask(std::uint32_t begin, std::uint32_t end) const noexcept {
    std::uint64_t bits = 0;
    for (const SampleField& field : fields())
        if (field.shared || (field.pixel >= begin && field.pixel < end))
            bits |= field.mask();
    return bits;
}

bool SampleGroup::has_pixels() const noexcept {
    return std::ranges::any_of(fields(), [](const SampleField& field) { return !field.shared; });
}

std::uint64_t SampleGroup::load(std::span<const std::byte> memory) const noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        word = word << 8 | std::to_integer<std::uint64_t>(memory[big_endian ? i : bytes - 1 - i]);
    return word;
}

void SampleGroup::store(std::span<std::byte> memory, std::uint64_t word) const noexcept {
    for (std::size_t i = 0; i < bytes; ++i, word >>= 8)
        memory[big_endian ? bytes - 1 - i : i] = static_cast<std::byte>(word & 0xff);
}

bool has_sample_layout(FourCC fourcc) {
    return find_entry(fourcc) != nullptr;
}

Result<SampleLayout> sample_layout_of(const FrameFormat& format, std::span<const std::size_t> memory) {
    const Entry* entry = find_entry(format.fourcc);
    const PixelFormat* pixel_format = find_pixel_format(format.fourcc);
    if (entry == nullptr || pixel_format == nullptr)
        return make_error(ErrorKind::unsupported, "samples", format.text(),
                          "the places of its samples are not known");
    const Result<Layout> layout = layout_of(format);
    if (!layout)
        return std::unexpected(layout.error());
    SampleLayout samples{.plane_count = layout->plane_count};
    for (std::uint32_t i = 0; i < layout->plane_count; ++i) {
        const SamplePlane plane = describe_plane(*entry, *pixel_format, i, layout->planes[i], format.width);
        if (plane.place.memory_plane >= memory.size() || memory[plane.place.memory_plane] < plane.end() ||
            plane.row_bytes() > plane.place.stride)
            return make_error(ErrorKind::usage, "samples", format.text(),
                              fmt::format("the memory of plane {} is too short", i));
        samples.storage[i] = plane;
    }
    samples.rgb = std::ranges::none_of(samples.storage[0].rows[0].fields(), [](const SampleField& field) {
        return field.component == Component::luma;
    });
    return samples;
}

} // namespace v4l2dma
