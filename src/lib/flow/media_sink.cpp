// SPDX-License-Identifier: MIT
#include "flow/media_sink.h"

#include "format/pixel_format.h"
#include "media/interrupt.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma {

namespace {

using namespace std::chrono_literals;

// From one frame in the file to the next: an encoder that looks ahead, a disk that is slow.
constexpr std::chrono::microseconds longest_end = 60s;
constexpr std::chrono::milliseconds idle_after_error = 10s;

/// Whether a compressed frame can be read without others, as far as its source says.
std::optional<bool> key_of(const BufferMetadata& metadata) {
    if ((metadata.flags & V4L2_BUF_FLAG_KEYFRAME) != 0)
        return true;
    if ((metadata.flags & (V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME)) != 0)
        return false;
    return std::nullopt;
}

Result<UniqueFd> make_event_fd(std::string_view name) {
    UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd)
        return system_error("eventfd", name);
    return fd;
}

} // namespace

struct MediaSink::Held {
    Held(std::shared_ptr<Returns> where, std::uint32_t number, FrameBytes payload)
        : returns(std::move(where)), index(number), bytes(std::move(payload)) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
        bytes.reset(); // the CPU is done with it before anybody hears of that
        returns->give_back(index);
    }

    std::shared_ptr<Returns> returns;
    std::uint32_t index;
    std::optional<FrameBytes> bytes;
};

void MediaSink::Returns::give_back(std::uint32_t number) noexcept {
    {
        const std::lock_guard lock(mutex);
        indices.push_back(number);
    }
    wake();
}

// An eventfd is writable all the time. What an edge-triggered waiter for EPOLLOUT hears of is that somebody
// read it, and that takes something to read.
void MediaSink::Returns::wake() const noexcept {
    std::uint64_t one = 1;
    if (::write(event_fd.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one))
        (void)!::read(event_fd.get(), &one, sizeof one); // another thread may have been quicker: it woke, too
}

MediaSink::MediaSink(ExportTarget target, OutputWishes wishes, Urgency urgency)
    : target_(std::move(target)), wishes_(std::move(wishes)),
      name_(target_.standard_output ? "standard output" : target_.name),
      urgency_(std::make_unique<Urgency>(std::move(urgency))),
      single_(target_.kind == ExportKind::png && !target_.numbered) {}

MediaSink::~MediaSink() {
    MediaSink::stop();
}

Result<std::unique_ptr<MediaSink>> MediaSink::open(std::string_view name, const OutputWishes& wishes) {
    const Result<ExportTarget> target = resolve_export_target(name, wishes.file);
    if (!target)
        return std::unexpected(target.error());
    Result<Urgency> urgency = Urgency::create();
    Result<UniqueFd> event_fd = make_event_fd(name);
    if (!urgency || !event_fd)
        return std::unexpected(urgency ? event_fd.error() : urgency.error());
    if (wishes.file.sdp)
        if (Status status = OutputFile::check(*wishes.file.sdp, wishes.file.force); !status)
            return std::unexpected(std::move(status.error()));
    std::unique_ptr<MediaSink> sink(new MediaSink(*target, wishes, std::move(*urgency)));
    sink->returns_->event_fd = std::move(*event_fd);
    if (target->url)
        return sink;
    Result<OutputFiles> files =
        OutputFiles::create(*target, {.force = wishes.file.force, .urgency = sink->urgency_.get()},
                            expected_files(*target, wishes.file));
    if (!files)
        return std::unexpected(std::move(files.error()));
    sink->files_.emplace(std::move(*files));
    return sink;
}

std::string MediaSink::why_not(MemoryRole role) const {
    return role == MemoryRole::touches ? "" : "a file has no buffers: frames are read where they are";
}

unsigned MediaSink::copies(MemoryRole) const {
    return expected_bytes_ > 0 ? 1 : 0;
}

Result<FrameWriterSettings> MediaSink::writer_settings(const FrameFormat& format) const {
    FrameWriterSettings settings{.target = target_,
                                 .wishes = wishes_.file,
                                 .source = format,
                                 .properties = properties_,
                                 .width = wishes_.width,
                                 .height = wishes_.height,
                                 .file = {.force = wishes_.file.force, .urgency = urgency_.get()}};
    if (wishes_.format) {
        const Result<FourCC> fourcc = resolve_format(*wishes_.format);
        if (!fourcc)
            return std::unexpected(fourcc.error());
        settings.format = *fourcc;
    }
    if (wishes_.width || wishes_.height)
        settings.properties.aspect = {}; // who wishes for a size means square pixels
    return settings;
}

bool MediaSink::takes(const FrameFormat& format) const {
    const Result<FrameWriterSettings> settings = writer_settings(format);
    return done_ || !settings || can_be_written(*settings); // set_format() tells what is wrong
}

Status MediaSink::set_format(const FrameFormat& format) {
    expected_bytes_ = 0;
    conversion_.reset();
    if (done_)
        return {};
    if (files_)
        if (Status status = files_->check_more(); !status)
            return status;
    const Result<FrameWriterSettings> settings = writer_settings(format);
    if (!settings)
        return std::unexpected(settings.error());
    urgency_->reset();
    forced_ = false;
    Result<std::unique_ptr<FrameWriter>> writer = make_frame_writer(*settings, files_ ? &*files_ : nullptr);
    if (!writer)
        return std::unexpected(std::move(writer.error()));
    writer_ = std::move(*writer);
    expected_bytes_ = writer_->copied_bytes();
    if (const std::optional<FrameFormat> to = writer_->converted())
        conversion_ = Conversion{.to = *to, .why = writer_->conversion_reason(), .remedy = {}};
    first_.reset();
    last_.reset();
    pushed_ = 0;
    return {};
}

const Conversion* MediaSink::conversion() const noexcept {
    return conversion_ ? &*conversion_ : nullptr;
}

Result<std::span<BufferMemory>> MediaSink::provide(MemoryRole, std::uint32_t) {
    return make_error(ErrorKind::unsupported, "allocate", name_, "it has no buffers");
}

// A source needs two to fill, and one is on its way.
Status MediaSink::prepare(MemoryRole, std::uint32_t count) {
    const std::uint32_t for_source = 3 + sources_;
    most_kept_ = count > for_source ? count - for_source : 1;
    return {};
}

bool MediaSink::advances(std::chrono::microseconds time) const noexcept {
    return !last_ || time > *last_;
}

Status MediaSink::start_writer() {
    if (thread_)
        return {};
    if (!writer_) // what comes after the end of a stream needs set_format()
        return failure_ ? std::unexpected(*failure_)
                        : Status(make_error(ErrorKind::system, "write", name_, "the stream to it has ended"));
    finishing_ = false;
    thread_ = std::make_unique<WriterThread>(std::move(writer_), thread_options());
    return {};
}

WriterThread::Options MediaSink::thread_options() const {
    WriterThread::Options options{.rate = wishes_.file.fps,
                                  .likely_rate = properties_.rate,
                                  .most_borrowed = most_kept_,
                                  .wake = [returns = returns_] { returns->wake(); }};
    if (!options.rate && properties_.keeps_rate)
        options.rate = properties_.rate;
    if (single_)
        options.rate = 1; // means nothing to a picture
    return options;
}

Result<PutResult> MediaSink::put(const Frame& frame) {
    if (done_)
        return PutResult{.taken = true, .dropped = true};
    if (Status status = start_writer(); !status)
        return std::unexpected(std::move(status.error()));
    if (const std::optional<Error> error = thread_->error())
        return std::unexpected(*error);
    // Of a driver that gives none, when it came is the best there is.
    const std::chrono::microseconds stamp = frame.metadata.timestamp;
    const std::chrono::microseconds time = stamp == 0us ? real_system().now() : stamp;
    const std::chrono::microseconds order = frame.metadata.decode_time.value_or(time);
    if (!advances(order))
        return PutResult{.taken = true, .bad = true};
    if (!first_)
        first_ = time;
    thread_->saw(order - *first_);
    if (single_ && pushed_ > thread_->bad()) { // another one is wanted only if this one cannot be read
        const bool written = thread_->written() > 0;
        return PutResult{.taken = written, .dropped = written};
    }
    if (kept_ >= most_kept_)
        return PutResult{.taken = !wishes_.file.lossless, .dropped = !wishes_.file.lossless};
    Result<FrameBytes> bytes = FrameBytes::of(frame);
    if (!bytes)
        return std::unexpected(std::move(bytes.error()));
    const auto held = std::make_shared<const Held>(returns_, frame.index, std::move(*bytes));
    ++kept_;
    last_ = order;
    ++pushed_;
    FrameToWrite written{.planes = held->bytes->planes(),
                         .time = time - *first_,
                         .key = key_of(frame.metadata),
                         .owner = held};
    if (frame.metadata.decode_time)
        written.decode_time = order - *first_;
    thread_->push(std::move(written));
    return PutResult{
        .taken = true, .kept = true, .copied_bytes = expected_bytes_ + thread_->take_unforeseen()};
}

Result<std::optional<std::uint32_t>> MediaSink::reclaim() {
    {
        const std::lock_guard lock(returns_->mutex);
        if (!returns_->indices.empty()) {
            const std::uint32_t index = returns_->indices.front();
            returns_->indices.pop_front();
            --kept_;
            return index;
        }
    }
    if (thread_)
        if (const std::optional<Error> error = thread_->error())
            return std::unexpected(*error);
    return std::nullopt;
}

std::uint32_t MediaSink::in_flight() const noexcept {
    return kept_ + (thread_ && finishing_ && !thread_->finished() ? 1U : 0U);
}

std::uint64_t MediaSink::headway() const noexcept {
    return thread_ ? thread_->progress() : 0;
}

bool MediaSink::satisfied() const noexcept {
    return done_ || (single_ && thread_ && thread_->written() > 0);
}

std::chrono::microseconds MediaSink::finish(Ending ending) noexcept {
    if (!thread_)
        return {};
    if (ending != Ending::patient)
        urgency_->hurry();
    forced_ = forced_ || ending == Ending::forced;
    finishing_ = true;
    const bool finished = thread_->finished();
    thread_->finish();
    return finished ? 0us : longest_end;
}

Status MediaSink::verdict() const {
    return failure_ ? std::unexpected(*failure_) : Status{};
}

void MediaSink::add(const ExportSummary& summary) {
    summary_.container = summary.container;
    summary_.codec = summary.codec;
    summary_.frames += summary.frames;
    summary_.bytes += summary.bytes;
    summary_.files += summary.files;
    summary_.duration += summary.duration;
}

// After an error nobody has called finish(), and what is in the encoder is worth having.
void MediaSink::wait_after_error() noexcept {
    (void)MediaSink::finish(Ending::hurried);
    constexpr std::chrono::milliseconds look_for_stop = 200ms;
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto end = now() + longest_end;
    auto idle_end = now() + idle_after_error;
    std::uint64_t headway = MediaSink::headway();
    while (!thread_->wait(look_for_stop) && !stop_is_pending() && now() < std::min(end, idle_end))
        if (const std::uint64_t before = std::exchange(headway, MediaSink::headway()); headway > before)
            idle_end = now() + idle_after_error;
}

void MediaSink::stop() noexcept {
    if (!thread_)
        return;
    if (!finishing_)
        wait_after_error();
    done_ = satisfied();
    const bool missing = !thread_->finished() && !forced_;
    urgency_->give_up();
    thread_->abort();
    if (!failure_)
        failure_ = thread_->error();
    unreadable_ += thread_->bad();
    const ExportSummary written = thread_->summary();
    add(written);
    if (!failure_ && missing)
        failure_ = make_error(ErrorKind::system, "write", name_,
                              fmt::format("it took too long, and the last {} frames are not there",
                                          pushed_ - thread_->bad() - std::min(pushed_, written.frames)))
                       .error();
    if (!failure_ && unreadable_ > 0 && summary_.files == 0)
        failure_ =
            make_error(ErrorKind::system, "write", name_, "no frame could be read: there is no file").error();
    thread_.reset();
    finishing_ = false;
    kept_ = 0;
    const std::lock_guard lock(returns_->mutex);
    returns_->indices.clear();
}

void MediaSink::release() noexcept {
    MediaSink::stop();
}

} // namespace v4l2dma
