// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"
#include "media/convert_options.h"

#include <memory>

namespace v4l2dma {

class Converter; // media/converter.h, which needs FFmpeg's headers

/// Moves a frame from one format to another by the CPU, with as little work as that takes: a copy of its
/// planes where the pixels are the same, else a conversion.
class FrameCopier {
public:
    FrameCopier(FrameCopier&& other) noexcept;
    FrameCopier& operator=(FrameCopier&& other) noexcept;
    FrameCopier(const FrameCopier&) = delete;
    FrameCopier& operator=(const FrameCopier&) = delete;
    ~FrameCopier();

    /// The same pixels in the same size are copied as they are, whatever the colorimetry of the two formats.
    /// Errors: those of PlaneCopy::create() or Converter::create().
    [[nodiscard]] static Result<FrameCopier> create(const FrameFormat& from, const FrameFormat& to,
                                                    const ConvertOptions& options = {});

    /// Whether pixels change, and not only their places.
    [[nodiscard]] bool converts() const noexcept { return converter_ != nullptr; }

    /// Answers the bytes that the CPU wrote. Padding in @p to is left alone. Errors: those of
    /// PlaneCopy::run() or Converter::run().
    [[nodiscard]] Result<std::uint64_t> run(ConstPlanes from, Planes to);

private:
    FrameCopier();

    PlaneCopy copy_;                       ///< used without a converter
    std::unique_ptr<Converter> converter_; ///< nullptr: the pixels are the same
};

} // namespace v4l2dma
