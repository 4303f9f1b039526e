// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/control.h"

#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace v4l2dma {

/// A value as people write it, checked against what the control takes; otherwise a clause that says what it
/// takes.
///
/// Numbers are decimal or 0x...; a boolean is also true, false, on, off, yes or no; a menu takes the index or
/// the item's name in any case or as control_name() makes it, an integer menu the index or else the number
/// behind it; a button is pressed with an empty text, 1 or true. @p items are those of menu_items().
[[nodiscard]] std::expected<ControlValue, std::string>
parse_value(const Control& control, std::span<const MenuItem> items, std::string_view text);

/// What a control takes: "-10 to 10 in steps of 2", "0 (Off) or 1 (On)".
[[nodiscard]] std::string range_text(const Control& control, std::span<const MenuItem> items);

/// A value for people: "0x80402010" of a mask, "2 (Manual Mode)" of a menu.
[[nodiscard]] std::string value_text(const Control& control, std::span<const MenuItem> items,
                                     const ControlValue& value);

} // namespace v4l2dma
