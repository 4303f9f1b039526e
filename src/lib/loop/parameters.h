// SPDX-License-Identifier: MIT
#pragma once

#include "loop/control.h"
#include "loop/module.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// What loops can be set to. Empty: the module's default.
struct LoopParameters {
    std::optional<int> devices{};              ///< number of loops, 1 to max_loops
    std::vector<std::string> video_nr{};       ///< 0 to 255 or -1 (any), for the first loops
    std::vector<std::string> capture_nr{};     ///< likewise, of the readers' nodes
    std::vector<std::string> card_label{};     ///< for the first loops
    std::vector<std::string> exclusive_caps{}; ///< 0 or 1; one for all loops or one for each
    std::optional<std::string> nodes{};        ///< single or split
    std::optional<std::string> overrun{};      ///< leaky or lossless
    std::optional<int> support_dmabuf{};       ///< 0 or 1
    std::optional<int> contiguous{};           ///< 0 or 1
    std::optional<int> multiplanar{};          ///< 0 or 1
    std::optional<int> min_buffers{};
    std::optional<int> max_buffers{};
    std::optional<int> max_readers{};
    std::optional<int> max_openers{};
    std::optional<int> max_pending{};
    std::optional<int> reclaim_ms{};
    std::optional<int> max_width{};
    std::optional<int> max_height{};
    std::optional<int> timeout{}; ///< ms
    std::optional<int> debug{};
    std::optional<std::string> allowed_gid{}; ///< a group's number or name; for a change also "none"
};

/// A loop's number: its option, its module parameter, its member of the control node's structure.
struct LoopNumber {
    const char* option;    ///< "--max-readers"
    const char* parameter; ///< "max_readers"
    const char* help;
    std::optional<int> LoopParameters::*value;
    __u32 LoopConfig::*config;
    int min;
    int max;
    std::uint32_t set; ///< V4L2DMA_SET_*; 0 if it is fixed while the loop exists
};
/// All of them; the bounds are those of kmod/config.c.
[[nodiscard]] std::span<const LoopNumber> loop_numbers();

inline constexpr int max_loops = 32; ///< kmod/v4l2dma.h

/// Splits "a,b,c"; a list has no empty elements, and the empty text is one empty element.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// The module's parameters for @p wanted. Without `devices`, the longest list decides on the number of loops.
///
/// Whatever the module or the kernel's parser would refuse or mangle is an Error of ErrorKind::usage here,
/// for the kernel answers with no more than EINVAL. Names of groups are looked up in the system's database.
[[nodiscard]] Result<std::vector<ModuleParameter>> module_parameters(const LoopParameters& wanted);

/// The same for one loop that is added at run time; errors likewise.
[[nodiscard]] Result<LoopConfig> loop_config(const LoopParameters& wanted);

/// What to change of a loop at run time.
struct LoopChange {
    LoopConfig config{};
    std::uint32_t which = 0; ///< V4L2DMA_SET_*
};
/// Errors likewise, also for what is fixed while a loop exists.
[[nodiscard]] Result<LoopChange> loop_change(const LoopParameters& wanted);

} // namespace v4l2dma
