// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "media/cuts.h"
#include "media/frame_copier.h"
#include "media/frame_writer.h"

#include <string>
#include <vector>

namespace v4l2dma {

/// Writes the frames' bytes without padding, one behind the other, or as YUV4MPEG2; compressed frames as they
/// are.
class RawWriter final : public FrameWriter {
public:
    /// Errors: those of FrameCopier::create() and tight_format(); (usage) pixels that YUV4MPEG2 has not.
    [[nodiscard]] static Result<std::unique_ptr<FrameWriter>> create(const FrameWriterSettings& settings,
                                                                     OutputFiles& files);

    [[nodiscard]] std::uint64_t copied_bytes() const noexcept override { return copied_bytes_; }
    [[nodiscard]] std::optional<FrameFormat> converted() const override;
    [[nodiscard]] std::string conversion_reason() const override;
    [[nodiscard]] Status begin(const Beginning& beginning) override;
    [[nodiscard]] Result<FrameWritten> write(const FrameToWrite& frame) override;
    [[nodiscard]] Status finish(bool whole) override;
    [[nodiscard]] ExportSummary summary() const override;

private:
    RawWriter(const FrameWriterSettings& settings, OutputFiles& files)
        : settings_(settings), files_(files), cuts_(settings.wishes.segment) {}
    [[nodiscard]] Status settle();
    [[nodiscard]] Result<FourCC> choose_format() const;
    [[nodiscard]] bool is_y4m() const noexcept { return settings_.target.kind == ExportKind::y4m; }
    [[nodiscard]] Status open_if_due(std::chrono::microseconds time);
    [[nodiscard]] Status close();
    [[nodiscard]] Status write_planes(ConstPlanes planes);
    [[nodiscard]] bool cut(ConstPlanes planes);
    [[nodiscard]] std::string y4m_header() const;

    FrameWriterSettings settings_;
    OutputFiles& files_;
    FrameFormat to_{};                  ///< of the file, without padding; not of compressed frames
    std::optional<FrameCopier> copier_; ///< empty: the frames' bytes are written from where they are
    std::vector<Mapping> memory_;       ///< what it writes into, by memory plane: pages suit libswscale
    std::vector<PlaneLayout> lines_; ///< of the file, in its order, where frames have longer ones; else empty
    std::vector<std::byte> cut_;     ///< a picture of such lines
    std::uint64_t copied_bytes_ = 0;
    double rate_ = 25;
    std::optional<OutputFile> file_;
    Cuts cuts_;
    ExportSummary summary_{};
};

} // namespace v4l2dma
