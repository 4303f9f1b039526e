// SPDX-License-Identifier: MIT
#include "media/film.h"

#include "media/av_colorimetry.h"
#include "media/av_format.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

constexpr AVRational micro{1, 1'000'000};
constexpr microseconds usual_step{40'000};
// What is further away from the picture before is no pause but another clock.
constexpr microseconds longest_pause = std::chrono::hours(1);
constexpr microseconds longest_pause_of_broadcasts = std::chrono::seconds(10);
constexpr microseconds longest_overlap = std::chrono::seconds(1);

// Packets of other codecs are in no pixel format, or need what a container says beside them.
struct PacketFormat {
    AVCodecID codec;
    FourCC fourcc;
    const char* converter; ///< FFmpeg's filter to how devices have them, nullptr: they are so
};
constexpr PacketFormat packet_formats[] = {
    {AV_CODEC_ID_MJPEG, FourCC("MJPG"), nullptr},
    {AV_CODEC_ID_H264, FourCC("H264"), "h264_mp4toannexb"},
    {AV_CODEC_ID_HEVC, FourCC("HEVC"), "hevc_mp4toannexb"},
    {AV_CODEC_ID_MPEG2VIDEO, FourCC("MPG2"), nullptr},
    {AV_CODEC_ID_VP8, FourCC("VP80"), nullptr},
    {AV_CODEC_ID_VP9, FourCC("VP90"), nullptr},
};

const PacketFormat* find_packet_format(AVCodecID codec) {
    const auto* entry = std::ranges::find(packet_formats, codec, &PacketFormat::codec);
    return entry == std::end(packet_formats) ? nullptr : entry;
}

void drop_old_name(AVFrame& frame) {
    const auto format = static_cast<AVPixelFormat>(frame.format);
    const AVPixelFormat plain = without_range(format);
    if (plain == format)
        return;
    frame.format = plain;
    frame.color_range = AVCOL_RANGE_JPEG;
}

using DisplayMatrix = std::array<std::int32_t, 9>;

std::optional<DisplayMatrix> matrix_in(const std::uint8_t* data, std::size_t size) {
    DisplayMatrix matrix{};
    if (data == nullptr || size < sizeof matrix)
        return std::nullopt;
    std::memcpy(matrix.data(), data, sizeof matrix);
    return matrix;
}

std::optional<DisplayMatrix> matrix_of(const AVStream& stream, const AVFrame& frame) {
    if (const AVFrameSideData* data = ffmpeg().av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX))
        if (const std::optional<DisplayMatrix> matrix = matrix_in(data->data, data->size))
            return matrix;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    const AVPacketSideData* const all = stream.codecpar->coded_side_data;
    const int count = stream.codecpar->nb_coded_side_data;
#else
    const AVPacketSideData* const all = stream.side_data;
    const int count = stream.nb_side_data;
#endif
    for (int i = 0; i < count; ++i)
        if (all[i].type == AV_PKT_DATA_DISPLAYMATRIX)
            return matrix_in(all[i].data, all[i].size);
    return std::nullopt;
}

/// Widens, or heightens, pictures whose pixels are not square: so nothing is lost. What nobody would have
/// made is taken for an error.
void make_square(FilmShape& shape, AVRational aspect) {
    constexpr double most = 8;
    if (aspect.num <= 0 || aspect.den <= 0 || aspect.num == aspect.den)
        return;
    const double ratio = static_cast<double>(aspect.num) / aspect.den;
    if (ratio > most || ratio < 1 / most)
        return;
    const std::uint32_t width = ratio > 1 ? even(shape.width * ratio) : shape.width;
    const std::uint32_t height = ratio < 1 ? even(shape.height / ratio) : shape.height;
    if (std::max(width, height) > max_converted_size)
        return;
    shape.shown_width = width;
    shape.shown_height = height;
}

std::uint32_t field_of(const AVFrame& frame) {
    if (frame.interlaced_frame == 0)
        return V4L2_FIELD_NONE;
    return frame.top_field_first != 0 ? V4L2_FIELD_INTERLACED_TB : V4L2_FIELD_INTERLACED_BT;
}

bool shows_rgb(AVPixelFormat format) {
    const AVPixFmtDescriptor* descriptor = ffmpeg().av_pix_fmt_desc_get(format);
    return is_rgb(format) || (descriptor != nullptr && (descriptor->flags & AV_PIX_FMT_FLAG_PAL) != 0);
}

} // namespace

std::uint32_t even(double pixels) {
    return std::max(2U, static_cast<std::uint32_t>(std::lround(pixels / 2)) * 2);
}

Result<std::unique_ptr<Film>> Film::open(const std::string& name, const FilmWishes& wishes) {
    std::unique_ptr<Film> film(new Film(wishes));
    if (const std::optional<microseconds> patience = wishes.playback.patience)
        film->interrupt_.set_deadline(std::chrono::steady_clock::now() + *patience);
    if (Status status = film->open_input(name); !status)
        return std::unexpected(std::move(status.error()));
    film->seekable_ = film->input_->seekable();
    film->length_ = film->find_length();
    if (wishes.playback.loop && !film->seekable_)
        return make_error(ErrorKind::usage, "--loop", name, "it cannot be begun again",
                          "Only files can; leave --loop away");
    if (Status status = film->open_decoder(); !status)
        return std::unexpected(std::move(status.error()));
    Result<AvPacket> packet = make_av_packet();
    if (!packet)
        return std::unexpected(std::move(packet.error()));
    film->packet_ = std::move(*packet);
    film->looking_ = true;
    if (Status status = film->look(); !status)
        return std::unexpected(std::move(status.error()));
    film->looking_ = false;
    if (film->seekable_)
        film->looked_at_.clear();
    film->interrupt_.set_deadline(std::nullopt);
    return film;
}

Status Film::open_input(const std::string& name) {
    MediaInputWishes wishes = wishes_.input;
    wishes.container = wishes_.playback.container;
    wishes.decoder = wishes_.playback.decoder;
    Result<std::unique_ptr<MediaInput>> input = MediaInput::open(name, wishes, interrupt_);
    if (!input)
        return std::unexpected(std::move(input.error()));
    input_ = std::move(*input);
    const AvFormat* const raw =
        wishes.fourcc && input_->container() == "rawvideo" ? find_av_format(*wishes.fourcc) : nullptr;
    raw_swapped_ = raw != nullptr && raw->swapped;
    return {};
}

Status Film::open_decoder() {
    const AVStream& stream = input_->stream();
    if (const std::optional<std::string>& wish = wishes_.playback.hwaccel; wish && !device_) {
        Result<DecodingDevice> device = DecodingDevice::open(*wish, *input_->decoder());
        if (!device)
            return std::unexpected(std::move(device.error()));
        device_.emplace(std::move(*device));
    }
    Result<std::unique_ptr<VideoDecoder>> decoder = VideoDecoder::create(
        input_->decoder(), *stream.codecpar, stream.time_base, device_ ? &*device_ : nullptr);
    if (!decoder)
        return std::unexpected(std::move(decoder.error()));
    decoder_ = std::move(*decoder);
    return {};
}

void Film::decode_into(DecodeTarget& target, const FrameFormat& format) {
    target_ = &target;
    target_format_ = format;
    if (raw_)
        raw_->read_into(&target);
}

void Film::leave_target() noexcept {
    target_ = nullptr;
    decoder_.reset();
    if (raw_)
        raw_->read_into(nullptr);
}

void Film::leave_target(FilmPicture& picture) noexcept {
    if (!picture.frame)
        return;
    Result<AvFrame> copy = copy_of(*picture.frame);
    picture.bad = !copy;
    picture.frame = copy ? std::move(*copy) : nullptr;
}

// The first picture says what its file may not: pixels, size, orientation.
Status Film::look() {
    constexpr unsigned enough = 1000; // bad ones: then it is none that can be decoded
    if (wishes_.playback.seek)
        if (Status status = begin_round(); !status)
            return status;
    for (unsigned i = 0; i < enough; ++i) {
        Result<std::optional<FilmPicture>> picture = next_of_round();
        if (!picture)
            return std::unexpected(std::move(picture.error()));
        if (!*picture)
            break;
        if ((*picture)->bad)
            continue;
        if (Status status = find_shape(*(*picture)->frame); !status)
            return status;
        raw_ = RawReader::open(*input_, *packet_, raw_swapped_);
        if (Status status = seekable_ ? rewind() : Status{}; seekable_ && (status || input_->is_local()))
            return status;
        seekable_ = false; // what its server promised, it does not do
        first_ = std::move(*picture);
        return turn_upright(*first_);
    }
    if (failure_)
        return std::unexpected(*failure_);
    if (wishes_.playback.seek)
        return make_error(ErrorKind::usage, "--seek", fmt::format("{:g}", *wishes_.playback.seek),
                          fmt::format("{} has no picture there", input_->name()));
    return make_error(ErrorKind::device, "open", input_->name(), "no picture in it can be decoded");
}

Status Film::find_shape(const AVFrame& frame) {
    kept_pictures_ = decoder_->kept_pictures();
    decodes_no_wider_ = decoder_->decodes_no_wider();
    decodes_no_higher_ = decoder_->decodes_no_higher();
    reorders_ = decoder_->reorders() || input_->stream().codecpar->video_delay > 0;
    if (Status status = find_device_layout(frame); !status)
        return status;
    shape_.pixel_format = pixels_of(frame);
    shape_.width = static_cast<std::uint32_t>(frame.width);
    shape_.height = static_cast<std::uint32_t>(frame.height);
    shape_.colorimetry = to_colorimetry({.primaries = frame.color_primaries,
                                         .transfer = frame.color_trc,
                                         .matrix = frame.colorspace,
                                         .range = frame.color_range},
                                        shape_.height, shows_rgb(shape_.pixel_format));
    shape_.field = field_of(frame);
    return find_orientation(frame);
}

Status Film::find_orientation(const AVFrame& frame) {
    AVRational aspect = input_->pixel_aspect();
    if (aspect.num > 0 && aspect.den > 0)
        shape_.aspect = {.width = static_cast<std::uint32_t>(aspect.num),
                         .height = static_cast<std::uint32_t>(aspect.den)};
    shape_.display_matrix = matrix_of(input_->stream(), frame);
    const std::optional<Turn> turn =
        shape_.display_matrix && !wishes_.playback.keep_pixels
            ? turn_of(*reinterpret_cast<const std::int32_t(*)[9]>(shape_.display_matrix->data()))
            : std::nullopt;
    if (turn) {
        if (Status status = make_turner(*turn, frame); !status)
            return status;
        if (*turn == Turn::clockwise || *turn == Turn::counterclockwise) {
            std::swap(shape_.width, shape_.height);
            std::swap(aspect.num, aspect.den);
        }
    }
    shape_.shown_width = shape_.width;
    shape_.shown_height = shape_.height;
    if (!wishes_.playback.keep_pixels)
        make_square(shape_, aspect);
    return {};
}

Status Film::find_device_layout(const AVFrame& frame) {
    shape_.in_device = is_in_device(frame);
    if (device_ && !shape_.in_device)
        return make_error(ErrorKind::unsupported, "--hwaccel", *wishes_.playback.hwaccel,
                          fmt::format("it does not decode {}", input_->name()),
                          "Leave --hwaccel away to decode by the CPU");
    if (!shape_.in_device)
        return {};
    const Result<AvFrame> drm = export_as_drm(frame);
    device_layout_ = drm ? layout_of_drm(**drm) : std::unexpected(drm.error());
    return {};
}

Status Film::make_turner(Turn turn, const AVFrame& frame) {
    const Result<AvFrame> mapped = shape_.in_device ? map_device_picture(frame) : Result<AvFrame>(AvFrame());
    if (!mapped)
        return std::unexpected(mapped.error());
    Result<PictureTurner> turner = PictureTurner::create(turn, *mapped ? **mapped : frame);
    if (!turner)
        return std::unexpected(std::move(turner.error()));
    turner_.emplace(std::move(*turner));
    shape_.turned = true;
    return {};
}

std::optional<FourCC> Film::packet_format() const {
    const PacketFormat* entry = find_packet_format(input_->stream().codecpar->codec_id);
    return entry == nullptr ? std::nullopt : std::optional(entry->fourcc);
}

std::optional<microseconds> Film::find_length() const {
    const std::optional<microseconds> duration = input_->duration();
    if (wishes_.playback.loop || !duration)
        return std::nullopt;
    const microseconds left = *duration - begin_;
    return left.count() > 0 ? std::optional(left) : std::nullopt;
}

void Film::make_room(FrameFormat& format) const {
    if (av_pixel_format(format.fourcc) == shape_.pixel_format && format.height == shape_.height)
        VideoDecoder::make_room(*input_->decoder(), format);
}

bool Film::decodes_into(const FrameFormat& format) const {
    if (raw_)
        return !turner_ && raw_->fits(format);
    const bool has_room = decodes_no_higher_ || find_pixel_format(format.fourcc)->apart;
    return !turner_ && !shape_.in_device && decodes_no_wider_ && has_room &&
           av_pixel_format(format.fourcc) == shape_.pixel_format && format.width == shape_.width &&
           format.height == shape_.height && VideoDecoder::can_use_target(*input_->decoder(), format);
}

Status Film::play_packets(bool wanted) {
    packets_ = wanted;
    converter_.reset();
    const AVStream& stream = input_->stream();
    const PacketFormat* const entry = find_packet_format(stream.codecpar->codec_id);
    if (!wanted || entry == nullptr || entry->converter == nullptr)
        return {};
    AVBSFContext* context = nullptr;
    int result = ffmpeg().av_bsf_alloc(ffmpeg().av_bsf_get_by_name(entry->converter), &context);
    converter_.reset(context);
    if (result >= 0)
        result = ffmpeg().avcodec_parameters_copy(converter_->par_in, stream.codecpar);
    if (result >= 0) {
        converter_->time_base_in = stream.time_base;
        result = ffmpeg().av_bsf_init(converter_.get());
    }
    return result < 0 ? Status(av_error("convert packets of", input_->name(), result)) : Status{};
}

Result<std::optional<FilmPicture>> Film::next() {
    if (first_ && packets_)
        begin_packets();
    if (first_) {
        looked_at_.clear();
        return std::exchange(first_, std::nullopt);
    }
    while (true) {
        Result<std::optional<FilmPicture>> picture = next_of_round();
        if (!picture || *picture)
            return picture;
        if (failure_)
            return std::unexpected(*std::exchange(failure_, std::nullopt));
        if (!wishes_.playback.loop || in_round_ == 0)
            return std::nullopt;
        if (Status status = begin_round(); !status)
            return std::unexpected(std::move(status.error()));
    }
}

Status Film::rewind() {
    last_.reset();
    last_step_.reset();
    return begin_round();
}

// Where a seek is not possible, opening it anew does the same.
Status Film::begin_round() {
    zero_.reset();
    in_round_ = 0;
    at_end_ = false;
    if (reads_raw()) {
        raw_->seek(input_->timestamp_at(begin_));
        return {};
    }
    if (Status status = begin_again(); !status)
        return status;
    packet_waits_ = false;
    bad_packet_ = false;
    failure_.reset();
    if (converter_)
        ffmpeg().av_bsf_flush(converter_.get());
    if (!decoder_) {
        if (Status status = open_decoder(); !status)
            return status;
    } else {
        decoder_->flush();
    }
    if (target_ != nullptr)
        decoder_->set_target(*target_, target_format_);
    return {};
}

Status Film::begin_again() {
    if (!input_->seekable() && begin_.count() > 0)
        return {}; // FFmpeg would skip pictures before it finds that out
    Status status = std::exchange(interrupted_, false) ? open_input(std::string(input_->name())) : Status{};
    if (status)
        status = input_->seek(begin_);
    if (!status && input_->is_local() && status.error().code != ECANCELED)
        status = open_input(std::string(input_->name()));
    return status || begin_.count() == 0 ? status : Status{}; // reading on to the place does it, too
}

Result<std::optional<FilmPicture>> Film::next_of_round() {
    Result<std::optional<FilmPicture>> picture = packets_      ? next_packet()
                                                 : reads_raw() ? next_read()
                                                               : next_decoded();
    if (picture && *picture && !(*picture)->bad)
        ++in_round_;
    return picture;
}

FilmPicture Film::bad_picture() const {
    FilmPicture bad;
    bad.bad = true;
    bad.time = last_.value_or(microseconds(0));
    return bad;
}

Result<std::optional<FilmPicture>> Film::next_read() {
    if (at_end_)
        return std::nullopt;
    const std::int64_t number = raw_->number();
    Result<RawReader::Next> next = raw_->next();
    if (!next)
        return std::unexpected(std::move(next.error()));
    at_end_ = next->outcome != RawReader::Outcome::picture;
    if (next->outcome == RawReader::Outcome::end)
        return std::nullopt;
    if (next->outcome == RawReader::Outcome::bad)
        return bad_picture();
    FilmPicture picture;
    picture.time = time_of(number);
    picture.frame = std::move(next->picture);
    picture.copied_bytes = next->copied_bytes;
    return picture;
}

Result<std::optional<FilmPicture>> Film::next_decoded() {
    while (true) {
        Result<AvFrame> frame = make_av_frame();
        if (!frame)
            return std::unexpected(std::move(frame.error()));
        const Result<VideoDecoder::Received> received = decoder_->receive(**frame);
        if (!received)
            return std::unexpected(received.error());
        if (*received == VideoDecoder::Received::end)
            return std::nullopt;
        if (*received == VideoDecoder::Received::nothing)
            if (Status status = feed(); !status)
                return std::unexpected(std::move(status.error()));
        if (*received == VideoDecoder::Received::bad || std::exchange(bad_packet_, false))
            return bad_picture();
        if (*received == VideoDecoder::Received::picture && !is_before_begin((*frame)->best_effort_timestamp))
            return finish(std::move(*frame));
    }
}

// One packet for the decoder, or the word that there are no more.
Status Film::feed() {
    if (!packet_waits_) {
        const Result<bool> there = read_packet();
        if (!there)
            return std::unexpected(there.error());
        at_end_ = !*there;
    }
    const Result<VideoDecoder::Sent> sent = decoder_->send(at_end_ ? nullptr : packet_.get());
    if (!sent)
        return std::unexpected(sent.error());
    packet_waits_ = *sent == VideoDecoder::Sent::full;
    bad_packet_ = *sent == VideoDecoder::Sent::bad;
    return {};
}

// What cannot be read on ends the film; what the decoder has of it comes first.
Result<bool> Film::read_packet() {
    if (packets_ && !looked_at_.empty()) {
        ffmpeg().av_packet_unref(packet_.get());
        ffmpeg().av_packet_move_ref(packet_.get(), looked_at_.front().get());
        looked_at_.pop_front();
        return true;
    }
    if (at_end_)
        return false;
    Result<bool> there = input_->read(*packet_);
    if (there) {
        untimed_packets_ |= *there && packet_->pts == AV_NOPTS_VALUE;
        if (*there && looking_ && !input_->is_local())
            if (Status status = keep_for_packets(); !status)
                return std::unexpected(std::move(status.error()));
        return there;
    }
    interrupted_ = there.error().code == ECANCELED;
    if (interrupted_)
        return there;
    failure_ = std::move(there.error());
    return false;
}

Status Film::keep_for_packets() {
    Result<AvPacket> kept = make_av_packet();
    if (!kept)
        return std::unexpected(std::move(kept.error()));
    if (ffmpeg().av_packet_ref(kept->get(), packet_.get()) < 0)
        return system_error("packet", "", ENOMEM);
    looked_at_.push_back(std::move(*kept));
    return {};
}

// The picture that was looked at is in them.
void Film::begin_packets() {
    first_.reset();
    zero_.reset();
    last_.reset();
    last_step_.reset();
    in_round_ = 0;
}

Result<std::optional<FilmPicture>> Film::next_packet() {
    const Result<bool> there = converter_ ? read_converted() : read_packet();
    if (!there)
        return std::unexpected(there.error());
    if (!*there)
        return std::nullopt;
    Result<AvPacket> packet = make_av_packet();
    if (!packet)
        return std::unexpected(std::move(packet.error()));
    FilmPicture picture;
    // In the order of decoding: pictures' own times would go back and forth.
    picture.time = time_of(decode_timestamp(*packet_));
    if (zero_ && packet_->pts != AV_NOPTS_VALUE)
        picture.shown = std::max(picture.time, microseconds(to_microseconds(packet_->pts) - *zero_));
    picture.bad = (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0;
    ffmpeg().av_packet_move_ref(packet->get(), packet_.get());
    picture.packet = std::move(*packet);
    return picture;
}

Result<bool> Film::read_converted() {
    while (true) {
        const int result = ffmpeg().av_bsf_receive_packet(converter_.get(), packet_.get());
        if (result >= 0)
            return true;
        if (result == AVERROR_EOF)
            return false;
        const Result<bool> there = read_packet();
        if (!there)
            return there;
        at_end_ = !*there;
        // What it cannot convert is left out.
        static_cast<void>(ffmpeg().av_bsf_send_packet(converter_.get(), *there ? packet_.get() : nullptr));
    }
}

bool Film::is_before_begin(std::int64_t timestamp) const {
    return wishes_.playback.seek && timestamp != AV_NOPTS_VALUE && timestamp < input_->timestamp_at(begin_);
}

Result<std::optional<FilmPicture>> Film::finish(AvFrame frame) {
    drop_old_name(*frame);
    if (raw_swapped_) {
        std::swap(frame->data[1], frame->data[2]);
        std::swap(frame->linesize[1], frame->linesize[2]);
    }
    FilmPicture picture;
    picture.time = time_of(frame->best_effort_timestamp);
    picture.frame = std::move(frame);
    if (Status status = turn_upright(picture); !status)
        return std::unexpected(std::move(status.error()));
    return picture;
}

Status Film::turn_upright(FilmPicture& picture) {
    if (!turner_)
        return {};
    if (is_in_device(*picture.frame)) {
        Result<AvFrame> mapped = map_device_picture(*picture.frame);
        if (!mapped)
            return std::unexpected(std::move(mapped.error()));
        picture.frame = std::move(*mapped);
    }
    Result<AvFrame> turned = turner_->run(std::move(picture.frame));
    if (!turned)
        return std::unexpected(std::move(turned.error()));
    picture.frame = std::move(*turned);
    return {};
}

microseconds Film::step() const noexcept {
    if (last_step_)
        return *last_step_;
    return input_->interval().value_or(usual_step);
}

// Demuxers that know only when pictures are shown leave the time of decoding away at the beginning: it is as
// many pictures earlier as the decoder holds back.
std::int64_t Film::decode_timestamp(const AVPacket& packet) const {
    if (packet.dts != AV_NOPTS_VALUE || packet.pts == AV_NOPTS_VALUE)
        return packet.dts;
    if (!reorders_)
        return packet.pts;
    if (zero_)
        return AV_NOPTS_VALUE; // the next one
    const AVStream& stream = input_->stream();
    const std::int64_t delay = stream.codecpar->video_delay * step().count();
    return packet.pts - ffmpeg().av_rescale_q(delay, micro, stream.time_base);
}

std::int64_t Film::to_microseconds(std::int64_t timestamp) const {
    constexpr std::int64_t most = INT64_MAX / 4; // no sum of two is too large
    return std::clamp(ffmpeg().av_rescale_q(timestamp, input_->stream().time_base, micro), -most, most);
}

// The film's own times, put one round after the other; where they make no sense the film goes on at its rate.
microseconds Film::time_of(std::int64_t timestamp) {
    const microseconds expected = last_ ? *last_ + step() : microseconds(0);
    microseconds time = expected;
    if (wishes_.input.fps) {
        if (last_)
            time = *last_ + microseconds(std::llround(1e6 / *wishes_.input.fps));
    } else if (timestamp != AV_NOPTS_VALUE) {
        const std::int64_t now = to_microseconds(timestamp);
        if (!zero_)
            zero_ = now - expected.count();
        time = microseconds(now - *zero_);
        // Times of decoding that FFmpeg worked out may meet; when pictures are shown stays true.
        if (packets_ && reorders_ && last_ && time <= *last_ && *last_ - time < longest_overlap)
            time = *last_ + microseconds(1);
        const microseconds pause = input_->is_discontinuous() ? longest_pause_of_broadcasts : longest_pause;
        if (last_ && (time <= *last_ || time > *last_ + pause)) {
            zero_ = now - expected.count();
            time = expected;
        }
    }
    if (last_ && time > *last_)
        last_step_ = time - *last_;
    last_ = time;
    return time;
}

} // namespace v4l2dma
