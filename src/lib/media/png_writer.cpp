// SPDX-License-Identifier: MIT
#include "media/png_writer.h"

#include "base/atomic_file.h"
#include "media/ffmpeg.h"

namespace v4l2dma {

Result<std::unique_ptr<FrameWriter>> PngWriter::create(const FrameWriterSettings& settings,
                                                       OutputFiles& files) {
    if (settings.format && *settings.format != FourCC("RGB3"))
        return make_error(ErrorKind::usage, "--output-format", settings.format->text(),
                          "a PNG has red, green and blue", "Leave it away");
    if (Status status = load_ffmpeg(); !status)
        return std::unexpected(std::move(status.error()));
    const Result<FrameFormat> rgb =
        tight_format(FourCC("RGB3"), settings.width.value_or(settings.source.width),
                     settings.height.value_or(settings.source.height));
    if (!rgb)
        return std::unexpected(rgb.error());
    Result<FrameCopier> copier = FrameCopier::create(settings.source, *rgb, {.full_chroma = true});
    if (!copier)
        return std::unexpected(std::move(copier.error()));
    Result<Mapping> pixels = Mapping::anonymous(rgb->sizeimage(), real_system());
    if (!pixels)
        return std::unexpected(std::move(pixels.error()));
    Result<PngEncoder> encoder = PngEncoder::create(rgb->width, rgb->height);
    if (!encoder)
        return std::unexpected(std::move(encoder.error()));
    std::unique_ptr<PngWriter> writer(
        new PngWriter(*rgb, std::move(*copier), std::move(*pixels), std::move(*encoder), files));
    writer->converts_ = settings.source.fourcc != rgb->fourcc || settings.source.width != rgb->width ||
                        settings.source.height != rgb->height;
    return writer;
}

Result<FrameWritten> PngWriter::write(const FrameToWrite& frame) {
    const std::span<std::byte> target = pixels_.bytes().first(rgb_.sizeimage());
    const Result<std::uint64_t> copied = copier_.run(frame.planes, {&target, 1});
    if (!copied)
        return bad_or_failed(copied.error());
    const Result<std::span<const std::byte>> png = encoder_.encode(target);
    if (!png)
        return std::unexpected(png.error());
    Status status = files_.check_next();
    if (status)
        status = write_file_atomically(files_.next_name(), *png);
    if (!status)
        return std::unexpected(std::move(status.error()));
    files_.skip();
    ++summary_.files;
    ++summary_.frames;
    summary_.bytes += png->size();
    summary_.container = summary_.codec = "png";
    summary_.duration = frame.time;
    return FrameWritten{.copied_bytes = *copied};
}

} // namespace v4l2dma
