// SPDX-License-Identifier: MIT
#pragma once

#include "media/frame_writer.h"
#include "media/packet_writer.h"
#include "media/picture_reader.h"
#include "media/video_encoder.h"

#include <atomic>
#include <string>
#include <vector>

namespace v4l2dma {

/// Encodes frames into a container: straight from their memory where the encoder takes these pixels and keeps
/// to the rows, else from pictures of its own, into which they are converted or copied.
class EncodingWriter final : public FrameWriter {
public:
    /// Errors: those of choose_encoder() and PictureReader; (usage) pixels that the encoder does not take;
    /// (unsupported) pixels that FFmpeg cannot convert.
    [[nodiscard]] static Result<std::unique_ptr<FrameWriter>> create(const FrameWriterSettings& settings,
                                                                     OutputFiles* files);

    [[nodiscard]] std::uint64_t copied_bytes() const noexcept override { return copied_bytes_; }
    [[nodiscard]] std::optional<FrameFormat> converted() const override { return converted_; }
    [[nodiscard]] std::string conversion_reason() const override;
    [[nodiscard]] Status begin(const Beginning& beginning) override;
    [[nodiscard]] Result<FrameWritten> write(const FrameToWrite& frame) override;
    [[nodiscard]] Status finish(bool whole) override;
    [[nodiscard]] ExportSummary summary() const override;

private:
    /// A picture, ready to be encoded, and the bytes that were written for it.
    struct Ready {
        AVFrame* picture = nullptr;
        std::uint64_t bytes = 0;
    };

    EncodingWriter(PictureReader reader, PacketWriter packets)
        : reader_(std::move(reader)), packets_(std::move(packets)) {}
    [[nodiscard]] static Result<VideoEncoder::Settings> settle(const FrameWriterSettings& settings,
                                                               const AVOutputFormat& muxer);
    void describe(const FrameFormat& source, bool wished);
    [[nodiscard]] Result<Ready> get_ready(const FrameToWrite& frame);
    [[nodiscard]] Result<Ready> borrow(const AVFrame& picture, const FrameToWrite& frame);
    [[nodiscard]] Result<AVFrame*> own_picture();
    [[nodiscard]] Status prepare_scaler();
    [[nodiscard]] bool same_pixels() const noexcept { return reader_.side() == to_; }
    [[nodiscard]] bool may_borrow() const noexcept;
    [[nodiscard]] bool wants_key(std::chrono::microseconds time);
    [[nodiscard]] Status drain();
    [[nodiscard]] bool given_up() const noexcept;
    [[nodiscard]] Status start_stream();

    PictureReader reader_;
    PacketWriter packets_;
    std::string object_; ///< what errors of conversion name
    const Urgency* urgency_ = nullptr;
    VideoEncoder::Settings settings_{};
    ScalerSide to_{}; ///< what the encoder gets
    std::optional<Scaler> scaler_;
    ScalerSide scaler_from_{};
    std::optional<VideoEncoder> encoder_;
    AvPacket packet_;
    AvFrame lent_;                  ///< borrows a frame's memory
    std::vector<AvFrame> pictures_; ///< of our own; the encoder has some
    /// Frames that the encoder has and that are not ours. Shared with them: they may outlive this.
    std::shared_ptr<std::atomic<unsigned>> borrowed_ = std::make_shared<std::atomic<unsigned>>(0U);
    unsigned most_borrowed_ = 1;
    std::uint64_t copied_bytes_ = 0; ///< of a frame, expected
    std::optional<FrameFormat> converted_;
    bool format_wished_ = false;
    bool stream_started_ = false;
    std::optional<std::chrono::microseconds> last_key_;
    std::chrono::microseconds last_time_{};
};

} // namespace v4l2dma
