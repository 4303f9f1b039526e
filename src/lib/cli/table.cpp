// SPDX-License-Identifier: MIT
#include "cli/table.h"

#include "cli/output.h"

#include <algorithm>

namespace v4l2dma {

namespace {

constexpr std::size_t gap = 2;

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace

void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells)
        cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::text(std::size_t indent) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], characters(row[column]));
    }
    std::string text;
    for (const auto& row : rows_) {
        std::string line(indent, ' ');
        for (std::size_t column = 0; column < row.size(); ++column)
            line += row[column] + std::string(widths[column] - characters(row[column]) + gap, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::vector<std::string> wrap_list(std::span<const std::string> items, std::size_t width) {
    constexpr std::string_view comma = ", ";
    std::vector<std::string> lines;
    for (const std::string& item : items)
        if (lines.empty() || lines.back().size() + comma.size() + item.size() > width)
            lines.push_back(item);
        else
            lines.back() += std::string(comma) + item;
    return lines;
}

} // namespace v4l2dma
