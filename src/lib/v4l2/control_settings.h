// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/control.h"

#include <span>
#include <string>
#include <string_view>

namespace v4l2dma {

/// "brightness=10": what to set, and to what. The views are into the text.
struct ControlWish {
    std::string_view name;
    std::string_view value;
};
/// Error (usage): no '=', or nothing before it.
[[nodiscard]] Result<ControlWish> parse_control_wish(std::string_view text);

/// Makes the device's controls what @p wishes ("NAME=VALUE") say: all of them or, with an error, none.
///
/// Names as find_control() takes them, values as parse_value() does; everything is checked, and the driver
/// asked, before the first is set. Controls that are inactive are set last, because others of the same call
/// may be what activates them (an automatic that is switched off). Where the driver fails half way, what was
/// set is set back, except what cannot be: buttons, and what cannot be read.
/// Errors: (usage) unknown name, wrong value, read-only or inactive control, one given twice; (device) a
/// control that is disabled or in use; the driver's own.
[[nodiscard]] Status apply_controls(const Device& device, std::span<const std::string> wishes);

} // namespace v4l2dma
