// SPDX-License-Identifier: MIT
#pragma once

#include "format/frame_format.h"
#include "v4l2/device.h"

#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// The one place that knows struct v4l2_format. @p raw_type (enum v4l2_buf_type) says which API's it is;
/// planes beyond what a driver may have are left out.
[[nodiscard]] FrameFormat from_raw(const v4l2_format& raw_format);
[[nodiscard]] v4l2_format to_raw(const FrameFormat& format, std::uint32_t raw_type);

/// The format the device is set to.
[[nodiscard]] Result<FrameFormat> get_format(const Device& device, BufferType type);
/// Sets @p wanted and answers what the driver made of it: it adjusts what it cannot have.
/// EBUSY is a device error that says what to do.
[[nodiscard]] Result<FrameFormat> set_format(const Device& device, BufferType type,
                                             const FrameFormat& wanted);
/// As set_format(), but changes nothing.
[[nodiscard]] Result<FrameFormat> try_format(const Device& device, BufferType type,
                                             const FrameFormat& wanted);

/// One entry of VIDIOC_ENUM_FMT.
struct FormatDescription {
    FourCC fourcc;
    std::string description;
    bool compressed = false;
    bool emulated = false;
};
/// In the driver's order; empty if it enumerates none.
[[nodiscard]] std::vector<FormatDescription> enumerate_formats(const Device& device, BufferType type);

/// A size, or a range of sizes, that a format comes in. Pixels.
struct FrameSize {
    std::uint32_t min_width = 0;
    std::uint32_t max_width = 0;
    std::uint32_t step_width = 0;
    std::uint32_t min_height = 0;
    std::uint32_t max_height = 0;
    std::uint32_t step_height = 0;

    [[nodiscard]] bool discrete() const noexcept {
        return min_width == max_width && min_height == max_height;
    }
    /// "640x480", "48x48 to 3840x2160 in steps of 2x2"
    [[nodiscard]] std::string text() const;
};
/// Empty if the driver does not enumerate them (outputs rarely do).
[[nodiscard]] std::vector<FrameSize> enumerate_sizes(const Device& device, FourCC fourcc);

/// Everything the device offers, for the answer to an impossible wish: "YUYV (320x180, 640x360), NV12 (...)";
/// at most @p limit formats. Empty if it enumerates nothing.
[[nodiscard]] std::string describe_offers(const Device& device, BufferType type, std::size_t limit = 8);

/// Frames a second as the driver says, empty if it does not.
[[nodiscard]] std::optional<double> get_frame_rate(const Device& device, BufferType type);
/// Asks for a frame rate (frames per second) and answers what the driver chose.
[[nodiscard]] Result<double> set_frame_rate(const Device& device, BufferType type, double rate);

/// Whether the current input has a signal; a device without inputs has one.
[[nodiscard]] bool has_signal(const Device& device);

} // namespace v4l2dma
