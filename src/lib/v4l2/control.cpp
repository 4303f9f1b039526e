// SPDX-License-Identifier: MIT
#include "v4l2/control.h"

#include "base/suggest.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

template <typename Char, std::size_t size> std::string bounded_text(const Char (&field)[size]) {
    const auto* text = reinterpret_cast<const char*>(field);
    return {text, strnlen(text, size)};
}

ControlType type_of(std::uint32_t raw_type, bool array) {
    if (array)
        return ControlType::compound;
    switch (raw_type) {
    case V4L2_CTRL_TYPE_INTEGER:
        return ControlType::integer;
    case V4L2_CTRL_TYPE_INTEGER64:
        return ControlType::integer64;
    case V4L2_CTRL_TYPE_BOOLEAN:
        return ControlType::boolean;
    case V4L2_CTRL_TYPE_MENU:
        return ControlType::menu;
    case V4L2_CTRL_TYPE_INTEGER_MENU:
        return ControlType::integer_menu;
    case V4L2_CTRL_TYPE_BITMASK:
        return ControlType::bitmask;
    case V4L2_CTRL_TYPE_STRING:
        return ControlType::string;
    case V4L2_CTRL_TYPE_BUTTON:
        return ControlType::button;
    default:
        return ControlType::compound;
    }
}

// A mask is 32 bits without a sign, in fields that have one.
std::int64_t number_of(ControlType type, std::int64_t raw_number) {
    return type == ControlType::bitmask ? static_cast<std::uint32_t>(raw_number) : raw_number;
}

/// A description, and whether it is a heading (the name of a class) and no control.
struct Description {
    Control control;
    bool heading = false;
};

/// Of v4l2_query_ext_ctrl or of the older v4l2_queryctrl.
Description describe(const auto& query, bool array) {
    Control control;
    control.id = query.id;
    control.type = type_of(query.type, array);
    control.label = bounded_text(query.name);
    control.minimum = number_of(control.type, query.minimum);
    control.maximum = number_of(control.type, query.maximum);
    control.step = static_cast<std::uint64_t>(query.step);
    control.default_value = number_of(control.type, query.default_value);
    control.flags = query.flags;
    return {.control = std::move(control), .heading = query.type == V4L2_CTRL_TYPE_CTRL_CLASS};
}

/// -errno, or 0 and the control with @p id, which may have the flags for "the next one".
int query(const Device& device, std::uint32_t id, Description& answer) {
    v4l2_query_ext_ctrl extended{};
    extended.id = id;
    const int result = device.try_ioctl(VIDIOC_QUERY_EXT_CTRL, &extended);
    if (result >= 0)
        answer = describe(extended, extended.nr_of_dims > 0);
    if (result != -ENOTTY)
        return std::min(result, 0);
    v4l2_queryctrl plain{}; // an old driver, without compound controls
    plain.id = id & ~std::uint32_t{V4L2_CTRL_FLAG_NEXT_COMPOUND};
    const int plain_result = device.try_ioctl(VIDIOC_QUERYCTRL, &plain);
    if (plain_result >= 0)
        answer = describe(plain, false);
    return std::min(plain_result, 0);
}

std::optional<std::uint32_t> control_id(std::string_view text) {
    if (!text.starts_with("0x") && !text.starts_with("0X"))
        return std::nullopt;
    std::uint32_t id = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + 2, end, id, 16);
    return error == std::errc() && rest == end ? std::optional(id) : std::nullopt;
}

std::string what_there_is(const Device& device, std::span<const Control> controls, std::string_view name) {
    constexpr std::size_t few = 12;
    constexpr std::size_t most_matches = 5;
    if (controls.empty())
        return "It has no controls at all";
    std::vector<std::string> names;
    for (const Control& control : controls)
        names.push_back(control.name());
    if (names.size() <= few)
        return fmt::format("It has {}", fmt::join(names, ", "));
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::vector<std::string_view> near = near_matches(control_name(name), known, most_matches);
    const std::string all = fmt::format("`v4l2dma inspect {}` lists all {}", device.path(), controls.size());
    return near.empty() ? all : fmt::format("Did you mean {}? {}", fmt::join(near, " or "), all);
}

// The union's member follows from the type; the strings have to outlive the call.
class RawSettings {
public:
    explicit RawSettings(std::span<const ControlSetting> settings) {
        texts_.reserve(settings.size()); // pointers to them stay
        for (const ControlSetting& setting : settings)
            add(setting);
    }
    RawSettings(const RawSettings&) = delete;
    RawSettings& operator=(const RawSettings&) = delete;
    [[nodiscard]] std::span<v4l2_ext_control> all() noexcept { return raw_; }

private:
    void add(const ControlSetting& setting) {
        v4l2_ext_control& raw_control = raw_.emplace_back();
        raw_control.id = setting.control.id;
        if (const auto* text = std::get_if<std::string>(&setting.value)) {
            // The driver writes the value back, into as many bytes as it may have.
            constexpr std::int64_t longest = 65536;
            const auto most =
                static_cast<std::size_t>(std::clamp<std::int64_t>(setting.control.maximum, 0, longest));
            std::string& buffer = texts_.emplace_back(*text);
            buffer.resize(std::max(text->size(), most) + 1);
            raw_control.size = static_cast<__u32>(buffer.size());
            raw_control.string = buffer.data();
            return;
        }
        const std::int64_t number = std::get<std::int64_t>(setting.value);
        if (setting.control.type == ControlType::integer64)
            raw_control.value64 = number;
        else
            raw_control.value = static_cast<__s32>(number);
    }

    std::vector<v4l2_ext_control> raw_;
    std::vector<std::string> texts_;
};

// Which class the controls are of does not matter to WHICH_CUR_VAL.
int exchange(const Device& device, std::span<v4l2_ext_control> controls, unsigned long request,
             std::uint32_t& error_index) {
    v4l2_ext_controls call{};
    call.which = V4L2_CTRL_WHICH_CUR_VAL;
    call.count = static_cast<__u32>(controls.size());
    call.controls = controls.data();
    const int result = device.try_ioctl(request, &call);
    error_index = call.error_idx;
    return result;
}

SetAnswer exchange(const Device& device, std::span<const ControlSetting> settings, unsigned long request) {
    RawSettings raw_settings(settings);
    std::uint32_t error_index = 0;
    const int result = exchange(device, raw_settings.all(), request, error_index);
    if (result >= 0)
        return {};
    if (settings.size() == 1)
        error_index = 0;
    return {.code = -result,
            .culprit =
                error_index < settings.size() ? std::optional<std::size_t>(error_index) : std::nullopt};
}

SetAnswer set_one_by_one(const Device& device, std::span<const ControlSetting> settings) {
    for (std::size_t i = 0; i < settings.size(); ++i) {
        const auto* number = std::get_if<std::int64_t>(&settings[i].value);
        v4l2_control raw_control{.id = settings[i].control.id,
                                 .value = number != nullptr ? static_cast<__s32>(*number) : 0};
        const int result = number == nullptr ? -EINVAL : device.try_ioctl(VIDIOC_S_CTRL, &raw_control);
        if (result < 0)
            return {.code = -result, .culprit = i};
    }
    return {};
}

} // namespace

std::string_view to_text(ControlType type) noexcept {
    switch (type) {
    case ControlType::integer:
        return "integer";
    case ControlType::integer64:
        return "64-bit integer";
    case ControlType::boolean:
        return "boolean";
    case ControlType::menu:
        return "menu";
    case ControlType::integer_menu:
        return "integer menu";
    case ControlType::bitmask:
        return "bitmask";
    case ControlType::string:
        return "string";
    case ControlType::button:
        return "button";
    case ControlType::compound:
        break;
    }
    return "compound";
}

std::string Control::name() const {
    return control_name(label);
}

std::string control_name(std::string_view label) {
    std::string name;
    bool gap = false;
    for (const char c : label) {
        const auto letter = static_cast<unsigned char>(c);
        if (std::isalnum(letter) == 0) {
            gap = !name.empty();
            continue;
        }
        if (gap)
            name += '_';
        gap = false;
        name += static_cast<char>(std::tolower(letter));
    }
    return name;
}

Result<std::vector<Control>> enumerate_controls(const Device& device) {
    constexpr std::uint32_t next = V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND;
    std::vector<Control> controls;
    Description found;
    std::uint32_t last = 0;
    while (true) {
        const int result = query(device, last | next, found);
        if (result == -EINVAL || result == -ENOTTY) // no further one, no controls
            return controls;
        if (result < 0)
            return system_error("QUERY_EXT_CTRL", device.path(), -result);
        if (found.control.id <= last) // a driver that goes in circles must not keep us here
            return controls;
        last = found.control.id;
        if (!found.heading)
            controls.push_back(found.control);
    }
}

Result<Control> query_control(const Device& device, std::uint32_t id) {
    Description found;
    if (const int result = query(device, id, found); result < 0)
        return system_error("QUERY_EXT_CTRL", fmt::format("{} {:#010x}", device.path(), id), -result);
    return found.control;
}

std::vector<MenuItem> menu_items(const Device& device, const Control& control) {
    std::vector<MenuItem> items;
    if (!control.is_menu())
        return items;
    constexpr std::int64_t most = 1024; // a driver's nonsense must not keep us here
    const std::int64_t first = std::max<std::int64_t>(control.minimum, 0);
    for (std::int64_t index = first; index <= control.maximum && index < first + most; ++index) {
        v4l2_querymenu item{};
        item.id = control.id;
        item.index = static_cast<__u32>(index);
        if (device.try_ioctl(VIDIOC_QUERYMENU, &item) < 0)
            continue;                    // left out
        const __s64 number = item.value; // of a packed union
        items.push_back({.index = static_cast<std::uint32_t>(index),
                         .name = control.type == ControlType::menu ? bounded_text(item.name)
                                                                   : fmt::format("{}", number)});
    }
    return items;
}

Result<Control> find_control(const Device& device, std::span<const Control> controls, std::string_view name) {
    const std::optional<std::uint32_t> id = control_id(name);
    std::vector<const Control*> found;
    for (const Control& control : controls)
        if (id ? control.id == *id : control.label == name || control.name() == name)
            found.push_back(&control);
    const std::string object = fmt::format("{} {}", device.path(), name);
    if (found.empty())
        return make_error(ErrorKind::usage, "control", object, "the device has no such control",
                          what_there_is(device, controls, name));
    if (found.size() > 1)
        return make_error(
            ErrorKind::usage, "control", object, "the device has several of this name",
            fmt::format("Their numbers tell them apart: {:#010x}, {:#010x}", found[0]->id, found[1]->id));
    return *found.front();
}

Result<ControlValue> get_control(const Device& device, const Control& control) {
    const std::string object = device.path() + " " + control.name();
    if (control.type == ControlType::compound || control.type == ControlType::button)
        return make_error(ErrorKind::unsupported, "G_EXT_CTRLS", object, "it has no value that is text");
    const bool text = control.type == ControlType::string;
    const ControlSetting setting{.control = control, .value = text ? ControlValue("") : ControlValue(0)};
    RawSettings raw_settings({&setting, 1});
    v4l2_ext_control& raw_control = raw_settings.all().front();
    std::uint32_t ignored = 0;
    int result = exchange(device, raw_settings.all(), VIDIOC_G_EXT_CTRLS, ignored);
    if (result == -ENOTTY && !text) {
        v4l2_control plain{.id = control.id, .value = 0};
        result = device.try_ioctl(VIDIOC_G_CTRL, &plain);
        raw_control.value = plain.value;
    }
    if (result < 0)
        return system_error("G_EXT_CTRLS", object, -result);
    if (text)
        return std::string(raw_control.string, strnlen(raw_control.string, raw_control.size));
    const std::int64_t number =
        control.type == ControlType::integer64 ? raw_control.value64 : raw_control.value;
    return number_of(control.type, number);
}

SetAnswer set_controls(const Device& device, std::span<const ControlSetting> settings) {
    const SetAnswer answer = exchange(device, settings, VIDIOC_S_EXT_CTRLS);
    return answer.code == ENOTTY ? set_one_by_one(device, settings) : answer;
}

SetAnswer try_controls(const Device& device, std::span<const ControlSetting> settings) {
    const SetAnswer answer = exchange(device, settings, VIDIOC_TRY_EXT_CTRLS);
    return answer.code == ENOTTY ? SetAnswer{} : answer;
}

} // namespace v4l2dma
