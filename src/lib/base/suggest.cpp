// SPDX-License-Identifier: MIT
#include "base/suggest.h"

#include <algorithm>
#include <utility>

namespace v4l2dma {

// Optimal string alignment.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j)
        cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

namespace {

/// What is farther away than this is no typing error.
std::size_t tolerance(std::string_view word) {
    return std::max<std::size_t>(1, word.size() / 3);
}

/// 0 for the beginning of @p candidate, up to tolerance() for what is near, more for the rest.
std::size_t remoteness(std::string_view word, std::string_view candidate) {
    constexpr std::size_t shortest_part = 3; // one or two letters are in everything
    if (candidate.starts_with(word))
        return 0;
    const std::size_t errors = edit_distance(word, candidate);
    const bool part = word.size() >= shortest_part && candidate.contains(word);
    return part ? std::min(errors, tolerance(word)) : errors;
}

} // namespace

std::vector<std::string_view> near_matches(std::string_view word, std::span<const std::string_view> known,
                                           std::size_t most) {
    constexpr std::size_t longest = 64; // whatever is longer is no typing error, and not worth the table
    if (word.empty() || word.size() > longest)
        return {};
    std::vector<std::pair<std::size_t, std::string_view>> near;
    for (const std::string_view candidate : known)
        if (const std::size_t remote = remoteness(word, candidate); remote <= tolerance(word))
            near.emplace_back(remote, candidate);
    std::ranges::stable_sort(near, {}, &std::pair<std::size_t, std::string_view>::first);
    std::vector<std::string_view> matches;
    for (std::size_t i = 0; i < near.size() && i < most; ++i)
        matches.push_back(near[i].second);
    return matches;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    const std::vector<std::string_view> matches = near_matches(word, known, 1);
    return matches.empty() ? std::string_view() : matches.front();
}

} // namespace v4l2dma
