// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace v4l2dma {

/// The one of @p known that the user probably meant by @p word, or an empty view if none is near.
///
/// Near: @p word is the beginning of it, or a typing error or two away (dropped, added, wrong or swapped
/// letters). The answer points into @p known.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

} // namespace v4l2dma
