// SPDX-License-Identifier: MIT
#pragma once

#include "media/cuts.h"
#include "media/frame_writer.h"
#include "media/media_output.h"

#include <memory>
#include <optional>

namespace v4l2dma {

struct FreeAvParameters {
    void operator()(AVCodecParameters* parameters) const noexcept {
        ffmpeg().avcodec_parameters_free(&parameters);
    }
};
using AvParameters = std::unique_ptr<AVCodecParameters, FreeAvParameters>;

/// Empty ones. Errors: (system) no memory.
[[nodiscard]] Result<AvParameters> make_av_parameters();

/// Brings packets of one stream into a file, or into one after the other. One thread.
class PacketWriter {
public:
    struct Stream {
        AvParameters parameters;
        AVRational time_base{}; ///< of the packets
        AVRational rate{};      ///< frames a second, as far as is known
        bool intra_only = false;
    };

    /// Connects where the target is a URL. @p files: borrowed; not for a URL. Errors: those of
    /// AvOutput::of_url().
    [[nodiscard]] static Result<PacketWriter> create(const FrameWriterSettings& settings, OutputFiles* files);

    [[nodiscard]] const AVOutputFormat& muxer() const noexcept { return *target_.muxer; }
    /// Before the first packet.
    void begin(Stream stream) { stream_.emplace(std::move(stream)); }
    /// Whether a new file shall begin with the frame of this time: it must be a key frame.
    [[nodiscard]] bool wants_key(std::chrono::microseconds time) { return keys_.due(time); }
    /// Takes the packet's contents. Errors: those of MediaOutput, and of OutputFile::open().
    [[nodiscard]] Status write(AVPacket& packet);
    /// Errors: those of MediaOutput::finish().
    [[nodiscard]] Status finish();
    /// All but codec and duration.
    [[nodiscard]] ExportSummary summary() const;

private:
    PacketWriter(const FrameWriterSettings& settings, OutputFiles* files)
        : target_(settings.target), properties_(settings.properties), files_(files),
          keys_(settings.wishes.segment), cuts_(settings.wishes.segment) {}
    [[nodiscard]] Status open();
    [[nodiscard]] Status describe(const std::string& name) const;
    [[nodiscard]] Status close();
    [[nodiscard]] Status cut_if_due(const AVPacket& packet);

    ExportTarget target_;
    StreamProperties properties_;
    OutputFiles* files_;
    std::unique_ptr<AvOutput> connection_; ///< of a URL, until the first packet
    std::optional<Stream> stream_;
    std::unique_ptr<MediaOutput> output_;
    Cuts keys_;              ///< of frames, which an encoder holds back
    Cuts cuts_;              ///< of packets
    std::int64_t begin_ = 0; ///< of the file, in the packets' time base
    std::uint64_t frames_ = 0;
    std::uint64_t closed_bytes_ = 0; ///< of the files before
    unsigned opened_ = 0;
};

} // namespace v4l2dma
