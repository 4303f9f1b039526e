// SPDX-License-Identifier: MIT
// v4l2dma_format_table DEV capture|output - asks the driver with TRY_FMT for every format of the library's
// table, in several sizes, without and with padded lines, and compares strides and sizes of each memory plane
// with the library's own, at the size that the driver grants.
//
// Prints "compared N layouts of M formats, K with padded lines, in the sizes WxH ..." and then lists: what
// the driver does not have, compressed formats (which have no layout), buffers that are longer than the
// frame, sizes that are no whole number of pixel groups and that the driver rounds otherwise, and what
// "differs". Exit code 1 if something differs, or nothing could be compared.
#include "v4l2/format.h"

#include <cstdio>
#include <map>
#include <set>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

using namespace v4l2dma;

namespace {

struct Size {
    std::uint32_t width;
    std::uint32_t height;
};
constexpr Size sizes[] = {{640, 480}, {320, 180},  {1920, 1080}, {161, 121}, {177, 99},    {1023, 767},
                          {333, 17},  {1366, 768}, {642, 482},   {4, 4},     {4096, 2160}, {720, 576}};
constexpr std::uint32_t paddings[] = {0, 64, 4096}; ///< bytes that are asked for behind each line

struct Findings {
    std::size_t compared = 0;
    std::size_t padded = 0;
    std::set<std::string> formats;
    std::set<std::string> granted_sizes;
    std::vector<std::string> missing;
    std::vector<std::string> compressed;
    std::map<std::string, std::set<std::string>> longer;  ///< format: how much, plane by plane
    std::map<std::string, std::set<std::string>> rounded; ///< format: sizes
    std::vector<std::string> different;
};

/// Whether the frame's sides are whole numbers of what the format groups: elsewhere drivers round up or down.
bool is_whole(const PixelFormat& entry, const FrameFormat& format) {
    std::uint32_t rows = 1;
    for (std::uint32_t i = 0; i < entry.plane_count; ++i)
        rows = std::max<std::uint32_t>(rows, entry.planes[i].vertical_subsampling);
    return format.width % entry.pixels_per_group == 0 && format.height % rows == 0;
}

std::string numbers(const FrameFormat& format) {
    std::string text;
    for (std::uint32_t i = 0; i < format.plane_count; ++i)
        text += fmt::format(" {}x{}", format.planes[i].bytesperline, format.planes[i].sizeimage);
    return text;
}

/// The library's frame of the granted size and the granted stride of the first plane.
Result<FrameFormat> own_format(const PixelFormat& entry, const FrameFormat& granted) {
    Result<FrameFormat> own = tight_format(granted.fourcc, granted.width, granted.height);
    if (!own || granted.bytesperline() <= own->bytesperline())
        return own;
    for (std::uint32_t i = 0; i < own->plane_count; ++i)
        own->planes[i].bytesperline = granted.planes[i].bytesperline;
    // Large enough for what layout_of() is to say.
    for (std::uint32_t i = 0; i < own->plane_count; ++i)
        own->planes[i].sizeimage = static_cast<std::uint32_t>(
            entry.apart ? std::uint64_t{own->planes[i].bytesperline} * granted.height
                        : min_sizeimage(entry, own->bytesperline(), granted.height));
    const Result<Layout> layout = layout_of(*own);
    if (!layout)
        return std::unexpected(layout.error());
    for (std::uint32_t i = 0; i < own->plane_count; ++i)
        own->planes[i].sizeimage = static_cast<std::uint32_t>(layout->size(i));
    return own;
}

void compare(const PixelFormat& entry, const FrameFormat& granted, Findings& findings) {
    const Result<FrameFormat> own = own_format(entry, granted);
    const std::string name = entry.fourcc.text();
    if (!own || own->plane_count != granted.plane_count) {
        findings.different.push_back(
            granted.text() + ": " +
            (own ? fmt::format("{} planes, not {}", own->plane_count, granted.plane_count)
                 : own.error().message()));
        return;
    }
    bool strides = true;
    bool shorter = false;
    std::string more;
    for (std::uint32_t i = 0; i < own->plane_count; ++i) {
        strides = strides && own->planes[i].bytesperline == granted.planes[i].bytesperline;
        shorter = shorter || granted.planes[i].sizeimage < own->planes[i].sizeimage;
        const std::uint32_t extra = granted.planes[i].sizeimage - own->planes[i].sizeimage;
        more += fmt::format("{}+{}", more.empty() ? "" : " ", extra);
    }
    const bool equal = own->planes == granted.planes;
    if (!equal && !is_whole(entry, granted))
        findings.rounded[name].insert(fmt::format("{}x{}", granted.width, granted.height));
    else if (!strides || shorter)
        findings.different.push_back(
            fmt::format("{}: ours{}, the driver's{}", granted.text(), numbers(*own), numbers(granted)));
    else if (!equal)
        findings.longer[name].insert(more);
    ++findings.compared;
    findings.formats.insert(name);
    findings.granted_sizes.insert(fmt::format("{}x{}", granted.width, granted.height));
    const Result<FrameFormat> tight = tight_format(granted.fourcc, granted.width, granted.height);
    findings.padded += tight && granted.bytesperline() > tight->bytesperline() ? 1U : 0U;
}

/// False if the driver answers with another format.
bool ask(const Device& device, BufferType type, const PixelFormat& entry, Size size, std::uint32_t padding,
         Findings& findings) {
    FrameFormat wanted{.fourcc = entry.fourcc, .width = size.width, .height = size.height};
    wanted.field = V4L2_FIELD_NONE;
    wanted.plane_count = entry.memory_planes();
    if (const Result<FrameFormat> tight = tight_format(entry.fourcc, size.width, size.height);
        padding > 0 && tight)
        for (std::uint32_t i = 0; i < wanted.plane_count; ++i)
            wanted.planes[i].bytesperline = tight->planes[i].bytesperline + padding;
    const Result<FrameFormat> granted = try_format(device, type, wanted);
    if (!granted || granted->fourcc != entry.fourcc)
        return false;
    if (!entry.compressed())
        compare(entry, *granted, findings);
    return true;
}

Findings look(const Device& device, BufferType type) {
    Findings findings;
    for (const PixelFormat& entry : pixel_formats()) {
        bool there = false;
        for (const Size size : sizes)
            for (const std::uint32_t padding : paddings)
                there = ask(device, type, entry, size, padding, findings) || there;
        if (!there)
            findings.missing.push_back(entry.fourcc.text());
        else if (entry.compressed())
            findings.compressed.push_back(entry.fourcc.text());
    }
    return findings;
}

void print(const Findings& findings) {
    fmt::print("compared {} layouts of {} formats, {} with padded lines, in the sizes {}\n",
               findings.compared, findings.formats.size(), findings.padded,
               fmt::join(findings.granted_sizes, " "));
    fmt::print("missing {}: {}\n", findings.missing.size(), fmt::join(findings.missing, " "));
    fmt::print("compressed {}: {}\n", findings.compressed.size(), fmt::join(findings.compressed, " "));
    for (const auto& [format, how] : findings.longer)
        fmt::print("longer {}: {}\n", format, fmt::join(how, ", "));
    std::map<std::string, std::vector<std::string>> rounded; // most formats share their sizes
    for (const auto& [format, where] : findings.rounded)
        rounded[fmt::format("{}", fmt::join(where, " "))].push_back(format);
    for (const auto& [where, formats] : rounded)
        fmt::print("rounded {}: {}\n", where, fmt::join(formats, " "));
    for (const std::string& difference : findings.different)
        fmt::print("differs {}\n", difference);
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view side = argc == 3 ? argv[2] : "";
    if (side != "capture" && side != "output") {
        std::fputs("usage: v4l2dma_format_table DEV capture|output\n", stderr);
        return 2;
    }
    const Result<Device> device = Device::open(argv[1]);
    if (!device) {
        fmt::print(stderr, "{}\n", device.error().message());
        return 1;
    }
    const Findings findings = look(*device, side == "capture" ? BufferType::capture : BufferType::output);
    print(findings);
    return findings.compared > 0 && findings.different.empty() ? 0 : 1;
}
