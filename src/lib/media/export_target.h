// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/numbered_name.h"
#include "format/fourcc.h"
#include "media/export_wishes.h"

#include <optional>
#include <string>
#include <string_view>

struct AVOutputFormat;

namespace v4l2dma {

/// What the frames become.
enum class ExportKind {
    raw,       ///< the frames' bytes, one behind the other
    y4m,       ///< YUV4MPEG2
    png,       ///< a picture, or one for each frame
    container, ///< what a muxer of FFmpeg writes
};

/// Where frames go that are exported.
struct ExportTarget {
    std::string name; ///< as the user wrote it: a path, a URL, "-"
    ExportKind kind = ExportKind::container;
    const AVOutputFormat* muxer = nullptr; ///< of a container; lives as long as the program
    std::optional<FourCC> fourcc{};        ///< that the name's extension means: frame.nv12
    std::optional<std::string> sdp{};      ///< the file that describes the stream
    bool standard_output = false;
    bool url = false;
    std::optional<NumberedName> numbered{}; ///< of many files

    /// "raw", "matroska"
    [[nodiscard]] std::string_view container() const noexcept;
    /// The name of the file with this number, counted from 0.
    [[nodiscard]] std::string file(unsigned number) const;
};

/// Whether @p name can only mean a file to be written: standard output, a URL, or a name with an extension
/// that says what is in it.
[[nodiscard]] bool is_export_name(std::string_view name);

/// Loads FFmpeg where the container needs it. Errors: (usage) a container that nobody knows, with near
/// matches, or no way to tell it from the name; a name that cannot be numbered; (unsupported) no FFmpeg.
[[nodiscard]] Result<ExportTarget> resolve_export_target(std::string_view name, const ExportWishes& wishes);

/// How many files there will be; of what has no end that is known a number that a short run comes to.
[[nodiscard]] unsigned expected_files(const ExportTarget& target, const ExportWishes& wishes);

} // namespace v4l2dma
