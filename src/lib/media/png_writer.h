// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "media/frame_copier.h"
#include "media/frame_writer.h"
#include "media/png.h"

namespace v4l2dma {

/// Writes each frame to a PNG file of its own, atomically; without a number in the name the first one only.
class PngWriter final : public FrameWriter {
public:
    /// Loads FFmpeg. Errors: those of FrameCopier::create().
    [[nodiscard]] static Result<std::unique_ptr<FrameWriter>> create(const FrameWriterSettings& settings,
                                                                     OutputFiles& files);

    [[nodiscard]] std::uint64_t copied_bytes() const noexcept override { return rgb_.sizeimage(); }
    [[nodiscard]] std::optional<FrameFormat> converted() const override {
        return converts_ ? std::optional(rgb_) : std::nullopt;
    }
    [[nodiscard]] std::string conversion_reason() const override { return "a PNG has red, green and blue"; }
    [[nodiscard]] Status begin(const Beginning&) override { return {}; }
    [[nodiscard]] Result<FrameWritten> write(const FrameToWrite& frame) override;
    [[nodiscard]] Status finish(bool) override { return {}; }
    [[nodiscard]] ExportSummary summary() const override { return summary_; }

private:
    PngWriter(FrameFormat rgb, FrameCopier copier, Mapping pixels, PngEncoder encoder, OutputFiles& files)
        : rgb_(rgb), copier_(std::move(copier)), files_(files), pixels_(std::move(pixels)),
          encoder_(std::move(encoder)) {}

    FrameFormat rgb_;
    bool converts_ = true;
    FrameCopier copier_;
    OutputFiles& files_;
    Mapping pixels_;
    PngEncoder encoder_;
    ExportSummary summary_{};
};

} // namespace v4l2dma
