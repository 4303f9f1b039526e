// SPDX-License-Identifier: MIT
#include "base/numbered_name.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace v4l2dma {

namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::size_t most_digits = 3; // of the width: nobody means more

} // namespace

std::optional<NumberedName> NumberedName::parse(std::string_view name) {
    const std::size_t percent = name.find('%');
    if (percent == std::string_view::npos || name.find('%', percent + 1) != std::string_view::npos)
        return std::nullopt;
    const std::size_t end = name.find_first_not_of(digits, percent + 1);
    if (end == std::string_view::npos || name[end] != 'd' || end - percent - 1 > most_digits)
        return std::nullopt;
    NumberedName numbered;
    numbered.before_ = name.substr(0, percent);
    numbered.after_ = name.substr(end + 1);
    std::from_chars(name.data() + percent + 1, name.data() + end, numbered.width_);
    return numbered;
}

std::string NumberedName::file(unsigned number) const {
    const std::string text = std::to_string(number);
    return before_ + std::string(width_ > text.size() ? width_ - text.size() : 0, '0') + text + after_;
}

std::optional<unsigned> NumberedName::number_of(std::string_view name) const {
    if (!name.starts_with(before_) || !name.ends_with(after_) || name.size() < before_.size() + after_.size())
        return std::nullopt;
    const std::string_view middle = name.substr(before_.size(), name.size() - before_.size() - after_.size());
    unsigned number = 0;
    std::from_chars(middle.data(), middle.data() + middle.size(), number);
    return file(number) == name ? std::optional(number) : std::nullopt;
}

// "a%d" and "a1%d" have a11 in common: one begins with what the other begins with and a part of its number.
bool NumberedName::overlaps(const NumberedName& other) const {
    const NumberedName& longer = before_.size() < other.before_.size() ? other : *this;
    const NumberedName& shorter = &longer == this ? other : *this;
    const auto is_number = [](std::string_view text) {
        return text.find_first_not_of(digits) == std::string_view::npos;
    };
    const std::string_view more = std::string_view(longer.before_).substr(shorter.before_.size());
    return after_ == other.after_ && longer.before_.starts_with(shorter.before_) && is_number(more);
}

std::optional<std::vector<unsigned>> NumberedName::there() const {
    if (after_.find('/') != std::string::npos)
        return std::nullopt;
    std::vector<unsigned> numbers;
    const std::string folder = before_.substr(0, before_.rfind('/') + 1);
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, failure), end;
         !failure && entry != end; entry.increment(failure))
        if (const std::optional<unsigned> number = number_of(folder + entry->path().filename().string()))
            numbers.push_back(*number);
    if (failure)
        return std::nullopt;
    std::ranges::sort(numbers);
    return numbers;
}

} // namespace v4l2dma
