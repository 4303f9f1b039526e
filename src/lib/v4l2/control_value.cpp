// SPDX-License-Identifier: MIT
#include "v4l2/control_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

using Parsed = std::expected<ControlValue, std::string>;

std::unexpected<std::string> refused(std::string clause) {
    return std::unexpected(std::move(clause));
}

/// Decimal with a sign, or 0x and hexadecimal digits; empty for everything else, and for what has no 64 bits.
std::optional<std::int64_t> parse_number(std::string_view text) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if (hexadecimal)
        text.remove_prefix(2);
    else if (text.starts_with('+') && text.size() > 1 && text[1] != '-')
        text.remove_prefix(1);
    if (hexadecimal && text.starts_with('-'))
        return std::nullopt;
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, hexadecimal ? 16 : 10);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

bool same_letters(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](unsigned char left, unsigned char right) {
        return std::tolower(left) == std::tolower(right);
    });
}

std::optional<bool> parse_boolean(std::string_view text) {
    constexpr std::string_view yes[] = {"1", "true", "on", "yes"};
    constexpr std::string_view no[] = {"0", "false", "off", "no"};
    const auto is_text = [text](std::string_view word) { return same_letters(word, text); };
    if (std::ranges::any_of(yes, is_text))
        return true;
    return std::ranges::any_of(no, is_text) ? std::optional(false) : std::nullopt;
}

// Without a sign, because the way from one end of 64 bits to the other has none.
std::uint64_t offset_from(std::int64_t minimum, std::int64_t number) {
    return static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(minimum);
}

Parsed parse_integer(const Control& control, std::string_view text) {
    const std::optional<std::int64_t> number = parse_number(text);
    const bool fits = number && *number >= control.minimum && *number <= control.maximum;
    // Drivers round to the step without a word.
    if (!fits || (control.step > 1 && offset_from(control.minimum, *number) % control.step != 0))
        return refused("it takes " + range_text(control, {}));
    return *number;
}

Parsed parse_mask(const Control& control, std::string_view text) {
    const std::optional<std::int64_t> number = parse_number(text);
    if (!number || *number < 0 || (*number & ~control.maximum) != 0)
        return refused("it takes " + range_text(control, {}));
    return *number;
}

Parsed parse_menu(const Control& control, std::span<const MenuItem> items, std::string_view text) {
    const std::optional<std::int64_t> number = parse_number(text);
    const auto index = std::ranges::find_if(
        items, [&](const MenuItem& item) { return number && std::int64_t{item.index} == *number; });
    const auto name = std::ranges::find_if(items, [text](const MenuItem& item) {
        return same_letters(item.name, text) || (!text.empty() && control_name(item.name) == text);
    });
    const auto found = index != items.end() ? index : name;
    if (found == items.end())
        return refused("it takes " + range_text(control, items));
    return std::int64_t{found->index};
}

Parsed parse_string(const Control& control, std::string_view text) {
    const auto length = static_cast<std::int64_t>(text.size());
    const bool fits = length >= control.minimum && length <= control.maximum;
    const bool steps =
        control.step <= 1 || (fits && offset_from(control.minimum, length) % control.step == 0);
    if (!fits || !steps || text.contains('\0'))
        return refused("it takes " + range_text(control, {}));
    return std::string(text);
}

Parsed parse_button(std::string_view text) {
    if (!text.empty() && !parse_boolean(text).value_or(false))
        return refused("it is a button: 1 presses it");
    return std::int64_t{1};
}

} // namespace

Parsed parse_value(const Control& control, std::span<const MenuItem> items, std::string_view text) {
    switch (control.type) {
    case ControlType::integer:
    case ControlType::integer64:
        return parse_integer(control, text);
    case ControlType::boolean:
        if (const std::optional<bool> value = parse_boolean(text))
            return std::int64_t{*value ? 1 : 0};
        return refused("it takes " + range_text(control, {}));
    case ControlType::menu:
    case ControlType::integer_menu:
        return parse_menu(control, items, text);
    case ControlType::bitmask:
        return parse_mask(control, text);
    case ControlType::string:
        return parse_string(control, text);
    case ControlType::button:
        return parse_button(text);
    case ControlType::compound:
        break;
    }
    return refused("its value is an array or a structure, which cannot be written as text");
}

std::string range_text(const Control& control, std::span<const MenuItem> items) {
    const std::string steps = control.step > 1 ? fmt::format(" in steps of {}", control.step) : "";
    std::vector<std::string> choices;
    switch (control.type) {
    case ControlType::integer:
    case ControlType::integer64:
        return fmt::format("{} to {}{}", control.minimum, control.maximum, steps);
    case ControlType::boolean:
        return "0 or 1 (false or true, off or on, no or yes)";
    case ControlType::menu:
    case ControlType::integer_menu:
        for (const MenuItem& item : items)
            choices.push_back(fmt::format("{} ({})", item.index, item.name));
        return choices.empty() ? "nothing: its menu is empty" : fmt::format("{}", fmt::join(choices, ", "));
    case ControlType::bitmask:
        return fmt::format("bits of {:#010x}", control.maximum);
    case ControlType::string:
        return fmt::format("{} to {} bytes of text{}", control.minimum, control.maximum, steps);
    case ControlType::button:
        return "1";
    case ControlType::compound:
        break;
    }
    return "nothing that is text";
}

std::string value_text(const Control& control, std::span<const MenuItem> items, const ControlValue& value) {
    if (const auto* text = std::get_if<std::string>(&value))
        return *text;
    const std::int64_t number = std::get<std::int64_t>(value);
    if (control.type == ControlType::bitmask)
        return fmt::format("{:#010x}", number);
    const auto item = std::ranges::find_if(
        items, [number](const MenuItem& entry) { return std::int64_t{entry.index} == number; });
    return item == items.end() ? fmt::format("{}", number) : fmt::format("{} ({})", number, item->name);
}

} // namespace v4l2dma
