// SPDX-License-Identifier: MIT
#include "flow/output_format.h"

#include "base/log.h"
#include "format/likeness.h"

#include <algorithm>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <vector>

namespace v4l2dma {

namespace {

bool is_compressed(FourCC fourcc) {
    const PixelFormat* entry = find_pixel_format(fourcc);
    return entry != nullptr && entry->compressed();
}

bool same_size(const FrameFormat& a, const FrameFormat& b) {
    return a.width == b.width && a.height == b.height;
}

// What the colours of converted frames mean. What holds for the new pixels, too, is kept: each change of it
// costs colours. The full range of JPEG is nothing that programs expect of other formats.
Colorimetry colours_after(const FrameFormat& source, FourCC fourcc) {
    Colorimetry colours = source.colorimetry;
    if (is_compressed(source.fourcc)) {
        colours.quantization = V4L2_QUANTIZATION_DEFAULT;
    } else if (is_rgb(source.fourcc) != is_rgb(fourcc)) {
        colours.quantization = V4L2_QUANTIZATION_DEFAULT;
        colours.ycbcr_encoding = V4L2_YCBCR_ENC_DEFAULT;
    } else {
        return colours;
    }
    if (colours.colorspace == V4L2_COLORSPACE_JPEG)
        colours.colorspace = V4L2_COLORSPACE_DEFAULT;
    return colours;
}

// Strides and sizes are the driver's to choose.
FrameFormat wanted_format(const FrameFormat& source, FourCC fourcc, const OutputWish& wish) {
    FrameFormat wanted{.fourcc = fourcc,
                       .width = wish.width.value_or(source.width),
                       .height = wish.height.value_or(source.height),
                       .field = source.field,
                       .colorimetry = colours_after(source, fourcc)};
    if (const PixelFormat* entry = find_pixel_format(fourcc))
        wanted.plane_count = entry->memory_planes();
    return wanted;
}

std::string offers_of(const Device& device) {
    const std::string offers = describe_offers(device, BufferType::output);
    return offers.empty() ? offers : fmt::format("{} offers {}", device.path(), offers);
}

std::unexpected<Error> not_offered(const Device& device, const FrameFormat& wanted,
                                   const FrameFormat& offer) {
    return make_error(ErrorKind::usage, "output format", wanted.text(),
                      fmt::format("{} does not offer this; the nearest is {}", device.path(), offer.text()),
                      offers_of(device));
}

std::string layout_text(const FrameFormat& format) {
    return format.bytesperline() == 0
               ? format.text()
               : fmt::format("{} with {} bytes per line", format.text(), format.bytesperline());
}

// The device set to one of its formats, and what brings frames there.
Result<OutputFormat> set_converted(const Device& device, const FrameFormat& source, const FrameFormat& wanted,
                                   const OutputWish& wish) {
    const Result<FrameFormat> offer = try_format(device, BufferType::output, wanted);
    if (!offer)
        return std::unexpected(offer.error());
    if (offer->fourcc != wanted.fourcc || wish.changes(*offer))
        return not_offered(device, wanted, *offer);
    // Before anything is set: whoever reads a loop would lose his buffers for nothing.
    Result<FrameCopier> copier = FrameCopier::create(source, *offer);
    if (!copier)
        return std::unexpected(std::move(copier.error()));
    const Result<FrameFormat> granted = set_format(device, BufferType::output, wanted);
    if (!granted)
        return std::unexpected(granted.error());
    if (!(*granted == *offer))
        copier = FrameCopier::create(source, *granted);
    if (!copier)
        return std::unexpected(std::move(copier.error()));
    return OutputFormat{.format = *granted, .copier = std::move(*copier)};
}

// What the device may be set to instead, the best first.
std::vector<FrameFormat> candidates(const Device& device, const FrameFormat& source, const OutputWish& wish) {
    if (wish.fourcc)
        return {wanted_format(source, *wish.fourcc, wish)};
    std::vector<FourCC> offered;
    for (const FormatDescription& entry : enumerate_formats(device, BufferType::output))
        if (!is_compressed(entry.fourcc) && entry.fourcc != source.fourcc)
            offered.push_back(entry.fourcc);
    sort_by_likeness(source.fourcc, offered);
    offered.insert(offered.begin(), source.fourcc);
    std::vector<FrameFormat> formats;
    for (const FourCC fourcc : offered) {
        FrameFormat wanted = wanted_format(source, fourcc, wish);
        const Result<FrameFormat> offer = try_format(device, BufferType::output, wanted);
        if (!offer || offer->fourcc != fourcc)
            continue;
        wanted.width = wish.width.value_or(offer->width);
        wanted.height = wish.height.value_or(offer->height);
        formats.push_back(wanted);
    }
    // Scaled only where no format has the size.
    std::ranges::stable_partition(formats, [&](const FrameFormat& wanted) {
        return wanted.width == wish.width.value_or(source.width) &&
               wanted.height == wish.height.value_or(source.height);
    });
    return formats;
}

Result<OutputFormat> convert_to_best(const Device& device, const FrameFormat& source,
                                     const OutputWish& wish) {
    std::optional<Error> obstacle;
    for (const FrameFormat& wanted : candidates(device, source, wish)) {
        Result<OutputFormat> output = set_converted(device, source, wanted, wish);
        if (output || output.error().kind == ErrorKind::device)
            return output;
        spdlog::debug("{} {}: {}", device.path(), wanted.text(), output.error().message());
        // What the user can change says most.
        if (!obstacle || (output.error().kind == ErrorKind::usage && obstacle->kind != ErrorKind::usage))
            obstacle = std::move(output.error());
    }
    if (obstacle)
        return std::unexpected(std::move(*obstacle));
    return make_error(ErrorKind::device, "convert", source.text(), "the output offers no other format");
}

// Nothing was asked for: it is the device that cannot be used.
std::unexpected<Error> takes_nothing(const Device& device, const FrameFormat& source, const Error& why) {
    return make_error(ErrorKind::device, "S_FMT", device.path(),
                      fmt::format("it does not take {}, and a conversion is not possible: {}",
                                  layout_text(source), why.message()),
                      offers_of(device));
}

// The source's own format, or what the driver makes of it.
Result<FrameFormat> ask_for(const Device& device, const FrameFormat& source) {
    Result<FrameFormat> granted = set_format(device, BufferType::output, source);
    // A layout that equals the loop's last one may be a leftover of G_FMT to it; said twice it is meant
    // (docs/kmod.md).
    if (granted && !granted->same_layout(source))
        granted = set_format(device, BufferType::output, source);
    return granted;
}

bool has_shorter_buffers(const FrameFormat& format, const FrameFormat& source) {
    for (std::uint32_t i = 0; i < format.plane_count; ++i)
        if (format.planes[i].sizeimage < source.planes[i].sizeimage)
            return true;
    return false;
}

OutputFormat unchanged(const Device& device, const FrameFormat& granted, const FrameFormat& source) {
    if (granted.field != source.field || granted.colorimetry != source.colorimetry)
        spdlog::debug(
            "{} keeps its own field order or colorimetry: the pixels are the same, their meaning may not be",
            device.path());
    OutputFormat output{.format = granted};
    // What the source's buffers have behind the pixels may not fit.
    if (!is_compressed(source.fourcc) && has_shorter_buffers(granted, source) && layout_of(granted))
        if (Result<FrameCopier> copier = FrameCopier::create(source, granted); copier)
            output.copier = std::move(*copier);
    return output;
}

} // namespace

Result<OutputWish> OutputWish::resolve(const OutputWishes& wishes, const Device& device) {
    OutputWish wish{.fourcc = {},
                    .width = wishes.width,
                    .height = wishes.height,
                    .fixed_bindings = wishes.fixed_bindings};
    if (!wishes.format)
        return wish;
    std::vector<FourCC> offered;
    for (const FormatDescription& entry : enumerate_formats(device, BufferType::output))
        offered.push_back(entry.fourcc);
    const Result<FourCC> fourcc = resolve_format(*wishes.format, offered);
    if (!fourcc)
        return std::unexpected(fourcc.error());
    wish.fourcc = *fourcc;
    return wish;
}

bool OutputWish::changes(const FrameFormat& format) const noexcept {
    return fourcc.value_or(format.fourcc) != format.fourcc || width.value_or(format.width) != format.width ||
           height.value_or(format.height) != format.height;
}

bool takes_unchanged(const Device& device, const FrameFormat& format) {
    const Result<FrameFormat> offer = try_format(device, BufferType::output, format);
    if (!offer || offer->same_places(format))
        return true;
    // Lines that are as long as the loop's now are taken for a leftover of G_FMT; ask_for() insists.
    if (!device.capability().is_loop() || offer->fourcc != format.fourcc || !same_size(*offer, format) ||
        offer->plane_count != format.plane_count)
        return false;
    const Result<FrameFormat> current = get_format(device, BufferType::output);
    for (std::uint32_t i = 0; current && i < format.plane_count; ++i)
        if (offer->planes[i].bytesperline != format.planes[i].bytesperline &&
            current->planes[i].bytesperline != format.planes[i].bytesperline)
            return false;
    return current.has_value();
}

Result<OutputFormat> set_output_format(const Device& device, const FrameFormat& source,
                                       const OutputWish& wish) {
    const bool asked = wish.changes(source);
    if (!asked) {
        const Result<FrameFormat> granted = ask_for(device, source);
        if (!granted)
            return std::unexpected(granted.error());
        if (granted->same_places(source))
            return unchanged(device, *granted, source);
    }
    Result<OutputFormat> output = convert_to_best(device, source, wish);
    if (!output)
        return asked || output.error().code != 0 ? std::move(output)
                                                 : takes_nothing(device, source, output.error());
    output->conversion = {
        .to = output->format,
        .why = asked ? "it was asked for"
                     : fmt::format("{} does not take {}", device.path(), layout_text(source)),
        .remedy =
            asked ? "Without --output-format, --output-width and --output-height the frames stay as they are"
                  : offers_of(device)};
    return output;
}

} // namespace v4l2dma
