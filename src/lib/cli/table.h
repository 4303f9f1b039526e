// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// Rows of text with aligned columns, for people. Machines get JSON.
///
/// Cells are made printable (cli/output.h) on the way in; widths count UTF-8 characters, not bytes.
class Table {
public:
    Table() = default;
    /// With a first row of column titles.
    explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }

    /// Rows may differ in length.
    void add(std::vector<std::string> cells);

    /// Every line starts with @p indent spaces and ends without trailing ones; columns are two apart.
    [[nodiscard]] std::string text(std::size_t indent = 0) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

/// "a, b, c" on as many lines as it takes; a line is at most @p width bytes, unless one item is longer.
[[nodiscard]] std::vector<std::string> wrap_list(std::span<const std::string> items, std::size_t width = 90);

} // namespace v4l2dma
