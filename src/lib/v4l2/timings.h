// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/device.h"

#include <cstdint>
#include <linux/videodev2.h>
#include <optional>
#include <string>
#include <string_view>

namespace v4l2dma {

/// The input that a capture device is switched to.
struct VideoInput {
    std::uint32_t index = 0;
    std::string name;           ///< "HDMI 000-0"
    bool has_timings = false;   ///< DV timings say what its signal is like (HDMI, DisplayPort, SDI)
    bool has_standards = false; ///< an analogue standard does (PAL, NTSC, SECAM)
    v4l2_std_id standards = 0;  ///< V4L2_STD_* that it takes
    std::uint32_t status = 0;   ///< V4L2_IN_ST_*
};
/// Empty if the device has no inputs to choose from.
[[nodiscard]] Result<std::optional<VideoInput>> current_input(const Device& device);

/// What the cable of a digital input carries: size, blanking and pixel clock.
class DvTimings {
public:
    DvTimings() = default;
    explicit DvTimings(const v4l2_dv_timings& raw) noexcept : raw_(raw) {}

    [[nodiscard]] const v4l2_dv_timings& raw() const noexcept { return raw_; }
    [[nodiscard]] std::uint32_t width() const noexcept { return raw_.bt.width; }   ///< pixels
    [[nodiscard]] std::uint32_t height() const noexcept { return raw_.bt.height; } ///< lines of a frame
    [[nodiscard]] bool interlaced() const noexcept { return raw_.bt.interlaced == V4L2_DV_INTERLACED; }
    /// Frames a second, of interlaced timings fields; 0 if the timings do not say.
    [[nodiscard]] double rate() const noexcept;
    /// "1920x1080p60", "1920x1080i59.94"; without a rate "1920x1080p"
    [[nodiscard]] std::string text() const;

private:
    v4l2_dv_timings raw_{};
};

/// What a receiver says of the signal at its input.
enum class Signal {
    locked,       ///< it is understood
    none,         ///< nothing is connected, or it is off
    unstable,     ///< something is there, and the receiver does not lock to it
    out_of_range, ///< understood, and more than the hardware can take
    unknown,      ///< the input cannot tell
};
/// A clause: "there is no signal at the input".
[[nodiscard]] std::string_view to_sentence(Signal signal) noexcept;

struct DetectedTimings {
    Signal signal = Signal::unknown;
    DvTimings timings; ///< if locked
};
/// What the wire carries now (QUERY_DV_TIMINGS); changes nothing. No signal is an answer, no error.
[[nodiscard]] Result<DetectedTimings> detect_timings(const Device& device);

/// What the input is set to; empty if it has no timings.
[[nodiscard]] Result<std::optional<DvTimings>> get_timings(const Device& device);
/// Sets the input; the format follows. Errors: (device) the device is in use; (unsupported) no timings, or
/// not these.
[[nodiscard]] Status set_timings(const Device& device, const DvTimings& timings);

struct DetectedStandard {
    Signal signal = Signal::unknown;
    v4l2_std_id standard = 0; ///< V4L2_STD_*, if locked; several bits where they cannot be told apart
};
/// The analogue standard at the input now (QUERYSTD); changes nothing.
[[nodiscard]] Result<DetectedStandard> detect_standard(const Device& device);
/// What the input is set to; empty if it has no standards.
[[nodiscard]] Result<std::optional<v4l2_std_id>> get_standard(const Device& device);
/// Errors as set_timings().
[[nodiscard]] Status set_standard(const Device& device, v4l2_std_id standard);
/// "PAL", "NTSC or SECAM", "0x..." for what is of none of the three.
[[nodiscard]] std::string standard_text(v4l2_std_id standard);

} // namespace v4l2dma
