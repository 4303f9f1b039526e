// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "media/export_wishes.h"
#include "media/frame_copier.h"
#include "v4l2/format.h"

#include <optional>
#include <string>

namespace v4l2dma {

/// What the user wants an output to be given; what is not wished for is as the source has it.
struct OutputWishes {
    std::optional<std::string> format{};   ///< as resolve_format() takes it
    std::optional<std::uint32_t> width{};  ///< pixels
    std::optional<std::uint32_t> height{}; ///< pixels
    /// Of a loop: where it imports frames, each buffer keeps its memory (V4L2DMA_CID_FIXED_BINDINGS), so that
    /// readers which map it need no copy. The source must never bring other memory under a number.
    bool fixed_bindings = false;
    ExportWishes file{}; ///< of files

    /// Whether frames may have to be changed.
    [[nodiscard]] bool any() const noexcept { return format || width || height; }
};

/// OutputWishes whose format is understood.
struct OutputWish {
    std::optional<FourCC> fourcc;
    std::optional<std::uint32_t> width;
    std::optional<std::uint32_t> height;
    bool fixed_bindings = false;

    /// Errors: those of resolve_format().
    [[nodiscard]] static Result<OutputWish> resolve(const OutputWishes& wishes, const Device& device);

    /// Whether frames of this format are not what is wished for.
    [[nodiscard]] bool changes(const FrameFormat& format) const noexcept;
};

/// The format that an output was set to, and how frames get there.
struct OutputFormat {
    FrameFormat format{};
    std::optional<FrameCopier> copier{};    ///< for frames that do not fit as they are
    std::optional<Conversion> conversion{}; ///< empty: frames pass as they are, on any path
};

/// Whether the output would take frames of this format as they are (TRY_FMT; true if it does not know this
/// call).
[[nodiscard]] bool takes_unchanged(const Device& device, const FrameFormat& format);

/// Sets an output for frames of @p source: to the same format, or, if it does not take that or the user
/// wishes for another one, to the format that is most alike of those that it offers and frames can be
/// converted to. Another size is chosen only where there is no other way.
/// Errors: (usage) what is wished for is not offered; (device) busy, gone, or no format will do; those of
/// FrameCopier::create().
[[nodiscard]] Result<OutputFormat> set_output_format(const Device& device, const FrameFormat& source,
                                                     const OutputWish& wish);

} // namespace v4l2dma
