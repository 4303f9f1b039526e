// SPDX-License-Identifier: MIT
#pragma once

#include "cli/table.h"
#include "v4l2/control.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// A control, and what it is set to.
struct ControlReport {
    Control control;
    std::vector<MenuItem> items;
    std::optional<ControlValue> value; ///< empty if it has none, or cannot be read
};

/// Of every control that the device has. Reads them; some ask the camera.
[[nodiscard]] Result<std::vector<ControlReport>> inspect_controls(const Device& device);

/// A row for each: "brightness", "128; integer, 0 to 255, default 128"; below a menu its items.
void add_controls(Table& table, const std::vector<ControlReport>& reports);

/// An array with one object for each.
[[nodiscard]] nlohmann::ordered_json controls_json(const std::vector<ControlReport>& reports);

} // namespace v4l2dma
