// SPDX-License-Identifier: MIT
#include "v4l2/format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <spdlog/fmt/fmt.h>
#include <type_traits>

namespace v4l2dma {

namespace {

Result<FrameFormat> exchange_format(const Device& device, BufferType type, const FrameFormat& wanted,
                                    unsigned long request, std::string_view name) {
    v4l2_format raw_format = to_raw(wanted, device.raw_type(type));
    const int result = device.try_ioctl(request, &raw_format);
    if (result == -EBUSY) {
        Error error = system_error(name, device.path(), EBUSY).error();
        error.kind = ErrorKind::device;
        error.detail = "another program uses it";
        error.remedy = "Stop that program first (`fuser -v " + device.path() + "` names it)";
        return std::unexpected(std::move(error));
    }
    if (result < 0)
        return system_error(name, device.path() + " " + wanted.text(), -result);
    return from_raw(raw_format);
}

template <std::size_t size> std::string bounded_text(const __u8 (&field)[size]) {
    const auto* text = reinterpret_cast<const char*>(field);
    return {text, strnlen(text, size)};
}

// What struct v4l2_pix_format and v4l2_pix_format_mplane have under the same names.
FrameFormat common_of(const auto& pix) {
    return {.fourcc = FourCC(pix.pixelformat),
            .width = pix.width,
            .height = pix.height,
            .field = pix.field,
            .colorimetry = {.colorspace = pix.colorspace,
                            .ycbcr_encoding = pix.ycbcr_enc,
                            .quantization = pix.quantization,
                            .transfer_function = pix.xfer_func},
            .plane_count = 1,
            .planes = {}};
}

void set_common(auto& pix, const FrameFormat& format) {
    const auto assign = [](auto& field, std::uint32_t value) {
        field = static_cast<std::remove_reference_t<decltype(field)>>(value); // 8 bits wide in one of the two
    };
    pix.width = format.width;
    pix.height = format.height;
    pix.pixelformat = format.fourcc.value();
    pix.field = format.field;
    pix.colorspace = format.colorimetry.colorspace;
    assign(pix.ycbcr_enc, format.colorimetry.ycbcr_encoding);
    assign(pix.quantization, format.colorimetry.quantization);
    assign(pix.xfer_func, format.colorimetry.transfer_function);
}

FrameFormat from_pix_mp(const v4l2_pix_format_mplane& pix) {
    FrameFormat format = common_of(pix);
    format.flags = pix.flags;
    format.plane_count = std::clamp<std::uint32_t>(pix.num_planes, 1, FrameFormat::max_planes);
    for (std::uint32_t i = 0; i < format.plane_count; ++i)
        format.planes[i] = {.bytesperline = pix.plane_fmt[i].bytesperline,
                            .sizeimage = pix.plane_fmt[i].sizeimage};
    return format;
}

void to_pix_mp(const FrameFormat& format, v4l2_pix_format_mplane& pix) {
    set_common(pix, format);
    pix.flags = static_cast<__u8>(format.flags);
    pix.num_planes = static_cast<__u8>(format.plane_count);
    for (std::uint32_t i = 0; i < format.plane_count; ++i) {
        pix.plane_fmt[i].bytesperline = format.planes[i].bytesperline;
        pix.plane_fmt[i].sizeimage = format.planes[i].sizeimage;
    }
}

std::string describe_sizes(const Device& device, FourCC fourcc) {
    constexpr std::size_t limit = 12;
    const std::vector<FrameSize> sizes = enumerate_sizes(device, fourcc);
    std::string text;
    for (std::size_t i = 0; i < sizes.size() && i < limit; ++i)
        text += (i == 0 ? "" : ", ") + sizes[i].text();
    if (sizes.size() > limit)
        text += fmt::format(", {} more", sizes.size() - limit);
    return text.empty() ? text : " (" + text + ")";
}

} // namespace

FrameFormat from_raw(const v4l2_format& raw_format) {
    if (is_multiplanar(raw_format.type))
        return from_pix_mp(raw_format.fmt.pix_mp);
    const v4l2_pix_format& pix = raw_format.fmt.pix;
    FrameFormat format = common_of(pix);
    format.flags = pix.flags;
    format.planes[0] = {.bytesperline = pix.bytesperline, .sizeimage = pix.sizeimage};
    return format;
}

v4l2_format to_raw(const FrameFormat& format, std::uint32_t raw_type) {
    v4l2_format raw_format{};
    raw_format.type = raw_type;
    if (is_multiplanar(raw_type)) {
        to_pix_mp(format, raw_format.fmt.pix_mp);
        return raw_format;
    }
    v4l2_pix_format& pix = raw_format.fmt.pix;
    set_common(pix, format);
    pix.bytesperline = format.planes[0].bytesperline;
    pix.sizeimage = format.planes[0].sizeimage;
    // Without the magic the kernel ignores what comes after colorspace.
    pix.priv = V4L2_PIX_FMT_PRIV_MAGIC;
    pix.flags = format.flags;
    return raw_format;
}

Result<FrameFormat> get_format(const Device& device, BufferType type) {
    v4l2_format raw_format{};
    raw_format.type = device.raw_type(type);
    if (Status status = device.ioctl(VIDIOC_G_FMT, &raw_format, "G_FMT"); !status)
        return std::unexpected(std::move(status.error()));
    return from_raw(raw_format);
}

Result<FrameFormat> set_format(const Device& device, BufferType type, const FrameFormat& wanted) {
    return exchange_format(device, type, wanted, VIDIOC_S_FMT, "S_FMT");
}

Result<FrameFormat> try_format(const Device& device, BufferType type, const FrameFormat& wanted) {
    return exchange_format(device, type, wanted, VIDIOC_TRY_FMT, "TRY_FMT");
}

std::vector<FormatDescription> enumerate_formats(const Device& device, BufferType type) {
    std::vector<FormatDescription> formats;
    v4l2_fmtdesc description{};
    description.type = device.raw_type(type);
    // A driver that never says EINVAL must not keep us here.
    for (; description.index < 1024 && device.try_ioctl(VIDIOC_ENUM_FMT, &description) >= 0;
         ++description.index)
        formats.push_back({.fourcc = FourCC(description.pixelformat),
                           .description = bounded_text(description.description),
                           .compressed = (description.flags & V4L2_FMT_FLAG_COMPRESSED) != 0,
                           .emulated = (description.flags & V4L2_FMT_FLAG_EMULATED) != 0});
    return formats;
}

std::string FrameSize::text() const {
    if (discrete())
        return fmt::format("{}x{}", min_width, min_height);
    return fmt::format("{}x{} to {}x{} in steps of {}x{}", min_width, min_height, max_width, max_height,
                       step_width, step_height);
}

std::vector<FrameSize> enumerate_sizes(const Device& device, FourCC fourcc) {
    std::vector<FrameSize> sizes;
    v4l2_frmsizeenum entry{};
    entry.pixel_format = fourcc.value();
    for (; entry.index < 1024 && device.try_ioctl(VIDIOC_ENUM_FRAMESIZES, &entry) >= 0; ++entry.index) {
        if (entry.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
            sizes.push_back({entry.discrete.width, entry.discrete.width, 0, entry.discrete.height,
                             entry.discrete.height, 0});
            continue;
        }
        const v4l2_frmsize_stepwise& range = entry.stepwise;
        sizes.push_back({range.min_width, range.max_width, range.step_width, range.min_height,
                         range.max_height, range.step_height});
        break; // a range is the only entry
    }
    return sizes;
}

std::string describe_offers(const Device& device, BufferType type, std::size_t limit) {
    const std::vector<FormatDescription> formats = enumerate_formats(device, type);
    std::string text;
    for (std::size_t i = 0; i < formats.size() && i < limit; ++i)
        text += (i == 0 ? "" : ", ") + formats[i].fourcc.text() + describe_sizes(device, formats[i].fourcc);
    if (formats.size() > limit)
        text += fmt::format(" and {} more formats", formats.size() - limit);
    return text;
}

std::optional<double> get_frame_rate(const Device& device, BufferType type) {
    v4l2_streamparm parameters{};
    parameters.type = device.raw_type(type);
    if (device.try_ioctl(VIDIOC_G_PARM, &parameters) < 0)
        return std::nullopt;
    // capture.timeperframe and output.timeperframe are the same bytes of the union.
    const v4l2_fract& interval = parameters.parm.capture.timeperframe;
    if (interval.numerator == 0 || interval.denominator == 0)
        return std::nullopt;
    return static_cast<double>(interval.denominator) / interval.numerator;
}

Result<double> set_frame_rate(const Device& device, BufferType type, double rate) {
    v4l2_streamparm parameters{};
    parameters.type = device.raw_type(type);
    constexpr double scale = 1000; // keeps 29.97
    parameters.parm.capture.timeperframe = {.numerator = static_cast<__u32>(scale),
                                            .denominator = static_cast<__u32>(std::lround(rate * scale))};
    if (Status status = device.ioctl(VIDIOC_S_PARM, &parameters, "S_PARM"); !status)
        return std::unexpected(std::move(status.error()));
    const v4l2_fract& interval = parameters.parm.capture.timeperframe;
    if (interval.numerator == 0 || interval.denominator == 0)
        return make_error(ErrorKind::device, "S_PARM", device.path(), "the driver has no frame rate");
    return static_cast<double>(interval.denominator) / interval.numerator;
}

bool has_signal(const Device& device) {
    int current = 0;
    if (device.try_ioctl(VIDIOC_G_INPUT, &current) < 0)
        return true;
    v4l2_input input{};
    input.index = static_cast<__u32>(current);
    constexpr std::uint32_t dead = V4L2_IN_ST_NO_POWER | V4L2_IN_ST_NO_SIGNAL;
    return device.try_ioctl(VIDIOC_ENUMINPUT, &input) < 0 || (input.status & dead) == 0;
}

} // namespace v4l2dma
