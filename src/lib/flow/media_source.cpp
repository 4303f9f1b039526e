// SPDX-License-Identifier: MIT
#include "flow/media_source.h"

#include "base/log.h"
#include "media/av_colorimetry.h"

#include <algorithm>
#include <cstring>
#include <linux/videodev2.h>
#include <spdlog/fmt/fmt.h>
#include <sys/timerfd.h>
#include <utility>

namespace v4l2dma {

namespace {

using std::chrono::microseconds;

// What is later than this is not caught up with.
constexpr microseconds most_late = std::chrono::seconds(1);

} // namespace

Result<std::unique_ptr<MediaSource>> MediaSource::open(std::string_view name, const CaptureWishes& wishes,
                                                       System& system) {
    if (!wishes.controls.empty())
        return make_error(ErrorKind::usage, "--set", wishes.controls.front(),
                          fmt::format("{} is a film and has no controls", name), "Leave --set away");
    std::unique_ptr<MediaSource> source(new MediaSource(std::string(name), wishes, system));
    if (Status status = source->set_up(); !status)
        return std::unexpected(std::move(status.error()));
    return source;
}

Status MediaSource::set_up() {
    timer_ = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!timer_)
        return system_error("timerfd_create", name_);
    FilmWishes wishes{.playback = wishes_.playback,
                      .input = {.width = wishes_.width, .height = wishes_.height, .fps = wishes_.fps}};
    if (wishes_.format) {
        const Result<FourCC> fourcc = resolve_format(*wishes_.format);
        if (!fourcc)
            return std::unexpected(fourcc.error());
        wished_ = wishes.input.fourcc = *fourcc;
    }
    Result<std::unique_ptr<Film>> film = Film::open(name_, wishes);
    if (!film)
        return std::unexpected(std::move(film.error()));
    film_ = std::move(*film);
    reader_ = std::make_unique<FilmReader>(*film_, [this] { arm(microseconds(1)); });
    return choose_format();
}

std::string MediaSource::why_not(MemoryRole role) const {
    if (role == MemoryRole::touches)
        return {};
    if (role != MemoryRole::exports || !film_->shape().in_device)
        return "a film has no buffers: it is decoded into the sink's";
    if (!film_->device_layout())
        return film_->device_layout().error().message();
    const std::optional<FrameFormat> as_it_is = device_format();
    return as_it_is && format_.same_layout(*as_it_is)
               ? ""
               : fmt::format("{} is not how its pictures are in memory", format_.text());
}

bool MediaSource::decodes_into_sink() const {
    return !is_packets() && (film_->seekable() || film_->resumes()) && film_->decodes_into(format_);
}

unsigned MediaSource::copies(MemoryRole role) const {
    const bool in_place = decodes_into_sink() && !film_->resumes(); // whose first picture is copied
    return role == MemoryRole::exports || in_place ? 0 : 1;
}

std::uint32_t MediaSource::extra_buffers() const noexcept {
    constexpr std::uint32_t for_copies = 1; // FilmSlots never gives it to the decoder
    return decodes_into_sink() ? FilmReader::ahead + film_->kept_pictures() + for_copies : 0;
}

// With all buffers at the sink pictures would be decoded elsewhere, and copied as soon as one came back:
// waiting for one costs no more time. But some outputs give none back before they have a few.
void MediaSource::hold_back() noexcept {
    constexpr std::uint32_t least_out = 4;
    const auto buffers = static_cast<std::uint32_t>(memory_.size());
    if (direct_ && buffers >= extra_buffers() + least_out)
        most_out_ = buffers - extra_buffers();
}

std::uint32_t MediaSource::still_allowed_out() const noexcept {
    const auto here = static_cast<std::uint32_t>(std::ranges::count(out_, Out::no));
    const std::uint32_t out = static_cast<std::uint32_t>(out_.size()) - here;
    return most_out_ > out ? most_out_ - out : 0;
}

Result<std::span<BufferMemory>> MediaSource::provide(MemoryRole role, std::uint32_t count) {
    if (std::string reason = why_not(role); !reason.empty())
        return make_error(ErrorKind::unsupported, "allocate", name_, std::move(reason));
    device_frames_.set(count);
    memory_ = device_frames_.memory();
    held_.resize(count);
    out_.assign(count, Out::no);
    most_out_ = count;
    exports_ = true;
    return memory_;
}

// What can neither be begun again nor resumed is not decoded into memory that another path would have to do
// without.
Status MediaSource::use(MemoryRole, std::span<BufferMemory> memory) {
    if (Status status = slots_.set(memory, format_); !status)
        return status;
    memory_ = memory;
    held_.resize(memory.size());
    out_.assign(memory.size(), Out::no);
    most_out_ = static_cast<std::uint32_t>(memory.size());
    direct_ = decodes_into_sink();
    if (direct_) {
        film_->decode_into(slots_, format_);
        if (film_->seekable())
            reader_->forget(); // what was decoded elsewhere
    }
    return {};
}

Status MediaSource::start() {
    reader_->start();
    arm(microseconds(1));
    return {};
}

// On time, or at once for what is past. 0 is never.
void MediaSource::arm(microseconds due) noexcept {
    constexpr std::int64_t second = 1'000'000;
    const itimerspec setting{
        .it_interval = {},
        .it_value = {.tv_sec = due.count() / second, .tv_nsec = due.count() % second * 1000}};
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

// The reader tells when something comes into its empty queue; what came between our two looks is seen by the
// second.
void MediaSource::arm_for_next() noexcept {
    if (reader_->next() == FilmReader::Next::nothing_yet)
        arm(microseconds(0));
    switch (reader_->next()) {
    case FilmReader::Next::nothing_yet:
        break;
    case FilmReader::Next::picture:
        arm(due(reader_->front().time));
        break;
    case FilmReader::Next::end:
    case FilmReader::Next::failure:
        arm(microseconds(1));
    }
}

// The first one after a pause is due at once: the film begins with it.
microseconds MediaSource::due(microseconds time) const noexcept {
    return wishes_.playback.unpaced || !begin_ ? microseconds(1) : *begin_ + time;
}

Result<std::optional<Frame>> MediaSource::take() {
    switch (reader_->next()) {
    case FilmReader::Next::failure:
        arm(microseconds(0));
        if (reader_->failure().code == ECANCELED) // the pump hears of the signal, too
            return std::nullopt;
        return std::unexpected(reader_->failure());
    case FilmReader::Next::end:
        ended_ = true;
        arm(microseconds(0));
        return std::nullopt;
    case FilmReader::Next::nothing_yet:
        arm_for_next();
        return std::nullopt;
    case FilmReader::Next::picture:
        break;
    }
    const microseconds now = system_.now();
    const microseconds time = reader_->front().time;
    if (due(time) > now) {
        arm_for_next();
        return std::nullopt;
    }
    // Without pace the film's time runs ahead of the clock: after a pause it does not go back.
    if (!begin_)
        begin_ = std::max(now, last_timestamp_ + microseconds(1)) - time;
    if (!wishes_.playback.unpaced && now - (*begin_ + time) > most_late)
        begin_ = now - time;
    Result<std::optional<Frame>> frame = take_picture();
    if (frame && *frame)
        arm_for_next();
    return frame;
}

// The slot that a picture was decoded into, if it can be shown there: not if what is to be seen of it, or its
// colours, changed in the middle of the film.
std::optional<std::uint32_t> MediaSource::place_of(const FilmPicture& picture) const {
    if (!direct_ || !picture.frame || !writer_->only_copies(side_of(*picture.frame)))
        return std::nullopt;
    const std::optional<std::uint32_t> index = slots_.find(*picture.frame);
    return index && out_[*index] == Out::no ? index : std::nullopt;
}

std::optional<std::uint32_t> MediaSource::free_place() {
    if (!exports_)
        return slots_.take();
    const auto place = std::ranges::find(out_, Out::no);
    return place == out_.end() ? std::nullopt : std::optional<std::uint32_t>(place - out_.begin());
}

Result<std::optional<Frame>> MediaSource::take_picture() {
    if (still_allowed_out() == 0)
        return std::nullopt;
    const FilmPicture& front = reader_->front();
    if (exports_ && front.bad) { // it lies nowhere
        static_cast<void>(reader_->take());
        ++next_sequence_;
        arm_for_next();
        return std::nullopt;
    }
    const std::optional<std::uint32_t> direct = place_of(front);
    const std::optional<std::uint32_t> place = direct ? direct : free_place();
    if (!place)
        return std::nullopt;
    const std::uint32_t index = *place;
    FilmPicture picture = reader_->take();
    Frame frame{.index = index, .format = &format_, .memory = &memory_[index]};
    frame.metadata = {.plane_count = format_.plane_count,
                      .planes = {},
                      .field = format_.field,
                      .flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
                      .sequence = next_sequence_++,
                      .timestamp = *begin_ + picture.time};
    if (tells_decode_times() && picture.shown) {
        frame.metadata.decode_time = frame.metadata.timestamp;
        frame.metadata.timestamp = *begin_ + *picture.shown;
    }
    passed_ = picture.time;
    last_timestamp_ = frame.metadata.order_time();
    if (picture.bad) {
        frame.metadata.flags |= V4L2_BUF_FLAG_ERROR;
    } else {
        for (std::uint32_t i = 0; i < format_.plane_count; ++i)
            frame.metadata.planes[i].bytesused = payload_[i];
        const Result<std::uint64_t> bytes = direct ? Result<std::uint64_t>(0) : fill(index, picture, frame);
        if (!exports_)
            slots_.end_writing(index);
        if (!bytes)
            return std::unexpected(bytes.error());
        frame.copied_bytes = *bytes + picture.copied_bytes;
        say_if_crowded(frame);
    }
    out_[index] = exports_ ? Out::shared : direct ? Out::in_place : Out::copied;
    // A decoded picture's memory is the decoder's and ours; one that must not be lost is kept, too.
    if (direct || exports_ || !film_->seekable())
        held_[index] = std::move(picture);
    return frame;
}

void MediaSource::say_if_crowded(const Frame& frame) {
    if (direct_ && frame.copied_bytes > 0 && !std::exchange(crowded_said_, true))
        spdlog::debug(
            "{}: decoder and output hold all buffers: picture {} and others like it are copied; more "
            "--buffers may help",
            name_, frame.metadata.sequence);
}

Result<std::uint64_t> MediaSource::fill(std::uint32_t index, const FilmPicture& picture, Frame& frame) {
    if (picture.packet)
        return fill_with_packet(index, *picture.packet, frame);
    if (exports_) {
        Status status = device_frames_.put(index, *picture.frame, *film_->device_layout(), frame.metadata);
        return status ? Result<std::uint64_t>(0) : std::unexpected(std::move(status.error()));
    }
    const Result<Planes> planes = slots_.begin_writing(index);
    if (!planes)
        return std::unexpected(planes.error());
    Result<std::uint64_t> bytes = write(*picture.frame, *planes);
    if (!bytes && bytes.error().kind == ErrorKind::system) { // one bad picture, the next may be good
        spdlog::debug("{}: {}", name_, bytes.error().message());
        frame.metadata.flags |= V4L2_BUF_FLAG_ERROR;
        return 0;
    }
    return bytes;
}

Result<std::uint64_t> MediaSource::write(const AVFrame& picture, Planes planes) {
    if (!is_in_device(picture))
        return writer_->run(picture, side_of(picture), planes);
    const Result<AvFrame> mapped = map_device_picture(picture);
    return mapped ? writer_->run(**mapped, side_of(**mapped), planes) : std::unexpected(mapped.error());
}

Result<std::uint64_t> MediaSource::fill_with_packet(std::uint32_t index, const AVPacket& packet,
                                                    Frame& frame) {
    const Result<Planes> planes = slots_.begin_writing(index);
    if (!planes)
        return std::unexpected(planes.error());
    const auto size = static_cast<std::size_t>(std::max(packet.size, 0));
    if (planes->empty() || size > planes->front().size()) {
        frame.metadata.flags |= V4L2_BUF_FLAG_ERROR;
        return 0;
    }
    std::memcpy(planes->front().data(), packet.data, size);
    frame.metadata.planes[0].bytesused = static_cast<std::uint32_t>(size);
    frame.metadata.flags |= (packet.flags & AV_PKT_FLAG_KEY) != 0 ? V4L2_BUF_FLAG_KEYFRAME : 0U;
    return size;
}

// A film may change in its middle; the frames stay as they are.
ScalerSide MediaSource::side_of(const AVFrame& picture) const {
    FrameFormat from{.width = static_cast<std::uint32_t>(picture.width),
                     .height = static_cast<std::uint32_t>(picture.height),
                     .colorimetry = film_->shape().colorimetry};
    if (picture.color_range != AVCOL_RANGE_UNSPECIFIED)
        from.colorimetry.quantization = picture.color_range == AVCOL_RANGE_JPEG ? V4L2_QUANTIZATION_FULL_RANGE
                                                                                : V4L2_QUANTIZATION_LIM_RANGE;
    return scaler_side(from, static_cast<AVPixelFormat>(picture.format));
}

Status MediaSource::give_back(std::uint32_t index) {
    const Out was = std::exchange(out_[index], Out::no);
    if (was == Out::shared)
        device_frames_.drop(index);
    held_[index].reset(); // gives a slot in place back, once the decoder is done with it
    if (was == Out::copied)
        slots_.release(index);
    return {};
}

// With all slots at the sink and the decoder, a picture that lies in one of them can still be taken.
std::uint32_t MediaSource::available() const noexcept {
    const FilmReader::Next next = reader_->next();
    if (next == FilmReader::Next::end || next == FilmReader::Next::failure)
        return 1; // take() has that to say, whatever is out
    if (exports_)
        return still_allowed_out();
    const bool lies_in_slot = direct_ && next == FilmReader::Next::picture && place_of(reader_->front());
    return std::min(slots_.free_count() + (lies_in_slot ? 1 : 0), still_allowed_out());
}

std::optional<double> MediaSource::progress() const noexcept {
    const std::optional<microseconds> length = film_->length();
    if (!length)
        return std::nullopt;
    return std::clamp(static_cast<double>(passed_.count()) / static_cast<double>(length->count()), 0.0, 1.0);
}

// The reader goes on until its queue is full: interrupted in the middle of a read, not every file goes on.
void MediaSource::stop() noexcept {
    arm(microseconds(0));
    begin_.reset(); // the film stands still meanwhile
}

// The pictures go before the memory they lie in. What can be begun again is; of what cannot, nothing is lost.
void MediaSource::release() noexcept {
    if (!reader_)
        return;
    stop();
    if (film_->seekable()) {
        reader_->stop();
        reader_->forget();
        held_.clear();
    }
    if (direct_ && !film_->seekable()) {
        reader_->stop();
        reader_->leave_target();
        for (std::optional<FilmPicture>& picture : held_)
            if (picture)
                Film::leave_target(*picture);
    }
    for (; !held_.empty(); held_.pop_back())
        if (held_.back())
            reader_->put_back(std::move(*held_.back()));
    if (std::exchange(direct_, false))
        film_->leave_target();
    static_cast<void>(slots_.set({}, format_));
    device_frames_.set(0);
    exports_ = false;
    memory_ = {};
    out_.clear();
    next_sequence_ = 0;
}

} // namespace v4l2dma
