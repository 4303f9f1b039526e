// SPDX-License-Identifier: MIT
#include "format/pixel_format.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace v4l2dma {

namespace {

using Planes = std::array<ComponentPlane, 3>;
constexpr Planes packed{};
constexpr Planes semi_420{{{1, 1, 1}, {1, 1, 2}, {}}};
constexpr Planes semi_422{{{1, 1, 1}, {1, 1, 1}, {}}};
constexpr Planes semi_444{{{1, 1, 1}, {2, 1, 1}, {}}};
constexpr Planes planar_420{{{1, 1, 1}, {1, 2, 2}, {1, 2, 2}}};
constexpr Planes planar_422{{{1, 1, 1}, {1, 2, 1}, {1, 2, 1}}};

constexpr FourCC cc(const char (&text)[5]) {
    return FourCC(text);
}
constexpr FourCC no_drm{};

// {V4L2 name, description, bits of the first plane, pixels per group, planes, their shape, DRM name}
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
    {cc("GREY"), "8-bit greyscale", 8, 1, 1, packed, cc("R8  ")},
    {cc("Y10 "), "10-bit greyscale", 16, 1, 1, packed, no_drm},
    {cc("Y12 "), "12-bit greyscale", 16, 1, 1, packed, no_drm},
    {cc("Y16 "), "16-bit greyscale", 16, 1, 1, packed, cc("R16 ")},
    {cc("BA81"), "8-bit Bayer BGBG/GRGR", 8, 2, 1, packed, no_drm},
    {cc("GBRG"), "8-bit Bayer GBGB/RGRG", 8, 2, 1, packed, no_drm},
    {cc("GRBG"), "8-bit Bayer GRGR/BGBG", 8, 2, 1, packed, no_drm},
    {cc("RGGB"), "8-bit Bayer RGRG/GBGB", 8, 2, 1, packed, no_drm},
    {cc("MJPG"), "Motion-JPEG", 0, 1, 1, packed, no_drm},
    {cc("JPEG"), "JPEG JFIF", 0, 1, 1, packed, no_drm},
    {cc("MPG2"), "MPEG-2", 0, 1, 1, packed, no_drm},
    {cc("H264"), "H.264", 0, 1, 1, packed, no_drm},
    {cc("HEVC"), "HEVC", 0, 1, 1, packed, no_drm},
    {cc("VP80"), "VP8", 0, 1, 1, packed, no_drm},
    {cc("VP90"), "VP9", 0, 1, 1, packed, no_drm},
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

// Edits (insert, delete, replace, swap of neighbours) between two short words.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        cost[i][0] = i;
    std::iota(cost[0].begin(), cost[0].end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

} // namespace

std::span<const PixelFormat> pixel_formats() {
    return table;
}

const PixelFormat* find_pixel_format(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &PixelFormat::fourcc);
    return entry == std::end(table) ? nullptr : entry;
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
        const std::size_t edits = distance(wanted, entry.fourcc.text());
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
