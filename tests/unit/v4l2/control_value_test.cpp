// SPDX-License-Identifier: MIT
#include "v4l2/control_value.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

namespace {

Control integer(std::int64_t minimum, std::int64_t maximum, std::uint64_t step = 1) {
    Control control;
    control.minimum = minimum;
    control.maximum = maximum;
    control.step = step;
    return control;
}

Control of_type(ControlType type, std::int64_t minimum = 0, std::int64_t maximum = 0) {
    Control control = integer(minimum, maximum);
    control.type = type;
    return control;
}

std::optional<ControlValue> parsed(const Control& control, std::string_view text,
                                   std::span<const MenuItem> items = {}) {
    const auto value = parse_value(control, items, text);
    return value ? std::optional(*value) : std::nullopt;
}

} // namespace

TEST_CASE("integers are decimal or hexadecimal, in the range and on a step") {
    const Control control = integer(-10, 20, 5);
    CHECK(parsed(control, "-10") == ControlValue(-10));
    CHECK(parsed(control, "20") == ControlValue(20));
    CHECK(parsed(control, "+5") == ControlValue(5));
    CHECK(parsed(control, "0xa") == ControlValue(10));
    CHECK(parsed(control, "0XA") == ControlValue(10));
    for (const std::string_view wrong : {"-15", "25", "1", "-9", "", " 5", "5 ", "5.0", "five", "0x", "0x-5",
                                         "+-5", "--5", "1e1", "99999999999999999999", "\0005"})
        CHECK_FALSE(parsed(control, wrong));
    CHECK(parse_value(control, {}, "25").error() == "it takes -10 to 20 in steps of 5");
    CHECK(parse_value(integer(0, 255), {}, "256").error() == "it takes 0 to 255");
    CHECK(parsed(integer(0, 255, 0), "7") == ControlValue(7)); // a driver without a step
}

TEST_CASE("64 bits are used to their ends") {
    const Control control = integer(INT64_MIN, INT64_MAX);
    CHECK(parsed(control, "-9223372036854775808") == ControlValue(INT64_MIN));
    CHECK(parsed(control, "9223372036854775807") == ControlValue(INT64_MAX));
    CHECK_FALSE(parsed(control, "9223372036854775808"));
    const Control stepped = integer(INT64_MIN, INT64_MAX, 1ULL << 63);
    CHECK(parsed(stepped, "0") == ControlValue(0));
    CHECK_FALSE(parsed(stepped, "1"));
}

TEST_CASE("a boolean has many words") {
    const Control control = of_type(ControlType::boolean, 0, 1);
    for (const std::string_view yes : {"1", "true", "on", "yes", "True", "ON"})
        CHECK(parsed(control, yes) == ControlValue(1));
    for (const std::string_view no : {"0", "false", "off", "no", "No"})
        CHECK(parsed(control, no) == ControlValue(0));
    for (const std::string_view wrong : {"", "2", "-1", "o", "truee", "yes "})
        CHECK_FALSE(parsed(control, wrong));
    CHECK(parse_value(control, {}, "2").error().starts_with("it takes 0 or 1"));
}

TEST_CASE("a menu is chosen from by index and by name, and an error lists it") {
    const Control control = of_type(ControlType::menu, 0, 4);
    const std::vector<MenuItem> items{{1, "Manual Mode"}, {3, "1.1"}, {4, "7"}};
    CHECK(parsed(control, "1", items) == ControlValue(1));
    CHECK(parsed(control, "manual mode", items) == ControlValue(1));
    CHECK(parsed(control, "manual_mode", items) == ControlValue(1));
    CHECK(parsed(control, "1.1", items) == ControlValue(3));
    CHECK(parsed(control, "4", items) == ControlValue(4));
    CHECK(parsed(control, "7", items) == ControlValue(4)); // is no index, but a name
    for (const std::string_view wrong : {"0", "2", "", "manual", "-1"})
        CHECK_FALSE(parsed(control, wrong, items));
    CHECK(parse_value(control, items, "2").error() == "it takes 1 (Manual Mode), 3 (1.1), 4 (7)");
    CHECK(parse_value(control, {}, "2").error().contains("menu is empty"));
    const std::vector<MenuItem> nameless{{0, ""}};
    CHECK_FALSE(parsed(control, "x", nameless));
}

TEST_CASE("an integer menu is chosen from by index, and else by the number behind it") {
    const Control control = of_type(ControlType::integer_menu, 0, 2);
    const std::vector<MenuItem> items{{0, "1"}, {1, "400"}, {2, "800"}};
    CHECK(parsed(control, "1", items) == ControlValue(1)); // and not 0
    CHECK(parsed(control, "400", items) == ControlValue(1));
    CHECK_FALSE(parsed(control, "3", items));
}

TEST_CASE("a mask takes its bits and no others") {
    const Control control = of_type(ControlType::bitmask, 0, 0x80402010);
    CHECK(parsed(control, "0") == ControlValue(0));
    CHECK(parsed(control, "0x80000010") == ControlValue(0x80000010));
    for (const std::string_view wrong : {"1", "-1", "0x180000010", "", "bits"})
        CHECK_FALSE(parsed(control, wrong));
    CHECK(parse_value(control, {}, "1").error() == "it takes bits of 0x80402010");
}

TEST_CASE("a string has as many bytes as it may have") {
    Control control = of_type(ControlType::string, 2, 6);
    CHECK(parsed(control, "ab") == ControlValue("ab"));
    CHECK(parsed(control, "abcdef") == ControlValue("abcdef"));
    CHECK_FALSE(parsed(control, "a"));
    CHECK_FALSE(parsed(control, "abcdefg"));
    CHECK_FALSE(parsed(control, std::string_view("ab\0c", 4)));
    control.step = 2;
    CHECK(parsed(control, "abcd") == ControlValue("abcd"));
    CHECK_FALSE(parsed(control, "abc"));
    CHECK(parse_value(control, {}, "abc").error() == "it takes 2 to 6 bytes of text in steps of 2");
}

TEST_CASE("a button is pressed or left alone") {
    const Control control = of_type(ControlType::button);
    CHECK(parsed(control, "").has_value());
    CHECK(parsed(control, "1").has_value());
    CHECK(parsed(control, "true").has_value());
    CHECK_FALSE(parsed(control, "0"));
    CHECK(parse_value(control, {}, "0").error().contains("button"));
}

TEST_CASE("what is no text is refused") {
    const Control control = of_type(ControlType::compound);
    CHECK(parse_value(control, {}, "1").error().contains("array or a structure"));
}

TEST_CASE("values are written as they are read") {
    CHECK(value_text(integer(0, 9), {}, -3) == "-3");
    CHECK(value_text(of_type(ControlType::bitmask), {}, 0x80402010) == "0x80402010");
    CHECK(value_text(of_type(ControlType::string), {}, "ab") == "ab");
    const std::vector<MenuItem> items{{1, "Manual Mode"}};
    CHECK(value_text(of_type(ControlType::menu), items, 1) == "1 (Manual Mode)");
    CHECK(value_text(of_type(ControlType::menu), items, 2) == "2");
}
