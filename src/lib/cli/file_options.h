// SPDX-License-Identifier: MIT
#pragma once

#include "cli/command_line.h"
#include "media/export_wishes.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace v4l2dma {

/// "4M", "800k", "2500000": bits a second, empty if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_bitrate(std::string_view text);

/// --container, --codec, --bitrate, --preset, --segment, --sdp, --lossless, --force of a file that is
/// written.
struct FileOptions {
    ExportWishes wishes;

    void add_to(CommandLine& line);
};

} // namespace v4l2dma
