// SPDX-License-Identifier: MIT
#include "commands/control_report.h"

#include "v4l2/control_value.h"

#include <spdlog/fmt/ranges.h>
#include <utility>

namespace v4l2dma {

namespace {

std::vector<std::string_view> flag_names(const Control& control) {
    constexpr std::pair<std::uint32_t, std::string_view> names[] = {
        {V4L2_CTRL_FLAG_DISABLED, "disabled"},   {V4L2_CTRL_FLAG_GRABBED, "in use"},
        {V4L2_CTRL_FLAG_READ_ONLY, "read-only"}, {V4L2_CTRL_FLAG_WRITE_ONLY, "write-only"},
        {V4L2_CTRL_FLAG_INACTIVE, "inactive"},   {V4L2_CTRL_FLAG_VOLATILE, "volatile"},
    };
    std::vector<std::string_view> found;
    for (const auto& [flag, name] : names)
        if (control.has(flag))
            found.push_back(name);
    return found;
}

/// Whether its values are numbers, so that there is a default; strings have none that can be asked for.
bool has_default(const Control& control) {
    return control.type != ControlType::button && control.type != ControlType::compound &&
           control.type != ControlType::string;
}

/// Whether the name of its type does not say it all; menus have rows of their own.
bool has_range(const Control& control) {
    return control.type == ControlType::integer || control.type == ControlType::integer64 ||
           control.type == ControlType::bitmask || control.type == ControlType::string;
}

std::string control_text(const ControlReport& report) {
    const Control& control = report.control;
    std::string text = report.value ? value_text(control, report.items, *report.value) + "; " : "";
    text += to_text(control.type);
    if (has_range(control))
        text += ", " + range_text(control, report.items);
    if (has_default(control))
        text += ", default " + value_text(control, {}, control.default_value);
    if (const auto flags = flag_names(control); !flags.empty())
        text += fmt::format(" [{}]", fmt::join(flags, ", "));
    return text;
}

nlohmann::ordered_json control_json(const ControlReport& report) {
    const Control& control = report.control;
    nlohmann::ordered_json json = {
        {"name", control.name()},        {"id", control.id},     {"label", control.label},
        {"type", to_text(control.type)}, {"value", nullptr},     {"minimum", control.minimum},
        {"maximum", control.maximum},    {"step", control.step}, {"default", control.default_value},
        {"flags", flag_names(control)}};
    if (report.value)
        std::visit([&json](const auto& value) { json["value"] = value; }, *report.value);
    json["items"] = nlohmann::ordered_json::array();
    for (const MenuItem& item : report.items)
        json["items"].push_back({{"index", item.index}, {"name", item.name}});
    return json;
}

} // namespace

Result<std::vector<ControlReport>> inspect_controls(const Device& device) {
    const Result<std::vector<Control>> controls = enumerate_controls(device);
    if (!controls)
        return std::unexpected(controls.error());
    std::vector<ControlReport> reports;
    for (const Control& control : *controls) {
        ControlReport& report = reports.emplace_back();
        report.control = control;
        report.items = menu_items(device, control);
        if (!control.has(V4L2_CTRL_FLAG_WRITE_ONLY))
            if (Result<ControlValue> value = get_control(device, control))
                report.value = std::move(*value);
    }
    return reports;
}

void add_controls(Table& table, const std::vector<ControlReport>& reports) {
    table.add({"controls", reports.empty() ? "none" : ""});
    for (const ControlReport& report : reports) {
        table.add({"  " + report.control.name(), control_text(report)});
        std::vector<std::string> choices;
        for (const MenuItem& item : report.items)
            choices.push_back(fmt::format("{} ({})", item.index, item.name));
        for (std::string& line : wrap_list(choices))
            table.add({"", "  " + std::move(line)});
    }
}

nlohmann::ordered_json controls_json(const std::vector<ControlReport>& reports) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const ControlReport& report : reports)
        json.push_back(control_json(report));
    return json;
}

} // namespace v4l2dma
