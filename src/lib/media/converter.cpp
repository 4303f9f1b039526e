// SPDX-License-Identifier: MIT
#include "media/converter.h"

#include "format/pixel_format.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

enum class Direction { from, to };

bool is_jpeg(FourCC fourcc) {
    return av_still_codec(fourcc) != AV_CODEC_ID_NONE;
}

bool convertible(FourCC fourcc, Direction direction) {
    const AvFormat* format = find_av_format(fourcc);
    if (direction == Direction::to)
        return format != nullptr && ffmpeg().sws_isSupportedOutput(format->pixel_format) != 0;
    return is_jpeg(fourcc) || (format != nullptr && ffmpeg().sws_isSupportedInput(format->pixel_format) != 0);
}

/// Formats that would do, those with a similar name first.
std::string convertible_near(FourCC fourcc, Direction direction) {
    constexpr std::size_t enough = 4;
    std::vector<FourCC> candidates = similar_formats(fourcc.text(), pixel_formats().size());
    for (const FourCC common : {FourCC("NV12"), FourCC("YUYV"), FourCC("YU12"), FourCC("XR24")})
        if (std::ranges::find(candidates, common) == candidates.end())
            candidates.push_back(common);
    std::erase_if(candidates, [&](FourCC candidate) { return !convertible(candidate, direction); });
    candidates.resize(std::min(candidates.size(), enough));
    std::string names;
    for (const FourCC candidate : candidates)
        names += (names.empty() ? "" : ", ") + candidate.text();
    return names;
}

Status check(const FrameFormat& format, Direction direction) {
    if (!convertible(format.fourcc, direction))
        return make_error(ErrorKind::unsupported, "convert", format.text(),
                          direction == Direction::from ? "FFmpeg cannot convert from this format"
                                                       : "FFmpeg cannot convert to this format",
                          fmt::format("It can with {}", convertible_near(format.fourcc, direction)));
    for (const std::uint32_t size : {format.width, format.height})
        if (size == 0 || size > Converter::max_size)
            return make_error(ErrorKind::usage, "convert", format.text(),
                              fmt::format("a side must have 1 to {} pixels", Converter::max_size));
    return {};
}

} // namespace

Result<Converter> Converter::create(const FrameFormat& from, const FrameFormat& to,
                                    const ConvertOptions& options) {
    if (Status status = load_ffmpeg(); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = check(from, Direction::from); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = check(to, Direction::to); !status)
        return std::unexpected(std::move(status.error()));
    const std::string object = fmt::format("{} to {}", from.text(), to.text());
    Result<PictureWriter> writer = PictureWriter::create(to, options, object);
    if (!writer)
        return std::unexpected(std::move(writer.error()));
    Result<PictureReader> reader = PictureReader::create(from, object);
    if (!reader)
        return std::unexpected(std::move(reader.error()));
    if (!reader->decodes() && !writer->only_copies(reader->side()))
        if (Status status = writer->prepare(reader->side()); !status)
            return std::unexpected(std::move(status.error()));
    return Converter(std::move(*reader), std::move(*writer));
}

Result<std::uint64_t> Converter::run(ConstPlanes from, Planes to) {
    std::uint64_t bytes = 0;
    const Result<const AVFrame*> picture = reader_.read(from, writer_.only_copies(reader_.side()), bytes);
    if (!picture)
        return std::unexpected(picture.error());
    const Result<std::uint64_t> written = writer_.run(**picture, reader_.side(), to);
    if (!written)
        return written;
    return bytes + *written;
}

} // namespace v4l2dma
