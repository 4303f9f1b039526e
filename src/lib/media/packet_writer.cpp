// SPDX-License-Identifier: MIT
#include "media/packet_writer.h"

#include "base/atomic_file.h"
#include "base/open_output.h"

namespace v4l2dma {

Result<AvParameters> make_av_parameters() {
    AvParameters parameters(ffmpeg().avcodec_parameters_alloc());
    if (!parameters)
        return system_error("codec", "", ENOMEM);
    return parameters;
}

Result<PacketWriter> PacketWriter::create(const FrameWriterSettings& settings, OutputFiles* files) {
    PacketWriter writer(settings, files);
    if (!settings.target.url)
        return writer;
    Result<std::unique_ptr<AvOutput>> connection =
        AvOutput::of_url(settings.target.name, *settings.target.muxer,
                         {.urgency = settings.file.urgency, .to_connect = settings.wishes.patience});
    if (!connection)
        return std::unexpected(std::move(connection.error()));
    writer.connection_ = std::move(*connection);
    return writer;
}

Status PacketWriter::open() {
    if (!connection_) {
        if (files_ == nullptr)
            return make_error(ErrorKind::system, "write", target_.name, "the stream to it has ended");
        Result<OutputFile> file = files_->next();
        if (!file)
            return std::unexpected(std::move(file.error()));
        Result<std::unique_ptr<AvOutput>> output = AvOutput::of_file(std::move(*file));
        if (!output)
            return std::unexpected(std::move(output.error()));
        connection_ = std::move(*output);
    }
    Result<std::unique_ptr<MediaOutput>> output =
        MediaOutput::create(*target_.muxer, std::move(connection_),
                            {.parameters = stream_->parameters.get(),
                             .time_base = stream_->time_base,
                             .rate = stream_->rate,
                             .aspect = properties_.aspect,
                             .display_matrix = properties_.display_matrix,
                             .intra_only = stream_->intra_only});
    if (!output)
        return std::unexpected(std::move(output.error()));
    output_ = std::move(*output);
    ++opened_;
    return target_.sdp ? describe(*target_.sdp) : Status{};
}

// That there was none, or that it may be overwritten, was found out at the beginning.
Status PacketWriter::describe(const std::string& name) const {
    const Result<std::string> text = output_->description();
    if (!text)
        return std::unexpected(text.error());
    const auto bytes = std::as_bytes(std::span(*text));
    return name == "-" ? write_bytes(STDOUT_FILENO, bytes, "standard output", reader_patience)
                       : write_file_atomically(name, bytes);
}

Status PacketWriter::close() {
    if (!output_)
        return {};
    Status status = output_->finish();
    closed_bytes_ += output_->size();
    output_.reset();
    return status;
}

// Each file's times begin with 0: it is to be played alone.
Status PacketWriter::cut_if_due(const AVPacket& packet) {
    if ((packet.flags & AV_PKT_FLAG_KEY) == 0)
        return {};
    const std::chrono::microseconds time(
        ffmpeg().av_rescale_q(packet.pts, stream_->time_base, av_microseconds));
    if (!cuts_.due(time))
        return {};
    begin_ = packet.pts;
    return close();
}

Status PacketWriter::write(AVPacket& packet) {
    if (Status status = cut_if_due(packet); !status)
        return status;
    if (!output_)
        if (Status status = open(); !status)
            return status;
    packet.pts -= begin_;
    packet.dts -= begin_;
    if (Status status = output_->write(packet); !status)
        return status;
    ++frames_;
    return {};
}

Status PacketWriter::finish() {
    return close();
}

ExportSummary PacketWriter::summary() const {
    return {.container = target_.muxer->name,
            .codec = {},
            .frames = frames_,
            .bytes = closed_bytes_ + (output_ ? output_->size() : 0),
            .files = opened_};
}

} // namespace v4l2dma
