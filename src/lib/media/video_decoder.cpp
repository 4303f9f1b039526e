// SPDX-License-Identifier: MIT
#include "media/video_decoder.h"

#include "media/av_format.h"

#include <algorithm>
#include <array>

namespace v4l2dma {

namespace {

constexpr std::size_t alignment = 64; // of rows: the longest vector there is

// Decoders that keep to a picture's rows if its sides are whole blocks, as was measured with memory that
// nobody may touch behind it (FFmpeg 5.1; tests/unit/flow/media_source_test.cpp). Others may want margins.
// Two fields in a picture have blocks of their own, twice as high: MPEG-2 and MJPEG do not tell in advance
// that there are two, H.264 does. HEVC's deblocking works in twice its blocks.
struct Codec {
    AVCodecID id;
    std::uint32_t width;       ///< of a block, pixels
    std::uint32_t height;      ///< likewise
    std::uint32_t rows_beyond; ///< that are read after the last one: motion compensation looks there
};
constexpr std::array codecs{
    Codec{AV_CODEC_ID_H264, 16, 16, 3},       Codec{AV_CODEC_ID_HEVC, 8, 16, 3},
    Codec{AV_CODEC_ID_MPEG1VIDEO, 16, 16, 3}, Codec{AV_CODEC_ID_MPEG2VIDEO, 16, 32, 3},
    Codec{AV_CODEC_ID_MPEG4, 16, 16, 3},      Codec{AV_CODEC_ID_MJPEG, 16, 32, 0},
    Codec{AV_CODEC_ID_VP8, 16, 16, 3},        Codec{AV_CODEC_ID_FFV1, 1, 1, 0},
    Codec{AV_CODEC_ID_PNG, 1, 1, 0},
};

const Codec* find_codec(AVCodecID id) {
    const auto* entry = std::ranges::find(codecs, id, &Codec::id);
    return entry == codecs.end() ? nullptr : entry;
}

/// Each component plane in memory of its own, where more rows than are shown disturb nobody.
bool is_apart(const FrameFormat& format) {
    const PixelFormat* const entry = find_pixel_format(format.fourcc);
    return entry != nullptr && entry->apart;
}

/// Rows of a picture that memory of this format should have room for.
std::uint32_t rows_in(const FrameFormat& format, const Codec& codec) {
    return is_apart(format) ? (format.height + codec.height - 1) / codec.height * codec.height
                            : format.height;
}

/// Rows of a component plane when the picture has @p rows.
std::size_t plane_rows(const PlaneLayout& plane, const FrameFormat& format, std::uint32_t rows) {
    return (std::size_t{plane.rows} * rows + format.height - 1) / format.height;
}

/// Whether a plane's rows begin and end where a decoder wants them to, with room for what it reads beyond.
bool suits(std::uintptr_t begin, std::size_t stride, std::size_t rows, std::size_t room) {
    return begin % alignment == 0 && stride % alignment == 0 && room >= stride * rows;
}

} // namespace

Result<std::unique_ptr<VideoDecoder>> VideoDecoder::create(const AVCodec* codec,
                                                           const AVCodecParameters& parameters,
                                                           AVRational time_base,
                                                           const DecodingDevice* device) {
    constexpr int kept_pictures = 32; // VIDEO_MAX_FRAME: as many as a device can have at once
    std::unique_ptr<VideoDecoder> decoder(new VideoDecoder);
    int result = 0;
    Result<AvCodec> context =
        open_av_codec(codec, ffmpeg().avcodec_get_name(parameters.codec_id), [&](AVCodecContext& settings) {
            result = ffmpeg().avcodec_parameters_to_context(&settings, &parameters);
            settings.thread_count = 0; // as many as there are processors
            settings.max_pixels = max_decoded_pixels;
            settings.pkt_timebase = time_base;
            settings.opaque = decoder.get();
            settings.get_buffer2 = get_buffer;
            if (device != nullptr) {
                decoder->device_format_ = device->pixel_format();
                device->attach(settings, kept_pictures);
                settings.get_format = choose_format;
            }
#if LIBAVCODEC_VERSION_MAJOR < 60 // later ones always call it from any thread
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
            settings.thread_safe_callbacks = 1;
#pragma GCC diagnostic pop
#endif
        });
    if (!context)
        return std::unexpected(std::move(context.error()));
    if (result < 0)
        return av_error("decode", codec->name, result);
    decoder->context_ = std::move(*context);
    return decoder;
}

void VideoDecoder::set_target(DecodeTarget& target, const FrameFormat& format) {
    pixel_format_ = av_pixel_format(format.fourcc);
    width_ = static_cast<int>(format.width);
    height_ = static_cast<int>(format.height);
    rows_ = static_cast<int>(rows_in(format, *find_codec(context_->codec_id)));
    target_ = &target;
}

bool VideoDecoder::can_use_target(const AVCodec& codec, const FrameFormat& format) noexcept {
    const Codec* const entry = find_codec(codec.id);
    const Result<Layout> layout = layout_of(format);
    if (entry == nullptr || &codec != ffmpeg().avcodec_find_decoder(codec.id) || // others were not measured
        (codec.capabilities & AV_CODEC_CAP_DR1) == 0 || !layout)
        return false;
    const std::uint32_t rows = rows_in(format, *entry);
    if (format.width % entry->width != 0 || rows % entry->height != 0)
        return false;
    return std::ranges::all_of(
        std::span(layout->planes).first(layout->plane_count), [&](const PlaneLayout& plane) {
            const std::size_t memory = round_up_to_page(format.planes[plane.memory_plane].sizeimage);
            return suits(plane.offset, plane.stride, plane_rows(plane, format, rows) + entry->rows_beyond,
                         memory - plane.offset);
        });
}

void VideoDecoder::make_room(const AVCodec& codec, FrameFormat& format) noexcept {
    const Codec* const entry = find_codec(codec.id);
    const Result<Layout> layout = layout_of(format);
    if (entry == nullptr || !layout || !is_apart(format))
        return;
    for (const PlaneLayout& plane : std::span(layout->planes).first(layout->plane_count)) {
        const std::size_t rows = plane_rows(plane, format, rows_in(format, *entry)) + entry->rows_beyond;
        std::uint32_t& sizeimage = format.planes[plane.memory_plane].sizeimage;
        sizeimage = std::max(sizeimage, static_cast<std::uint32_t>(plane.stride * rows));
    }
}

std::uint32_t VideoDecoder::kept_pictures() const noexcept {
    const int threads = (context_->active_thread_type & FF_THREAD_FRAME) != 0 ? context_->thread_count : 1;
    return static_cast<std::uint32_t>(std::max(context_->refs, 1) + std::max(context_->has_b_frames, 0) +
                                      std::max(threads, 1));
}

Result<VideoDecoder::Sent> VideoDecoder::send(const AVPacket* packet) {
    const int result = ffmpeg().avcodec_send_packet(context_.get(), packet);
    if (result == AVERROR(EAGAIN))
        return Sent::full;
    if (result == AVERROR(ENOMEM))
        return std::unexpected(av_error("decode", context_->codec->name, result));
    return result >= 0 || result == AVERROR_EOF ? Sent::taken : Sent::bad;
}

Result<VideoDecoder::Received> VideoDecoder::receive(AVFrame& frame) {
    ffmpeg().av_frame_unref(&frame);
    const int result = ffmpeg().avcodec_receive_frame(context_.get(), &frame);
    if (result >= 0)
        return (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame.decode_error_flags != 0
                   ? Received::bad
                   : Received::picture;
    if (result == AVERROR(EAGAIN))
        return Received::nothing;
    if (result == AVERROR_EOF)
        return Received::end;
    if (result == AVERROR(ENOMEM))
        return std::unexpected(av_error("decode", context_->codec->name, result));
    return Received::bad;
}

void VideoDecoder::flush() noexcept {
    ffmpeg().avcodec_flush_buffers(context_.get());
}

AVPixelFormat VideoDecoder::choose_format(AVCodecContext* context, const AVPixelFormat* offered) noexcept {
    const AVPixelFormat wanted = static_cast<VideoDecoder*>(context->opaque)->device_format_;
    for (const AVPixelFormat* format = offered; *format != AV_PIX_FMT_NONE; ++format)
        if (*format == wanted)
            return wanted;
    return ffmpeg().avcodec_default_get_format(context, offered);
}

int VideoDecoder::get_buffer(AVCodecContext* context, AVFrame* frame, int flags) noexcept {
    auto* const self = static_cast<VideoDecoder*>(context->opaque);
    if (self->target_ != nullptr && self->offer_place(*frame))
        return 0;
    return ffmpeg().avcodec_default_get_buffer2(context, frame, flags);
}

namespace {

bool suits(const DecodeTarget::Place& place, AVPixelFormat pixel_format, int height,
           std::uint32_t rows_beyond) {
    const AVPixFmtDescriptor& descriptor = *ffmpeg().av_pix_fmt_desc_get(pixel_format);
    for (std::size_t i = 0; i < place.rows.size() && place.rows[i].begin != nullptr; ++i) {
        const int shift = i > 0 ? descriptor.log2_chroma_h : 0;
        const auto count = static_cast<std::size_t>(-((-height) >> shift));
        if (!suits(reinterpret_cast<std::uintptr_t>(place.rows[i].begin), place.rows[i].stride,
                   count + rows_beyond, place.room[i]))
            return false;
    }
    return true;
}

} // namespace

// What the decoder asks for are coded sides: with whole blocks, which may be more than is shown.
bool VideoDecoder::offer_place(AVFrame& frame) noexcept {
    if (without_range(static_cast<AVPixelFormat>(frame.format)) != pixel_format_ || frame.width != width_ ||
        frame.height < height_ || frame.height > rows_)
        return false;
    const std::optional<DecodeTarget::Place> place = target_->acquire();
    if (!place)
        return false;
    const Codec* const entry = find_codec(context_->codec_id); // only such ones have a target
    const bool fits = entry != nullptr && suits(*place, pixel_format_, rows_, entry->rows_beyond);
    if (fits)
        return lend(*target_, *place, frame);
    target_->release(place->index);
    return false;
}

} // namespace v4l2dma
