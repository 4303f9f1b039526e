// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "format/fourcc.h"
#include "media/av_objects.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace v4l2dma {

/// What a file cannot say of itself.
struct MediaInputWishes {
    std::optional<std::string> container{}; ///< FFmpeg's name of the demuxer, or "raw"
    std::optional<std::string> decoder{};   ///< FFmpeg's name; empty: its own for the codec
    std::optional<FourCC> fourcc{};         ///< of a raw file
    std::optional<std::uint32_t> width{};   ///< pixels, of a raw file
    std::optional<std::uint32_t> height{};  ///< pixels, of a raw file
    std::optional<double> fps{};            ///< of what has no times: raw files, images
};

/// How FFmpeg opens what a name means.
struct MediaOpening {
    enum class Kind { pipe, file, url, pattern, device };

    std::string url; ///< the name as FFmpeg takes it, not of a pipe
    Kind kind = Kind::file;
    const AVInputFormat* format = nullptr; ///< nullptr: found out by looking
    bool described = false;                ///< a file that tells where the film comes from
    bool unsized_raw = false; ///< called as raw files are, and nobody said what is in it: it may be another

    /// Whether it begins again when it is opened again: a file, or pictures in files.
    [[nodiscard]] bool local() const noexcept {
        return (kind == Kind::file && !described) || kind == Kind::pattern;
    }
};

/// Opens nothing. load_ffmpeg_formats() must have succeeded. Errors: (device) there is no such file, or it
/// cannot be read; (usage) an unknown container, or a URL without a port.
[[nodiscard]] Result<MediaOpening> find_opening(const std::string& name, const MediaInputWishes& wishes);

/// An Error (usage) of a raw file without size or format.
[[nodiscard]] std::unexpected<Error> sizeless(const std::string& name);

/// What FFmpeg has to be told besides. Errors: (usage) a raw file without size or format; (unsupported) in a
/// format that FFmpeg does not read; (device) pictures in files that are not there, or with gaps.
[[nodiscard]] Status set_options(AvOptions& options, const MediaOpening& opening, const std::string& name,
                                 const MediaInputWishes& wishes);

/// Whether @p container is no container but FFmpeg's name of an input device: "kmsgrab".
[[nodiscard]] bool is_input_device(const std::string& container);

/// Whether @p name is meant for MediaInput::open(), and no device: standard input ("-"), a URL, a file or
/// named pipe that is there, a pattern of image files, or a name that ends as films do.
[[nodiscard]] bool is_media_name(std::string_view name);

} // namespace v4l2dma
