// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/device.h"

#include <cstdint>
#include <linux/videodev2.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace v4l2dma {

/// What a control's value is. Arrays and structures are `compound`: they have no text, and are only listed.
enum class ControlType {
    integer,
    integer64,
    boolean,
    menu,
    integer_menu,
    bitmask,
    string,
    button,
    compound,
};
[[nodiscard]] std::string_view to_text(ControlType type) noexcept;

/// One control of a device, as VIDIOC_QUERY_EXT_CTRL describes it.
struct Control {
    std::uint32_t id = 0; ///< V4L2_CID_*
    ControlType type = ControlType::integer;
    std::string label; ///< the driver's: "White Balance, Automatic"
    /// Of the value; of a menu the least and the largest index; of a string the lengths in bytes.
    std::int64_t minimum = 0;
    std::int64_t maximum = 0;
    std::uint64_t step = 1;
    std::int64_t default_value = 0;
    std::uint32_t flags = 0; ///< V4L2_CTRL_FLAG_*

    /// The label as people type it, see control_name().
    [[nodiscard]] std::string name() const;
    [[nodiscard]] bool has(std::uint32_t flag) const noexcept { return (flags & flag) != 0; }
    [[nodiscard]] bool is_menu() const noexcept {
        return type == ControlType::menu || type == ControlType::integer_menu;
    }
};

/// A number (an index for menus), or the text of a string control.
using ControlValue = std::variant<std::int64_t, std::string>;

/// One choice of a menu; @p name of an integer menu is its number.
struct MenuItem {
    std::uint32_t index = 0;
    std::string name;
};

/// Lower case, everything between letters and digits one underscore: "White Balance, Automatic" is
/// white_balance_automatic, as v4l2-ctl(1) names controls.
[[nodiscard]] std::string control_name(std::string_view label);

/// All controls in the driver's order, without the headings; empty if the device has none.
[[nodiscard]] Result<std::vector<Control>> enumerate_controls(const Device& device);

/// One control anew: its flags and range may follow those of others. The driver's answer as an Error.
[[nodiscard]] Result<Control> query_control(const Device& device, std::uint32_t id);

/// The choices of a menu (those that are left out are missing), empty for other types.
[[nodiscard]] std::vector<MenuItem> menu_items(const Device& device, const Control& control);

/// By name, exact label or number ("0x00980900"). Errors (usage) name what is near, and all if they are few.
[[nodiscard]] Result<Control> find_control(const Device& device, std::span<const Control> controls,
                                           std::string_view name);

/// The value now. Errors: the driver's; (unsupported) for types that have none that is known here.
[[nodiscard]] Result<ControlValue> get_control(const Device& device, const Control& control);

struct ControlSetting {
    Control control;
    ControlValue value;
};

/// What set_controls() and try_controls() came to.
struct SetAnswer {
    int code = 0;                       ///< an errno value, 0 if all are set
    std::optional<std::size_t> culprit; ///< the setting that was refused, if the driver says which
};

/// Sets all in one call, or one after another where the driver knows no other way; with an error some may
/// be set.
[[nodiscard]] SetAnswer set_controls(const Device& device, std::span<const ControlSetting> settings);
/// Asks the driver whether it would take them, and sets nothing. A driver that cannot be asked agrees.
[[nodiscard]] SetAnswer try_controls(const Device& device, std::span<const ControlSetting> settings);

} // namespace v4l2dma
