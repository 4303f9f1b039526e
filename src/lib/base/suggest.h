// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// Edits (insert, delete, replace, swap of neighbours) that make @p b of @p a. Takes time and memory of the
/// product of their lengths: for words.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// Those of @p known that the user may have meant by @p word, the nearest first, at most @p most.
///
/// Near: @p word is the beginning or, from three letters on, a part of it, or a typing error or two away
/// (dropped, added, wrong or swapped letters). The answers point into @p known.
[[nodiscard]] std::vector<std::string_view>
near_matches(std::string_view word, std::span<const std::string_view> known, std::size_t most);

/// The one of @p known that the user probably meant by @p word, or an empty view if none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

} // namespace v4l2dma
