// SPDX-License-Identifier: MIT
#pragma once

#include "format/stream_properties.h"
#include "media/av_output.h"
#include "media/export_target.h"

#include <memory>

namespace v4l2dma {

struct FreeAvMuxer {
    void operator()(AVFormatContext* context) const noexcept {
        ffmpeg_formats().avformat_free_context(context);
    }
};
using AvMuxer = std::unique_ptr<AVFormatContext, FreeAvMuxer>; ///< does not close what it writes to

/// A film while it is written: one stream of pictures in a container. One thread.
///
/// What has been written stays playable when the process dies: mp4 and mov are written in fragments, clusters
/// and packets are not held back for longer than about a second.
class MediaOutput {
public:
    struct Stream {
        const AVCodecParameters* parameters = nullptr; ///< borrowed for create()
        AVRational time_base{};                        ///< of the packets that write() gets
        AVRational rate{};                             ///< frames a second, as far as is known
        PixelAspect aspect{};
        std::optional<std::array<std::int32_t, 9>> display_matrix{}; ///< as StreamProperties has it
        bool intra_only = false;                                     ///< every packet is a key frame
    };

    /// Whether each picture has a time of its own in this container; else all have the same duration.
    [[nodiscard]] static bool has_times(const AVOutputFormat& muxer);
    /// Whether a header can be written. Errors: (usage) the container does not take this codec, with some
    /// that it takes.
    [[nodiscard]] static Status check(const AVOutputFormat& muxer, const Stream& stream);
    /// Writes the header; leaves no file where that fails. Errors: (usage) the container does not take this
    /// codec; those of writing.
    [[nodiscard]] static Result<std::unique_ptr<MediaOutput>>
    create(const AVOutputFormat& muxer, std::unique_ptr<AvOutput> output, const Stream& stream);

    /// What a receiver of RTP has to know beforehand, as SDP. Errors: (system) no memory.
    [[nodiscard]] Result<std::string> description() const;
    /// Takes the packet's contents. Errors: those of writing.
    [[nodiscard]] Status write(AVPacket& packet);
    /// The container's end, also after an error: then as much of it as can be had. Errors: those of writing.
    [[nodiscard]] Status finish();

    [[nodiscard]] const std::string& name() const noexcept { return output_->name(); }
    /// Bytes so far; where the muxer has the connection, without what it adds.
    [[nodiscard]] std::uint64_t size() const noexcept { return connects_ ? packet_bytes_ : output_->size(); }

private:
    MediaOutput(AvMuxer context, std::unique_ptr<AvOutput> output, AVRational time_base)
        : output_(std::move(output)), context_(std::move(context)), time_base_(time_base),
          connects_((context_->oformat->flags & AVFMT_NOFILE) != 0) {}

    std::unique_ptr<AvOutput> output_;
    AvMuxer context_; ///< goes before what it writes to
    AVRational time_base_;
    bool connects_;
    bool failed_ = false;
    std::optional<std::int64_t> last_dts_;
    std::uint64_t packet_bytes_ = 0;
};

} // namespace v4l2dma
