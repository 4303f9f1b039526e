// SPDX-License-Identifier: MIT
#include "media/encoding_writer.h"

#include "format/likeness.h"
#include "format/pixel_format.h"
#include "media/encoder_choice.h"
#include "media/network.h"

#include <algorithm>
#include <cmath>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

// So much is lost at most where a stream is entered; so long waits who begins to watch a live one.
constexpr std::chrono::seconds key_interval{2};
constexpr std::chrono::seconds live_key_interval{1};

/// Pictures whose colours change their kind get those that players expect of this size.
FrameFormat coloured(FrameFormat format, AVPixelFormat source, AVPixelFormat target) {
    if (is_rgb(source) == is_rgb(target))
        return format;
    const bool rgb = is_rgb(target);
    format.colorimetry = to_colorimetry(
        {.matrix = rgb ? AVCOL_SPC_RGB : AVCOL_SPC_UNSPECIFIED, .range = AVCOL_RANGE_UNSPECIFIED},
        format.height, rgb);
    return format;
}

/// The format in the file, without regard to its fourcc.
FrameFormat sized(const FrameWriterSettings& settings) {
    FrameFormat format = settings.source;
    format.width = settings.width.value_or(format.width);
    format.height = settings.height.value_or(format.height);
    return format;
}

AVPixelFormat wished_pixels(const FrameWriterSettings& settings) {
    if (settings.format)
        return av_pixel_format(*settings.format);
    const AVPixelFormat own = av_pixel_format(settings.source.fourcc);
    return own != AV_PIX_FMT_NONE ? own : AV_PIX_FMT_YUVJ422P; // what cameras' JPEGs are
}

Status check_source(const FrameWriterSettings& settings) {
    const FourCC fourcc = settings.source.fourcc;
    const PixelFormat* entry = find_pixel_format(fourcc);
    if (av_pixel_format(fourcc) != AV_PIX_FMT_NONE || av_still_codec(fourcc) != AV_CODEC_ID_NONE)
        return {};
    if (entry != nullptr && entry->compressed())
        return make_error(ErrorKind::unsupported, "encode", settings.source.text(),
                          "of compressed frames only JPEG is decoded", "--codec copy takes them as they are");
    return make_error(ErrorKind::unsupported, "encode", settings.source.text(),
                      "FFmpeg does not know these pixels", "A file .raw takes them");
}

std::unexpected<Error> refused_format(FourCC wished, const AVCodec& codec, AVPixelFormat nearest) {
    const std::optional<FourCC> fourcc = find_fourcc(without_range(nearest));
    const std::string name =
        fourcc ? fourcc->text() : fmt::format("FFmpeg's {}", ffmpeg().av_get_pix_fmt_name(nearest));
    return make_error(
        ErrorKind::usage, "--output-format", wished.text(), fmt::format("{} does not take it", codec.name),
        av_pixel_format(wished) == AV_PIX_FMT_NONE ? "Only uncompressed frames are encoded"
                                                   : fmt::format("The nearest that it takes is {}", name));
}

AVColorRange range_of(const ScalerSide& side) {
    return side.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

void give_back(void* opaque, std::uint8_t*) {
    delete static_cast<std::shared_ptr<const void>*>(opaque);
}

/// What encoder and container refuse, before frames come; the rate makes no difference to that.
Status try_out(const VideoEncoder::Settings& settings, const ExportTarget& target) {
    if (!VideoEncoder::may_stay_unused(*settings.codec))
        return {};
    const Result<VideoEncoder> encoder = VideoEncoder::open(settings);
    if (!encoder)
        return std::unexpected(encoder.error());
    Result<AvParameters> parameters = make_av_parameters();
    if (!parameters)
        return std::unexpected(std::move(parameters.error()));
    if (ffmpeg().avcodec_parameters_from_context(parameters->get(), &encoder->context()) < 0)
        return system_error("encode", settings.codec->name, ENOMEM);
    if (target.url) // some containers ask the connection
        return {};
    return MediaOutput::check(*target.muxer, {.parameters = parameters->get(),
                                              .time_base = encoder->time_base(),
                                              .rate = encoder->context().framerate,
                                              .aspect = settings.aspect,
                                              .intra_only = encoder->intra_only()});
}

} // namespace

/// All but the rate.
Result<VideoEncoder::Settings> EncodingWriter::settle(const FrameWriterSettings& settings,
                                                      const AVOutputFormat& muxer) {
    const Result<const AVCodec*> codec = choose_encoder(muxer, settings.wishes);
    if (!codec)
        return std::unexpected(codec.error());
    const AVPixelFormat wished = wished_pixels(settings);
    const FrameFormat size = sized(settings);
    const AVPixelFormat pixels = choose_pixels(**codec, wished, size.width, size.height);
    if (pixels == AV_PIX_FMT_NONE)
        return make_error(ErrorKind::unsupported, "codec", (*codec)->name, "it takes no pictures in memory");
    if (settings.format && pixels != wished)
        return refused_format(*settings.format, **codec, pixels);
    return VideoEncoder::Settings{.codec = *codec,
                                  .pixel_format = pixels,
                                  .width = size.width,
                                  .height = size.height,
                                  .aspect = settings.properties.aspect,
                                  .constant_rate = !MediaOutput::has_times(muxer),
                                  .global_header = (muxer.flags & AVFMT_GLOBALHEADER) != 0,
                                  .live = is_network(settings.target.name),
                                  .bitrate = settings.wishes.bitrate,
                                  .preset = settings.wishes.preset};
}

Result<std::unique_ptr<FrameWriter>> EncodingWriter::create(const FrameWriterSettings& settings,
                                                            OutputFiles* files) {
    if (Status status = check_source(settings); !status)
        return std::unexpected(std::move(status.error()));
    Result<VideoEncoder::Settings> settled = settle(settings, *settings.target.muxer);
    if (!settled)
        return std::unexpected(std::move(settled.error()));
    Result<PictureReader> reader = PictureReader::create(settings.source, settings.source.text());
    if (!reader)
        return std::unexpected(std::move(reader.error()));
    if (reader->side().pixel_format != settled->pixel_format && reader->can_split())
        if (Status status = reader->split(); !status)
            return std::unexpected(std::move(status.error()));
    if (Status status = try_out(*settled, settings.target); !status)
        return std::unexpected(std::move(status.error()));
    Result<PacketWriter> packets = PacketWriter::create(settings, files);
    Result<AvPacket> packet = make_av_packet();
    if (!packets || !packet)
        return std::unexpected(packets ? packet.error() : packets.error());
    std::unique_ptr<EncodingWriter> writer(new EncodingWriter(std::move(*reader), std::move(*packets)));
    writer->packet_ = std::move(*packet);
    writer->object_ = fmt::format("{} for {}", settings.source.text(), settled->codec->name);
    writer->settings_ = *settled;
    writer->urgency_ = settings.file.urgency;
    const AVPixelFormat source =
        writer->reader_.decodes() ? AV_PIX_FMT_YUVJ422P : writer->reader_.side().pixel_format;
    FrameFormat tagged = coloured(sized(settings), source, settled->pixel_format);
    writer->to_ = scaler_side(tagged, settled->pixel_format);
    if (settled->codec->id == AV_CODEC_ID_MJPEG)
        writer->to_.full_range = true;
    // to_av_colours() asks the fourcc whether pixels are red, green and blue.
    tagged.fourcc = find_fourcc(settled->pixel_format)
                        .value_or(is_rgb(settled->pixel_format) ? FourCC("RGB3") : FourCC("YU12"));
    writer->settings_.colours = to_av_colours(tagged);
    writer->settings_.colours.range = range_of(writer->to_);
    writer->describe(settings.source, settings.format || settings.width || settings.height);
    if (!writer->same_pixels() && !writer->reader_.decodes())
        if (Status status = writer->prepare_scaler(); !status)
            return std::unexpected(std::move(status.error()));
    return writer;
}

/// What the user is told of a conversion, and of its bytes.
void EncodingWriter::describe(const FrameFormat& source, bool wished) {
    format_wished_ = wished;
    const bool same = same_pixels() && !reader_.splits();
    if (same && VideoEncoder::keeps_to_rows(*settings_.codec))
        return;
    const int size = ffmpeg().av_image_get_buffer_size(to_.pixel_format, static_cast<int>(to_.width),
                                                       static_cast<int>(to_.height), 1);
    copied_bytes_ = static_cast<std::uint64_t>(std::max(size, 0));
    if (same)
        return;
    FrameFormat to = source;
    to.width = to_.width;
    to.height = to_.height;
    to.fourcc = find_fourcc(to_.pixel_format).value_or(source.fourcc);
    converted_ = to;
}

std::string EncodingWriter::conversion_reason() const {
    return format_wished_ ? "it was asked for"
                          : fmt::format("{} takes {}", settings_.codec->name,
                                        ffmpeg().av_get_pix_fmt_name(settings_.pixel_format));
}

Status EncodingWriter::begin(const Beginning& beginning) {
    most_borrowed_ = beginning.most_borrowed;
    settings_.most_borrowed = beginning.most_borrowed;
    constexpr int finest = 1001'000;
    settings_.rate = ffmpeg().av_d2q(beginning.rate, finest);
    Result<VideoEncoder> encoder = VideoEncoder::open(settings_);
    if (!encoder)
        return std::unexpected(std::move(encoder.error()));
    encoder_.emplace(std::move(*encoder));
    Result<AvFrame> lent = make_av_frame();
    if (!lent)
        return std::unexpected(std::move(lent.error()));
    lent_ = std::move(*lent);
    return {};
}

Status EncodingWriter::prepare_scaler() {
    if (scaler_ && scaler_from_ == reader_.side())
        return {};
    scaler_.reset();
    Result<Scaler> scaler = Scaler::create(reader_.side(), to_, {}, object_);
    if (!scaler)
        return std::unexpected(std::move(scaler.error()));
    scaler_ = std::move(*scaler);
    scaler_from_ = reader_.side();
    return {};
}

/// One of those that may be kept goes round whatever the encoder keeps: some give the last picture back only
/// for another one.
bool EncodingWriter::may_borrow() const noexcept {
    return !reader_.decodes() && !reader_.splits() && VideoEncoder::keeps_to_rows(*settings_.codec) &&
           borrowed_->load() + 1 < most_borrowed_;
}

Result<EncodingWriter::Ready> EncodingWriter::get_ready(const FrameToWrite& frame) {
    std::uint64_t bytes = 0;
    const bool same = same_pixels(); // JPEGs say so after the first
    const Result<const AVFrame*> picture = reader_.read(frame.planes, same, bytes);
    if (!picture)
        return std::unexpected(picture.error());
    if (same_pixels() && may_borrow())
        return borrow(**picture, frame);
    Result<AVFrame*> own = own_picture();
    if (!own)
        return std::unexpected(std::move(own.error()));
    Status status;
    if (!same_pixels())
        status = prepare_scaler();
    if (!status)
        return std::unexpected(std::move(status.error()));
    if (same_pixels()) {
        if (const int result = ffmpeg().av_frame_copy(*own, *picture); result < 0)
            return av_error("encode", packets_.muxer().name, result);
    } else if (status = scaler_->run(**picture, **own); !status) {
        return std::unexpected(std::move(status.error()));
    }
    return Ready{.picture = *own, .bytes = bytes + picture_bytes(**own)};
}

Result<EncodingWriter::Ready> EncodingWriter::borrow(const AVFrame& picture, const FrameToWrite& frame) {
    static std::uint8_t nobody_reads_this = 0;
    struct Loan {
        Loan(std::shared_ptr<const void> owner, std::shared_ptr<std::atomic<unsigned>> count)
            : owner_(std::move(owner)), count_(std::move(count)) {
            ++*count_;
        }
        Loan(const Loan&) = delete;
        Loan& operator=(const Loan&) = delete;
        ~Loan() { --*count_; }

    private:
        std::shared_ptr<const void> owner_;
        std::shared_ptr<std::atomic<unsigned>> count_;
    };
    auto loan = std::make_unique<std::shared_ptr<const void>>(std::make_shared<Loan>(frame.owner, borrowed_));
    lent_->buf[0] = ffmpeg().av_buffer_create(&nobody_reads_this, 1, give_back, loan.get(), 0);
    if (lent_->buf[0] == nullptr)
        return system_error("encode", "", ENOMEM);
    (void)loan.release(); // give_back() has it
    std::ranges::copy(picture.data, lent_->data);
    std::ranges::copy(picture.linesize, lent_->linesize);
    lent_->format = picture.format;
    lent_->width = picture.width;
    lent_->height = picture.height;
    return Ready{.picture = lent_.get()};
}

/// One that the encoder is done with.
Result<AVFrame*> EncodingWriter::own_picture() {
    for (const AvFrame& picture : pictures_)
        if (ffmpeg().av_frame_is_writable(picture.get()) != 0)
            return picture.get();
    Result<AvFrame> picture = make_av_frame();
    if (!picture)
        return std::unexpected(std::move(picture.error()));
    (*picture)->format = to_.pixel_format;
    (*picture)->width = static_cast<int>(to_.width);
    (*picture)->height = static_cast<int>(to_.height);
    if (ffmpeg().av_frame_get_buffer(picture->get(), 0) < 0)
        return system_error("encode", "", ENOMEM);
    return pictures_.emplace_back(std::move(*picture)).get();
}

bool EncodingWriter::wants_key(std::chrono::microseconds time) {
    const bool cut = packets_.wants_key(time);
    if (last_key_ && !cut && time - *last_key_ < (settings_.live ? live_key_interval : key_interval))
        return false;
    last_key_ = time;
    return true;
}

Result<FrameWritten> EncodingWriter::write(const FrameToWrite& frame) {
    Result<Ready> ready = get_ready(frame);
    if (!ready)
        return bad_or_failed(ready.error());
    AVFrame& picture = *ready->picture;
    picture.color_primaries = settings_.colours.primaries;
    picture.color_trc = settings_.colours.transfer;
    picture.colorspace = settings_.colours.matrix;
    picture.color_range = settings_.colours.range;
    picture.sample_aspect_ratio = to_av(settings_.aspect);
    Status status = encoder_->send(picture, frame.time, wants_key(frame.time));
    if (&picture == lent_.get())
        ffmpeg().av_frame_unref(lent_.get());
    if (status)
        status = drain();
    if (!status)
        return std::unexpected(std::move(status.error()));
    return FrameWritten{.copied_bytes = ready->bytes};
}

/// Some encoders know what the header says only once a packet is there.
Status EncodingWriter::start_stream() {
    stream_started_ = true;
    Result<AvParameters> parameters = make_av_parameters();
    if (!parameters)
        return std::unexpected(std::move(parameters.error()));
    if (ffmpeg().avcodec_parameters_from_context(parameters->get(), &encoder_->context()) < 0)
        return system_error("encode", settings_.codec->name, ENOMEM);
    packets_.begin({.parameters = std::move(*parameters),
                    .time_base = encoder_->time_base(),
                    .rate = encoder_->context().framerate,
                    .intra_only = encoder_->intra_only()});
    return {};
}

Status EncodingWriter::drain() {
    while (!given_up()) {
        const Result<bool> ready = encoder_->receive(*packet_);
        if (!ready)
            return std::unexpected(ready.error());
        if (!*ready)
            return {};
        Status status = stream_started_ ? Status{} : start_stream();
        const std::int64_t time = packet_->pts;
        if (status)
            status = packets_.write(*packet_);
        ffmpeg().av_packet_unref(packet_.get());
        if (!status)
            return status;
        last_time_ = std::max(last_time_, encoder_->time_of(time));
        got_on();
    }
    return {};
}

bool EncodingWriter::given_up() const noexcept {
    return urgency_ != nullptr && urgency_->given_up();
}

Status EncodingWriter::finish(bool whole) {
    Status status;
    if (whole && encoder_)
        status = encoder_->end();
    if (whole && encoder_ && status)
        status = drain();
    const Status finished = packets_.finish();
    encoder_.reset(); // what it has of the source's memory goes back
    return status ? finished : status;
}

ExportSummary EncodingWriter::summary() const {
    ExportSummary summary = packets_.summary();
    summary.codec = settings_.codec->name;
    summary.duration = last_time_;
    return summary;
}

} // namespace v4l2dma
