// SPDX-License-Identifier: MIT
#pragma once

#include "loop/module.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// What loops can be set to at load time. Empty: the module's default.
struct LoopParameters {
    std::optional<int> devices{};              ///< number of loops, 1 to max_loops
    std::vector<std::string> video_nr{};       ///< 0 to 255 or -1 (any), for the first loops
    std::vector<std::string> card_label{};     ///< for the first loops
    std::vector<std::string> exclusive_caps{}; ///< 0 or 1; one for all loops or one for each
    std::optional<int> min_buffers{};
    std::optional<int> max_buffers{};
    std::optional<int> support_dmabuf{}; ///< 0 or 1
    std::optional<int> max_readers{};
    std::optional<int> debug{};
    std::optional<std::string> allowed_gid{}; ///< a group's number or name
};

/// Bounds that the module sets itself (kmod/main.c, kmod/v4l2dma.h).
inline constexpr int max_loops = 32;
inline constexpr int fewest_buffers = 2;
inline constexpr int most_buffers = 32;
inline constexpr int most_readers = 64;

/// Splits "a,b,c"; a list has no empty elements, and the empty text is one empty element.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// The module's parameters for @p wanted. Without `devices`, the longest list decides on the number of loops.
///
/// Whatever the module or the kernel's parser would refuse or mangle is an Error of ErrorKind::usage here,
/// for the kernel answers with no more than EINVAL. Names of groups are looked up in the system's database.
[[nodiscard]] Result<std::vector<ModuleParameter>> module_parameters(const LoopParameters& wanted);

} // namespace v4l2dma
