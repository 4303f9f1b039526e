// SPDX-License-Identifier: MIT
#include "media/film.h"

#include "media/av_format.h"

#include <algorithm>
#include <cmath>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

constexpr microseconds usual_step{40'000};
// What is further away from the picture before is no pause but another clock.
constexpr microseconds longest_pause = std::chrono::hours(1);
constexpr microseconds longest_pause_of_broadcasts = std::chrono::seconds(10);

void drop_old_name(AVFrame& frame) {
    const auto format = static_cast<AVPixelFormat>(frame.format);
    const AVPixelFormat plain = without_range(format);
    if (plain == format)
        return;
    frame.format = plain;
    frame.color_range = AVCOL_RANGE_JPEG;
}

} // namespace

Result<std::unique_ptr<Film>> Film::open(const std::string& name, const FilmWishes& wishes) {
    std::unique_ptr<Film> film(new Film(wishes));
    if (const std::optional<microseconds> patience = wishes.playback.patience)
        film->interrupt_.set_deadline(std::chrono::steady_clock::now() + *patience);
    if (Status status = film->open_input(name); !status)
        return std::unexpected(std::move(status.error()));
    film->codec_ = film->input_->decoder();
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
        Result<DecodingDevice> device = DecodingDevice::open(*wish, *codec_);
        if (!device)
            return std::unexpected(std::move(device.error()));
        device_.emplace(std::move(*device));
    }
    Result<std::unique_ptr<VideoDecoder>> decoder =
        VideoDecoder::create(codec_, *stream.codecpar, stream.time_base, device_ ? &*device_ : nullptr);
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
    const bool by_number = input_->container() == "yuv4mpegpipe"; // where FFmpeg takes all headers for alike
    if (wishes_.playback.seek && !by_number)
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
            return status && reads_raw() && wishes_.playback.seek ? look_there() : status;
        seekable_ = false; // what its server promised, it does not do
        first_ = std::move(*picture);
        return turn_upright(*first_);
    }
    if (failure_)
        return std::unexpected(*failure_);
    if (wishes_.playback.seek)
        return no_picture_there();
    return make_error(ErrorKind::device, "open", input_->name(), "no picture in it can be decoded");
}

std::unexpected<Error> Film::no_picture_there() const {
    return make_error(ErrorKind::usage, "--seek", fmt::format("{:g}", *wishes_.playback.seek),
                      fmt::format("{} has no picture there", input_->name()));
}

// The first picture was one from the beginning.
Status Film::look_there() {
    const Result<RawReader::Next> next = raw_->next();
    if (!next)
        return std::unexpected(next.error());
    return next->outcome == RawReader::Outcome::end ? Status(no_picture_there()) : rewind();
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
        VideoDecoder::make_room(*codec_, format);
}

bool Film::decodes_into(const FrameFormat& format) const {
    if (raw_)
        return !turner_ && raw_->fits(format);
    const bool has_room = decodes_no_higher_ || find_pixel_format(format.fourcc)->apart;
    return !turner_ && !shape_.in_device && decodes_no_wider_ && has_room &&
           av_pixel_format(format.fourcc) == shape_.pixel_format && format.width == shape_.width &&
           format.height == shape_.height && VideoDecoder::can_use_target(*codec_, format);
}

Result<std::optional<FilmPicture>> Film::next() {
    if (first_ && packets_)
        begin_packets();
    if (first_) {
        looked_at_.clear();
        given_out_ = true;
        return std::exchange(first_, std::nullopt);
    }
    while (true) {
        Result<std::optional<FilmPicture>> picture = next_of_round();
        given_out_ = given_out_ || (picture && *picture);
        if (!picture || *picture)
            return picture;
        if (failure_)
            return std::unexpected(*std::exchange(failure_, std::nullopt));
        if (!given_out_)
            return make_error(ErrorKind::system, "read", input_->name(),
                              "it had a picture, which cannot be read again");
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
    place_ = -step();
    if (!input_->seekable() && begin_.count() > 0)
        return {}; // FFmpeg would skip pictures before it finds that out
    // As Matroska that begins before time 0: no index reaches what has no time.
    const bool from_its_beginning =
        begins_untimed_ && input_->is_local() && (begin_.count() == 0 || !packets_);
    const bool anew = std::exchange(interrupted_, false) || from_its_beginning;
    Status status = anew ? open_input(std::string(input_->name())) : Status{};
    if (status && !from_its_beginning) {
        status = input_->seek(begin_);
        if (status && begin_.count() > 0)
            place_.reset(); // until a picture tells
    }
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
        if (!decoder_) // it went with another path's memory
            if (Status status = open_decoder(); !status)
                return std::unexpected(std::move(status.error()));
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
        begins_untimed_ |=
            *there && looking_ && packet_->pts == AV_NOPTS_VALUE && packet_->dts == AV_NOPTS_VALUE;
        hides_pictures_ |= *there && looking_ && (packet_->flags & AV_PKT_FLAG_DISCARD) != 0;
        if (*there && looking_ && !input_->is_local() && !wishes_.playback.seek && packet_format())
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

// Pictures without times are counted, from the last one with a time or the beginning on.
bool Film::is_before_begin(std::int64_t timestamp) {
    if (!wishes_.playback.seek)
        return false;
    if (timestamp != AV_NOPTS_VALUE) {
        place_ = microseconds(to_microseconds(timestamp) - to_microseconds(input_->timestamp_at({})));
        return timestamp < input_->timestamp_at(begin_);
    }
    if (place_)
        *place_ += step();
    return place_ && *place_ < begin_;
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

// As many pictures as a decoder holds back. What goes back further is another clock: a broadcast that was
// cut.
microseconds Film::longest_overlap() const noexcept {
    return (input_->stream().codecpar->video_delay + 1) * step();
}

std::int64_t Film::to_microseconds(std::int64_t timestamp) const {
    constexpr std::int64_t most = INT64_MAX / 4; // no sum of two is too large
    return std::clamp(ffmpeg().av_rescale_q(timestamp, input_->stream().time_base, av_microseconds), -most,
                      most);
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
        if (packets_ && reorders_ && last_ && time <= *last_ && *last_ - time < longest_overlap())
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
