// SPDX-License-Identifier: MIT
#pragma once

#include "media/frame_writer.h"
#include "media/packet_writer.h"
#include "media/stream_codec.h"

namespace v4l2dma {

/// Whether pictures of such a stream would be shown in the wrong order: packets come in another order than
/// their pictures, and the container has no times of the one or the other.
[[nodiscard]] bool loses_order(const StreamProperties& properties, const AVOutputFormat& muxer);

/// Puts compressed frames into a container as they are. What comes before the first key frame is left out:
/// nobody could read it.
class CopyingWriter final : public FrameWriter {
public:
    /// That packets of the source's format can be written, as far as that is known before the first.
    /// Errors: (usage) the container does not take the codec, or needs their order to be that of the
    /// pictures.
    [[nodiscard]] static Status check(const FrameWriterSettings& settings);
    /// Errors: those of check() and of PacketWriter::create().
    [[nodiscard]] static Result<std::unique_ptr<FrameWriter>> create(const FrameWriterSettings& settings,
                                                                     OutputFiles* files);

    [[nodiscard]] Status begin(const Beginning& beginning) override;
    [[nodiscard]] Result<FrameWritten> write(const FrameToWrite& frame) override;
    [[nodiscard]] Status finish(bool whole) override;
    [[nodiscard]] ExportSummary summary() const override;

private:
    CopyingWriter(FrameFormat format, std::optional<CodedPictures> coded, PacketWriter packets,
                  AvPacket packet)
        : format_(format), coded_(std::move(coded)), codec_(codec_of_packets(format.fourcc)),
          packets_(std::move(packets)), packet_(std::move(packet)) {}
    [[nodiscard]] Status start_stream();

    FrameFormat format_;
    std::optional<CodedPictures> coded_;
    AVCodecID codec_;
    PacketWriter packets_;
    AvPacket packet_;
    AVRational rate_{};
    bool counted_ = false; ///< the container has no times, only a rate
    std::int64_t last_count_ = -1;
    bool stream_started_ = false;
    std::chrono::microseconds last_time_{};
};

} // namespace v4l2dma
