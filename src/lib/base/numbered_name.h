// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// The name of many files that differ by a number: "film-%d.mkv", "FOLDER/picture%03d.png".
///
/// As FFmpeg's image2 reads and writes them: filled up with zeros, also without a 0 before the width.
class NumberedName {
public:
    /// Nothing if there is not one %d, or not that alone: then it is the name of a file.
    [[nodiscard]] static std::optional<NumberedName> parse(std::string_view name);

    [[nodiscard]] std::string file(unsigned number) const;
    /// The number of the file that is called @p name, nothing if none of the files is.
    [[nodiscard]] std::optional<unsigned> number_of(std::string_view name) const;
    /// Whether a file can be one of these and one of @p other.
    [[nodiscard]] bool overlaps(const NumberedName& other) const;
    /// The numbers of the files that are there, in their order; nothing if their folder cannot be read, or
    /// the number is a folder's.
    [[nodiscard]] std::optional<std::vector<unsigned>> there() const;

private:
    NumberedName() = default;

    std::string before_; ///< folder, and what the names begin with
    std::string after_;  ///< what they end with
    unsigned width_ = 0; ///< digits at least
};

} // namespace v4l2dma
