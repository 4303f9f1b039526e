// SPDX-License-Identifier: MIT
#include "media/frame_writer.h"

#include "media/copying_writer.h"
#include "media/encoder_choice.h"
#include "media/encoding_writer.h"
#include "media/jpeg_decoder.h"
#include "media/png_writer.h"
#include "media/raw_writer.h"

namespace v4l2dma {

namespace {

constexpr std::string_view copy = "copy";

/// What makes no sense where nothing is encoded.
Status check_unencoded(const FrameWriterSettings& settings) {
    const ExportWishes& wishes = settings.wishes;
    const std::string container(settings.target.container());
    const bool own_codec = !wishes.codec || *wishes.codec == copy || *wishes.codec == container ||
                           (*wishes.codec == "rawvideo" && settings.target.kind != ExportKind::png);
    if (!own_codec)
        return make_error(ErrorKind::usage, "--codec", *wishes.codec, container + " has no codecs",
                          "Choose another file name or --container, for example mkv");
    if (wishes.bitrate || wishes.preset)
        return make_error(ErrorKind::usage, wishes.bitrate ? "--bitrate" : "--preset", container,
                          "nothing is encoded for it", "Leave it away");
    return {};
}

/// Whether frames are to go into the container as the packets that they are.
Result<bool> wants_copy(const FrameWriterSettings& settings) {
    const AVCodecID codec = codec_of_packets(settings.source.fourcc);
    const ExportWishes& wishes = settings.wishes;
    const bool changed = settings.format || settings.width || settings.height;
    if (!wishes.codec)
        return codec != AV_CODEC_ID_NONE && !changed && !wishes.bitrate && !wishes.preset &&
               (av_still_codec(settings.source.fourcc) == AV_CODEC_ID_NONE ||
                holds(*settings.target.muxer, codec) != Holding::no);
    if (*wishes.codec != copy)
        return false;
    if (codec == AV_CODEC_ID_NONE)
        return make_error(ErrorKind::usage, "--codec", copy, settings.source.text() + " is not compressed",
                          "--codec rawvideo or ffv1 keeps every bit");
    if (changed)
        return make_error(ErrorKind::usage, "--codec", copy, "the frames stay as they are",
                          "Leave --output-format, --output-width and --output-height away");
    return true;
}

} // namespace

Result<FrameWritten> bad_or_failed(const Error& error) {
    if (is_bad_picture(error))
        return FrameWritten{.bad = true};
    return std::unexpected(error);
}

bool can_be_written(const FrameWriterSettings& settings) {
    const AVCodecID codec = codec_of_packets(settings.source.fourcc);
    const bool decoded = av_still_codec(settings.source.fourcc) != AV_CODEC_ID_NONE;
    if (codec == AV_CODEC_ID_NONE || decoded || settings.wishes.codec == copy ||
        settings.target.kind == ExportKind::raw)
        return true;
    if (settings.target.kind != ExportKind::container)
        return false;
    const Result<bool> copied = wants_copy(settings);
    return copied && *copied && CopyingWriter::check(settings);
}

Result<std::unique_ptr<FrameWriter>> make_frame_writer(const FrameWriterSettings& settings,
                                                       OutputFiles* files) {
    if (settings.target.kind != ExportKind::container) {
        if (Status status = check_unencoded(settings); !status)
            return std::unexpected(std::move(status.error()));
        return settings.target.kind == ExportKind::png ? PngWriter::create(settings, *files)
                                                       : RawWriter::create(settings, *files);
    }
    const Result<bool> copied = wants_copy(settings);
    if (!copied)
        return std::unexpected(copied.error());
    return *copied ? CopyingWriter::create(settings, files) : EncodingWriter::create(settings, files);
}

} // namespace v4l2dma
