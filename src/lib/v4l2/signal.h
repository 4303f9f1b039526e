// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/timings.h"

#include <variant>

namespace v4l2dma {

/// What the current input's cable carries.
struct InputSignal {
    Signal signal = Signal::unknown; ///< unknown: an input that cannot tell, as cameras' cannot
    std::string input{};             ///< "HDMI 0"
    std::string other{};             ///< what the input is not set to yet: "1920x1080p60", "PAL"
    /// Behind `other`.
    std::variant<std::monostate, DvTimings, v4l2_std_id> setting{};

    /// Whether frames can come: nothing speaks against it.
    [[nodiscard]] bool usable() const noexcept {
        return signal == Signal::locked || signal == Signal::unknown;
    }
};

/// Finds out, and changes nothing. Errors: what the driver says of anything but the signal.
[[nodiscard]] Result<InputSignal> look_at_signal(const Device& device);

/// Sets the input to what it carries, if it is set to something else. The format follows. Errors: those of
/// set_timings() and set_standard().
[[nodiscard]] Status follow_signal(const Device& device, const InputSignal& signal);

} // namespace v4l2dma
