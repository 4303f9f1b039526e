// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "cli/command_line.h"
#include "media/export_wishes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace v4l2dma {

/// "4M", "800k", "2500000": bits a second, empty if it is none.
[[nodiscard]] std::optional<std::uint64_t> parse_bitrate(std::string_view text);

/// --container, --codec, --bitrate, --preset, --segment, --sdp, --lossless, --force of a file that is
/// written.
struct FileOptions {
    ExportWishes wishes;

    void add_to(CommandLine& line);
    /// One of them that was given, empty if there is none.
    [[nodiscard]] std::string_view given() const;
    /// Of @p files that are written, of --sdp's, and of @p log (empty: there is none): with --force a film
    /// that is read would be gone before its first frame, and of two in one place none would be whole.
    /// Errors: (usage) one is the file @p input, or may become it by its number, or another one; --sdp for
    /// several streams; two things, of which @p json may be one, on standard output.
    [[nodiscard]] Status check_names(const std::string& input, std::vector<std::string> files,
                                     const std::string& log, bool json) const;
};

} // namespace v4l2dma
