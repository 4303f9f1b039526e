// SPDX-License-Identifier: MIT
#include "format/pixel_format.h"

#include "base/suggest.h"

#include <algorithm>
#include <cctype>

namespace v4l2dma {

namespace {

using Planes = std::array<ComponentPlane, 3>;
constexpr Planes packed{};
constexpr Planes semi_420{{{1, 1, 1}, {1, 1, 2}, {}}};
constexpr Planes semi_422{{{1, 1, 1}, {1, 1, 1}, {}}};
constexpr Planes semi_444{{{1, 1, 1}, {2, 1, 1}, {}}};
constexpr Planes planar_420{{{1, 1, 1}, {1, 2, 2}, {1, 2, 2}}};
constexpr Planes planar_410{{{1, 1, 1}, {1, 4, 4}, {1, 4, 4}}};
constexpr Planes planar_411{{{1, 1, 1}, {1, 4, 1}, {1, 4, 1}}};
constexpr Planes planar_444{{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}};
constexpr Planes planar_422{{{1, 1, 1}, {1, 2, 1}, {1, 2, 1}}};

constexpr FourCC cc(const char (&text)[5]) {
    return FourCC(text);
}
constexpr FourCC be(const char (&text)[5]) {
    return FourCC(FourCC(text).value() | 1U << 31);
}
constexpr FourCC no_drm{};

// {V4L2 name, description, bits of the first plane, pixels per group, planes, their shape, DRM name, apart,
// together, tiled}
constexpr PixelFormat table[] = {
    {cc("YUYV"), "YUYV 4:2:2", 16, 2, 1, packed, cc("YUYV")},
    {cc("UYVY"), "UYVY 4:2:2", 16, 2, 1, packed, cc("UYVY")},
    {cc("YVYU"), "YVYU 4:2:2", 16, 2, 1, packed, cc("YVYU")},
    {cc("VYUY"), "VYUY 4:2:2", 16, 2, 1, packed, cc("VYUY")},
    {cc("NV12"), "Y/UV 4:2:0", 8, 2, 2, semi_420, cc("NV12")},
    {cc("NV21"), "Y/VU 4:2:0", 8, 2, 2, semi_420, cc("NV21")},
    {cc("NV16"), "Y/UV 4:2:2", 8, 2, 2, semi_422, cc("NV16")},
    {cc("NV61"), "Y/VU 4:2:2", 8, 2, 2, semi_422, cc("NV61")},
    {cc("NV24"), "Y/UV 4:4:4", 8, 1, 2, semi_444, cc("NV24")},
    {cc("NV42"), "Y/VU 4:4:4", 8, 1, 2, semi_444, cc("NV42")},
    {cc("YU12"), "planar YUV 4:2:0", 8, 2, 3, planar_420, cc("YU12")},
    {cc("YV12"), "planar YVU 4:2:0", 8, 2, 3, planar_420, cc("YV12")},
    {cc("422P"), "planar YUV 4:2:2", 8, 2, 3, planar_422, cc("YU16")},
    {cc("P010"), "10-bit Y/UV 4:2:0", 16, 2, 2, semi_420, cc("P010")},
    {cc("P012"), "12-bit Y/UV 4:2:0", 16, 2, 2, semi_420, no_drm},
    {cc("YUV9"), "planar YUV 4:1:0", 8, 4, 3, planar_410, no_drm},
    {cc("YVU9"), "planar YVU 4:1:0", 8, 4, 3, planar_410, no_drm},
    {cc("411P"), "planar YUV 4:1:1", 8, 4, 3, planar_411, no_drm},
    {cc("NM12"), "Y/UV 4:2:0, planes apart", 8, 2, 2, semi_420, cc("NV12"), true, cc("NV12")},
    {cc("NM21"), "Y/VU 4:2:0, planes apart", 8, 2, 2, semi_420, cc("NV21"), true, cc("NV21")},
    {cc("NM16"), "Y/UV 4:2:2, planes apart", 8, 2, 2, semi_422, cc("NV16"), true, cc("NV16")},
    {cc("NM61"), "Y/VU 4:2:2, planes apart", 8, 2, 2, semi_422, cc("NV61"), true, cc("NV61")},
    {cc("PM12"), "12-bit Y/UV 4:2:0, planes apart", 16, 2, 2, semi_420, no_drm, true, cc("P012")},
    {cc("YM12"), "planar YUV 4:2:0, planes apart", 8, 2, 3, planar_420, cc("YU12"), true, cc("YU12")},
    {cc("YM21"), "planar YVU 4:2:0, planes apart", 8, 2, 3, planar_420, cc("YV12"), true, cc("YV12")},
    {cc("YM16"), "planar YUV 4:2:2, planes apart", 8, 2, 3, planar_422, cc("YU16"), true, cc("422P")},
    {cc("YM61"), "planar YVU 4:2:2, planes apart", 8, 2, 3, planar_422, cc("YV16"), true},
    {cc("YM24"), "planar YUV 4:4:4, planes apart", 8, 1, 3, planar_444, cc("YU24"), true},
    {cc("YM42"), "planar YVU 4:4:4, planes apart", 8, 1, 3, planar_444, cc("YV24"), true},
    {cc("VT12"), "Y/UV 4:2:0 (4x4 tiles)", 8, 4, 2, semi_420, no_drm, false, {}, true},
    {cc("VT15"), "10-bit Y/UV 4:2:0 (4x4 tiles)", 10, 4, 2, semi_420, no_drm, false, {}, true},
    {cc("T010"), "10-bit Y/UV 4:2:0 (4x4 tiles, 16 bits)", 16, 4, 2, semi_420, no_drm, false, {}, true},
    // DRM names the bits of a little-endian word, V4L2 the bytes in memory.
    {cc("RGB3"), "24-bit RGB 8-8-8", 24, 1, 1, packed, cc("BG24")},
    {cc("BGR3"), "24-bit BGR 8-8-8", 24, 1, 1, packed, cc("RG24")},
    {cc("XR24"), "32-bit BGRX 8-8-8-8", 32, 1, 1, packed, cc("XR24")},
    {cc("AR24"), "32-bit BGRA 8-8-8-8", 32, 1, 1, packed, cc("AR24")},
    {cc("XB24"), "32-bit RGBX 8-8-8-8", 32, 1, 1, packed, cc("XB24")},
    {cc("AB24"), "32-bit RGBA 8-8-8-8", 32, 1, 1, packed, cc("AB24")},
    {cc("BX24"), "32-bit XRGB 8-8-8-8", 32, 1, 1, packed, cc("BX24")},
    {cc("BA24"), "32-bit ARGB 8-8-8-8", 32, 1, 1, packed, cc("BA24")},
    {cc("BGR4"), "32-bit BGRA/X 8-8-8-8", 32, 1, 1, packed, cc("XR24")},
    {cc("RGB4"), "32-bit A/XRGB 8-8-8-8", 32, 1, 1, packed, cc("BX24")},
    {cc("RGBP"), "16-bit RGB 5-6-5", 16, 1, 1, packed, cc("RG16")},
    {cc("RGB1"), "8-bit RGB 3-3-2", 8, 1, 1, packed, no_drm},
    {cc("AR12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("XR12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("RA12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("RX12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("AB12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("XB12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("GA12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("BX12"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("R444"), "16-bit RGB 4-4-4", 16, 1, 1, packed, no_drm},
    {cc("AR15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("XR15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("RA15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("RX15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("AB15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("XB15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("BA15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("BX15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("RGBO"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("RGBQ"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {be("AR15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {be("XR15"), "16-bit RGB 5-5-5", 16, 1, 1, packed, no_drm},
    {cc("RGBR"), "16-bit RGB 5-6-5, big-endian", 16, 1, 1, packed, no_drm},
    {cc("BGRH"), "18-bit BGR 6-6-6", 32, 1, 1, packed, no_drm},
    {cc("RX24"), "32-bit XBGR 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("RA24"), "32-bit ABGR 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("HSV3"), "24-bit HSV 8-8-8", 24, 1, 1, packed, no_drm},
    {cc("HSV4"), "32-bit XHSV 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("RX30"), "32-bit RGB 10-10-10-2", 32, 1, 1, packed, no_drm},
    {cc("RA30"), "32-bit RGB 10-10-10-2", 32, 1, 1, packed, no_drm},
    {cc("AR30"), "32-bit RGB 10-10-10-2", 32, 1, 1, packed, no_drm},
    {cc("B312"), "12-bit depth BGR", 48, 1, 1, packed, no_drm},
    {cc("BGR6"), "48-bit BGR 16-16-16", 48, 1, 1, packed, no_drm},
    {cc("RGB6"), "48-bit RGB 16-16-16", 48, 1, 1, packed, no_drm},
    {cc("B412"), "12-bit depth BGRA", 64, 1, 1, packed, no_drm},
    {cc("Y444"), "16-bit A/XYUV 4-4-4-4", 16, 1, 1, packed, no_drm},
    {cc("YUVO"), "16-bit A/XYUV 1-5-5-5", 16, 1, 1, packed, no_drm},
    {cc("YUVP"), "16-bit YUV 5-6-5", 16, 1, 1, packed, no_drm},
    {cc("YUV3"), "24-bit YUV 4:4:4 8-8-8", 24, 1, 1, packed, no_drm},
    {cc("YUV4"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("AYUV"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("XYUV"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("VUYA"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("VUYX"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("YUVA"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("YUVX"), "32-bit YUV 4:4:4 8-8-8-8", 32, 1, 1, packed, no_drm},
    {cc("Y210"), "10-bit YUYV 4:2:2", 32, 2, 1, packed, no_drm},
    {cc("Y212"), "12-bit YUYV 4:2:2", 32, 2, 1, packed, no_drm},
    {cc("Y216"), "16-bit YUYV 4:2:2", 32, 2, 1, packed, no_drm},
    {cc("Y312"), "12-bit YUV 4:4:4", 48, 1, 1, packed, no_drm},
    {cc("GREY"), "8-bit greyscale", 8, 1, 1, packed, cc("R8  ")},
    {cc("Y10 "), "10-bit greyscale", 16, 1, 1, packed, no_drm},
    {cc("Y12 "), "12-bit greyscale", 16, 1, 1, packed, no_drm},
    {cc("Y16 "), "16-bit greyscale", 16, 1, 1, packed, cc("R16 ")},
    {cc("Y04 "), "4-bit greyscale", 8, 1, 1, packed, no_drm},
    {cc("Y06 "), "6-bit greyscale", 8, 1, 1, packed, no_drm},
    {cc("Y012"), "12-bit greyscale (bits 15-4)", 16, 1, 1, packed, no_drm},
    {cc("Y14 "), "14-bit greyscale", 16, 1, 1, packed, no_drm},
    {be("Y16 "), "16-bit greyscale, big-endian", 16, 1, 1, packed, no_drm},
    {cc("Y10B"), "10-bit greyscale (packed)", 10, 4, 1, packed, no_drm},
    {cc("Y10P"), "10-bit greyscale (MIPI packed)", 10, 4, 1, packed, no_drm},
    {cc("Y12P"), "12-bit greyscale (MIPI packed)", 12, 2, 1, packed, no_drm},
    {cc("Y14P"), "14-bit greyscale (MIPI packed)", 14, 4, 1, packed, no_drm},
    {cc("BA81"), "8-bit Bayer BGBG/GRGR", 8, 2, 1, packed, no_drm},
    {cc("GBRG"), "8-bit Bayer GBGB/RGRG", 8, 2, 1, packed, no_drm},
    {cc("GRBG"), "8-bit Bayer GRGR/BGBG", 8, 2, 1, packed, no_drm},
    {cc("RGGB"), "8-bit Bayer RGRG/GBGB", 8, 2, 1, packed, no_drm},
    {cc("BG10"), "10-bit Bayer BGBG/GRGR", 16, 2, 1, packed, no_drm},
    {cc("GB10"), "10-bit Bayer GBGB/RGRG", 16, 2, 1, packed, no_drm},
    {cc("BA10"), "10-bit Bayer GRGR/BGBG", 16, 2, 1, packed, no_drm},
    {cc("RG10"), "10-bit Bayer RGRG/GBGB", 16, 2, 1, packed, no_drm},
    {cc("pBAA"), "10-bit Bayer BGBG/GRGR (packed)", 10, 4, 1, packed, no_drm},
    {cc("pGAA"), "10-bit Bayer GBGB/RGRG (packed)", 10, 4, 1, packed, no_drm},
    {cc("pgAA"), "10-bit Bayer GRGR/BGBG (packed)", 10, 4, 1, packed, no_drm},
    {cc("pRAA"), "10-bit Bayer RGRG/GBGB (packed)", 10, 4, 1, packed, no_drm},
    {cc("aBA8"), "8-bit Bayer BGBG/GRGR (A-law)", 8, 2, 1, packed, no_drm},
    {cc("aGA8"), "8-bit Bayer GBGB/RGRG (A-law)", 8, 2, 1, packed, no_drm},
    {cc("agA8"), "8-bit Bayer GRGR/BGBG (A-law)", 8, 2, 1, packed, no_drm},
    {cc("aRA8"), "8-bit Bayer RGRG/GBGB (A-law)", 8, 2, 1, packed, no_drm},
    {cc("bBA8"), "8-bit Bayer BGBG/GRGR (DPCM)", 8, 2, 1, packed, no_drm},
    {cc("bGA8"), "8-bit Bayer GBGB/RGRG (DPCM)", 8, 2, 1, packed, no_drm},
    {cc("BD10"), "8-bit Bayer GRGR/BGBG (DPCM)", 8, 2, 1, packed, no_drm},
    {cc("bRA8"), "8-bit Bayer RGRG/GBGB (DPCM)", 8, 2, 1, packed, no_drm},
    {cc("BG12"), "12-bit Bayer BGBG/GRGR", 16, 2, 1, packed, no_drm},
    {cc("GB12"), "12-bit Bayer GBGB/RGRG", 16, 2, 1, packed, no_drm},
    {cc("BA12"), "12-bit Bayer GRGR/BGBG", 16, 2, 1, packed, no_drm},
    {cc("RG12"), "12-bit Bayer RGRG/GBGB", 16, 2, 1, packed, no_drm},
    {cc("pBCC"), "12-bit Bayer BGBG/GRGR (packed)", 12, 2, 1, packed, no_drm},
    {cc("pGCC"), "12-bit Bayer GBGB/RGRG (packed)", 12, 2, 1, packed, no_drm},
    {cc("pgCC"), "12-bit Bayer GRGR/BGBG (packed)", 12, 2, 1, packed, no_drm},
    {cc("pRCC"), "12-bit Bayer RGRG/GBGB (packed)", 12, 2, 1, packed, no_drm},
    {cc("BG14"), "14-bit Bayer BGBG/GRGR", 16, 2, 1, packed, no_drm},
    {cc("GB14"), "14-bit Bayer GBGB/RGRG", 16, 2, 1, packed, no_drm},
    {cc("GR14"), "14-bit Bayer GRGR/BGBG", 16, 2, 1, packed, no_drm},
    {cc("RG14"), "14-bit Bayer RGRG/GBGB", 16, 2, 1, packed, no_drm},
    {cc("pBEE"), "14-bit Bayer BGBG/GRGR (packed)", 14, 4, 1, packed, no_drm},
    {cc("pGEE"), "14-bit Bayer GBGB/RGRG (packed)", 14, 4, 1, packed, no_drm},
    {cc("pgEE"), "14-bit Bayer GRGR/BGBG (packed)", 14, 4, 1, packed, no_drm},
    {cc("pREE"), "14-bit Bayer RGRG/GBGB (packed)", 14, 4, 1, packed, no_drm},
    {cc("BYR2"), "16-bit Bayer BGBG/GRGR", 16, 2, 1, packed, no_drm},
    {cc("GB16"), "16-bit Bayer GBGB/RGRG", 16, 2, 1, packed, no_drm},
    {cc("GR16"), "16-bit Bayer GRGR/BGBG", 16, 2, 1, packed, no_drm},
    {cc("RG16"), "16-bit Bayer RGRG/GBGB", 16, 2, 1, packed, no_drm},
    {cc("MJPG"), "Motion-JPEG", 0, 1, 1, packed, no_drm},
    {cc("JPEG"), "JPEG JFIF", 0, 1, 1, packed, no_drm},
    {cc("MPG1"), "MPEG-1", 0, 1, 1, packed, no_drm},
    {cc("MPG2"), "MPEG-2", 0, 1, 1, packed, no_drm},
    {cc("MPG4"), "MPEG-4 part 2", 0, 1, 1, packed, no_drm},
    {cc("H264"), "H.264", 0, 1, 1, packed, no_drm},
    {cc("HEVC"), "HEVC", 0, 1, 1, packed, no_drm},
    {cc("VP80"), "VP8", 0, 1, 1, packed, no_drm},
    {cc("VP90"), "VP9", 0, 1, 1, packed, no_drm},
    {cc("AV01"), "AV1", 0, 1, 1, packed, no_drm},
};

// What people type where V4L2's own name is another one.
struct Alias {
    std::string_view text;
    FourCC fourcc;
};
constexpr Alias aliases[] = {
    {"RGB24", cc("RGB3")},  {"BGR24", cc("BGR3")}, {"RGB565", cc("RGBP")}, {"MJPEG", cc("MJPG")},
    {"YUV420", cc("YU12")}, {"I420", cc("YU12")},  {"YUY2", cc("YUYV")},   {"YUV422P", cc("422P")},
    {"YU16", cc("422P")},   {"GRAY", cc("GREY")},  {"GRAY8", cc("GREY")},  {"BGRX", cc("XR24")},
    {"BGRA", cc("AR24")},   {"RGBX", cc("XB24")},  {"RGBA", cc("AB24")},   {"HVC1", cc("HEVC")},
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
    return result;
}

} // namespace

std::span<const PixelFormat> pixel_formats() {
    return table;
}

const PixelFormat* find_pixel_format(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &PixelFormat::fourcc);
    return entry == std::end(table) ? nullptr : entry;
}

bool same_pixels(FourCC a, FourCC b) {
    const auto together = [](FourCC fourcc) {
        const PixelFormat* entry = find_pixel_format(fourcc);
        return entry == nullptr || entry->together == FourCC() ? fourcc : entry->together;
    };
    return together(a) == together(b);
}

std::vector<FourCC> similar_formats(std::string_view text, std::size_t limit) {
    constexpr std::size_t farthest = 2;
    struct Candidate {
        FourCC fourcc;
        std::size_t distance;
    };
    const std::string wanted = upper(text);
    std::vector<Candidate> candidates;
    for (const PixelFormat& entry : table) {
        const std::size_t edits = edit_distance(wanted, entry.fourcc.text());
        if (edits <= farthest && edits < wanted.size())
            candidates.push_back({entry.fourcc, edits});
    }
    std::ranges::stable_sort(candidates, {}, &Candidate::distance);
    std::vector<FourCC> result;
    for (const Candidate& candidate : candidates)
        if (result.size() < limit)
            result.push_back(candidate.fourcc);
    return result;
}

Result<FourCC> resolve_format(std::string_view text, std::span<const FourCC> offered) {
    const std::string wanted = upper(text);
    for (const Alias& alias : aliases)
        if (alias.text == wanted)
            return alias.fourcc;
    // A device's own private format may be in lower case: as typed first.
    for (const std::string_view spelling : {text, std::string_view(wanted)}) {
        const Result<FourCC> fourcc = FourCC::parse(spelling);
        if (fourcc &&
            (find_pixel_format(*fourcc) != nullptr || std::ranges::find(offered, *fourcc) != offered.end()))
            return fourcc;
    }
    std::string near;
    for (const FourCC fourcc : similar_formats(text))
        near += (near.empty() ? "Did you mean " : ", ") + fourcc.text();
    return make_error(ErrorKind::usage, "pixel format", text, "unknown", near.empty() ? near : near + "?");
}

} // namespace v4l2dma
