// SPDX-License-Identifier: MIT
#include "v4l2/timings.h"

#include <cmath>
#include <cstring>
#include <spdlog/fmt/ranges.h>
#include <vector>

namespace v4l2dma {

namespace {

// ENODATA: this input has none; ENOTTY: no input of this device has.
bool has_none(int result) {
    return result == -ENODATA || result == -ENOTTY;
}

/// The answer that an errno of QUERY_DV_TIMINGS or QUERYSTD is, empty if it is a failure.
std::optional<Signal> signal_of(int result) {
    switch (result) {
    case -ENOLINK:
        return Signal::none;
    case -ENOLCK:
    case -EAGAIN: // aspeed-video, while it measures
        return Signal::unstable;
    case -ERANGE:
        return Signal::out_of_range;
    case -ENODATA:
    case -ENOTTY:
        return Signal::unknown;
    default:
        return result >= 0 ? std::optional(Signal::locked) : std::nullopt;
    }
}

Status judge_setting(const Device& device, int result, std::string_view call, std::string_view object) {
    if (result >= 0)
        return {};
    Error error = system_error(call, fmt::format("{} {}", device.path(), object), -result).error();
    if (result == -EBUSY) {
        error.kind = ErrorKind::device;
        error.detail = "it cannot change while the device is in use";
    } else if (has_none(result) || result == -EINVAL || result == -ERANGE) {
        error.kind = ErrorKind::unsupported;
        error.detail = "the input does not take it";
    }
    return std::unexpected(std::move(error));
}

} // namespace

Result<std::optional<VideoInput>> current_input(const Device& device) {
    int current = 0;
    int result = device.try_ioctl(VIDIOC_G_INPUT, &current);
    if (has_none(result))
        return std::nullopt;
    if (result < 0)
        return system_error("G_INPUT", device.path(), -result);
    v4l2_input input{};
    input.index = static_cast<__u32>(current);
    result = device.try_ioctl(VIDIOC_ENUMINPUT, &input);
    if (has_none(result))
        return std::nullopt;
    if (result < 0)
        return system_error("ENUMINPUT", device.path(), -result);
    const auto* const name = reinterpret_cast<const char*>(input.name);
    return VideoInput{.index = input.index,
                      .name = {name, strnlen(name, sizeof input.name)},
                      .has_timings = (input.capabilities & V4L2_IN_CAP_DV_TIMINGS) != 0,
                      .has_standards = (input.capabilities & V4L2_IN_CAP_STD) != 0,
                      .standards = input.std,
                      .status = input.status};
}

// As the kernel counts: both fields have half of the lines, and of the blanking of both.
double DvTimings::rate() const noexcept {
    const v4l2_bt_timings& bt = raw_.bt;
    const double line = static_cast<double>(bt.width) + bt.hfrontporch + bt.hsync + bt.hbackporch;
    double lines = static_cast<double>(bt.height) + bt.vfrontporch + bt.vsync + bt.vbackporch;
    if (interlaced())
        lines = (lines + bt.il_vfrontporch + bt.il_vsync + bt.il_vbackporch) / 2;
    const double pixels = line * lines;
    return pixels > 0 ? static_cast<double>(bt.pixelclock) / pixels : 0;
}

std::string DvTimings::text() const {
    const std::string size = fmt::format("{}x{}{}", width(), height(), interlaced() ? 'i' : 'p');
    if (raw_.bt.pixelclock == 0)
        return size;
    constexpr double scale = 100; // two digits tell 59.94 from 60
    return fmt::format("{}{:g}", size, std::round(rate() * scale) / scale);
}

std::string_view to_sentence(Signal signal) noexcept {
    switch (signal) {
    case Signal::locked:
        return "the signal is understood";
    case Signal::none:
        return "there is no signal at the input";
    case Signal::unstable:
        return "there is a signal, but it is unstable and the receiver does not lock to it";
    case Signal::out_of_range:
        return "the signal is beyond what the receiver can take";
    case Signal::unknown:
        break;
    }
    return "the input cannot tell what its signal is";
}

Result<DetectedTimings> detect_timings(const Device& device) {
    v4l2_dv_timings timings{};
    const int result = device.try_ioctl(VIDIOC_QUERY_DV_TIMINGS, &timings);
    const std::optional<Signal> signal = signal_of(result);
    if (!signal)
        return system_error("QUERY_DV_TIMINGS", device.path(), -result);
    return DetectedTimings{.signal = *signal,
                           .timings = *signal == Signal::locked ? DvTimings(timings) : DvTimings()};
}

Result<std::optional<DvTimings>> get_timings(const Device& device) {
    v4l2_dv_timings timings{};
    const int result = device.try_ioctl(VIDIOC_G_DV_TIMINGS, &timings);
    if (has_none(result))
        return std::nullopt;
    if (result < 0)
        return system_error("G_DV_TIMINGS", device.path(), -result);
    return DvTimings(timings);
}

Status set_timings(const Device& device, const DvTimings& timings) {
    v4l2_dv_timings raw_timings = timings.raw(); // the driver writes into it
    return judge_setting(device, device.try_ioctl(VIDIOC_S_DV_TIMINGS, &raw_timings), "S_DV_TIMINGS",
                         timings.text());
}

Result<DetectedStandard> detect_standard(const Device& device) {
    v4l2_std_id standard = 0;
    const int result = device.try_ioctl(VIDIOC_QUERYSTD, &standard);
    const std::optional<Signal> signal = signal_of(result);
    if (!signal)
        return system_error("QUERYSTD", device.path(), -result);
    if (*signal != Signal::locked)
        return DetectedStandard{.signal = *signal, .standard = 0};
    // V4L2_STD_UNKNOWN is how this call says that there is nothing.
    return DetectedStandard{.signal = standard == V4L2_STD_UNKNOWN ? Signal::none : Signal::locked,
                            .standard = standard};
}

Result<std::optional<v4l2_std_id>> get_standard(const Device& device) {
    v4l2_std_id standard = 0;
    const int result = device.try_ioctl(VIDIOC_G_STD, &standard);
    if (has_none(result))
        return std::nullopt;
    if (result < 0)
        return system_error("G_STD", device.path(), -result);
    return standard;
}

Status set_standard(const Device& device, v4l2_std_id standard) {
    return judge_setting(device, device.try_ioctl(VIDIOC_S_STD, &standard), "S_STD", standard_text(standard));
}

std::string standard_text(v4l2_std_id standard) {
    std::vector<std::string_view> names;
    if ((standard & V4L2_STD_PAL) != 0)
        names.emplace_back("PAL");
    if ((standard & V4L2_STD_NTSC) != 0)
        names.emplace_back("NTSC");
    if ((standard & V4L2_STD_SECAM) != 0)
        names.emplace_back("SECAM");
    return names.empty() ? fmt::format("{:#x}", standard) : fmt::format("{}", fmt::join(names, " or "));
}

} // namespace v4l2dma
