// SPDX-License-Identifier: MIT
#include "flow/media_sink.h"

#include "format/pixel_format.h"

#include <algorithm>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::microseconds longest_end = 60s; // an encoder that looks ahead, a disk that is slow
constexpr std::chrono::milliseconds end_after_error = 10s;

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

MediaSink::MediaSink(ExportTarget target, OutputWishes wishes, UniqueFd hurry_fd)
    : target_(std::move(target)), wishes_(std::move(wishes)),
      name_(target_.standard_output ? "standard output" : target_.name), hurry_fd_(std::move(hurry_fd)),
      single_(target_.kind == ExportKind::png && !target_.numbered) {}

MediaSink::~MediaSink() {
    MediaSink::stop();
}

Result<std::unique_ptr<MediaSink>> MediaSink::open(std::string_view name, const OutputWishes& wishes) {
    const Result<ExportTarget> target = resolve_export_target(name, wishes.file);
    if (!target)
        return std::unexpected(target.error());
    Result<UniqueFd> hurry_fd = make_event_fd(name);
    Result<UniqueFd> event_fd = make_event_fd(name);
    if (!hurry_fd || !event_fd)
        return std::unexpected(hurry_fd ? event_fd.error() : hurry_fd.error());
    if (wishes.file.sdp)
        if (Status status = OutputFile::check(*wishes.file.sdp, wishes.file.force); !status)
            return std::unexpected(std::move(status.error()));
    std::unique_ptr<MediaSink> sink(new MediaSink(*target, wishes, std::move(*hurry_fd)));
    sink->returns_->event_fd = std::move(*event_fd);
    if (target->url)
        return sink;
    Result<OutputFiles> files =
        OutputFiles::create(*target, {.force = wishes.file.force, .hurry_fd = sink->hurry_fd_.get()});
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
                                 .width = wishes_.width,
                                 .height = wishes_.height,
                                 .file = {.force = wishes_.file.force, .hurry_fd = hurry_fd_.get()}};
    if (wishes_.format) {
        const Result<FourCC> fourcc = resolve_format(*wishes_.format);
        if (!fourcc)
            return std::unexpected(fourcc.error());
        settings.format = *fourcc;
    }
    return settings;
}

Status MediaSink::set_format(const FrameFormat& format) {
    if (files_ && !files_->more())
        return make_error(ErrorKind::system, "write", name_, "it is finished, and holds one stream",
                          "A name with %d goes on with another file");
    const Result<FrameWriterSettings> settings = writer_settings(format);
    if (!settings)
        return std::unexpected(settings.error());
    hurry(false);
    Result<std::unique_ptr<FrameWriter>> writer = make_frame_writer(*settings, files_ ? &*files_ : nullptr);
    if (!writer)
        return std::unexpected(std::move(writer.error()));
    writer_ = std::move(*writer);
    expected_bytes_ = writer_->copied_bytes();
    conversion_.reset();
    if (const std::optional<FrameFormat> to = writer_->converted())
        conversion_ = Conversion{.to = *to, .why = writer_->conversion_reason(), .remedy = {}};
    first_.reset();
    last_.reset();
    wants_more_ = true;
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
    constexpr std::uint32_t for_source = 3;
    most_kept_ = count > for_source ? count - for_source : 1;
    return {};
}

bool MediaSink::advances(std::chrono::microseconds timestamp) const noexcept {
    return !last_ || timestamp > *last_;
}

Status MediaSink::start_writer() {
    if (thread_)
        return {};
    if (!writer_) // what comes after the end of a stream needs set_format()
        return failure_ ? std::unexpected(*failure_)
                        : Status(make_error(ErrorKind::system, "write", name_, "the stream to it has ended"));
    finishing_ = false;
    thread_ = std::make_unique<WriterThread>(
        std::move(writer_), WriterThread::Options{.rate = wishes_.file.fps,
                                                  .most_borrowed = most_kept_,
                                                  .wake = [returns = returns_] { returns->wake(); }});
    return {};
}

Result<PutResult> MediaSink::put(const Frame& frame) {
    if (Status status = start_writer(); !status)
        return std::unexpected(std::move(status.error()));
    if (const std::optional<Error> error = thread_->error())
        return std::unexpected(*error);
    // Of a driver that gives none, when it came is the best there is.
    const std::chrono::microseconds stamp = frame.metadata.timestamp;
    const std::chrono::microseconds time = stamp == 0us ? real_system().now() : stamp;
    if (!advances(time))
        return PutResult{.taken = true, .bad = true};
    if (!first_)
        first_ = time;
    thread_->saw(time - *first_);
    if (!wants_more_)
        return PutResult{.taken = true, .dropped = true};
    if (kept_ >= most_kept_)
        return PutResult{.taken = !wishes_.file.lossless, .dropped = !wishes_.file.lossless};
    Result<FrameBytes> bytes = FrameBytes::of(frame);
    if (!bytes)
        return std::unexpected(std::move(bytes.error()));
    const auto held = std::make_shared<const Held>(returns_, frame.index, std::move(*bytes));
    ++kept_;
    last_ = time;
    wants_more_ = !single_;
    thread_->push({.planes = held->bytes->planes(), .time = time - *first_, .owner = held});
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

std::chrono::microseconds MediaSink::finish(bool hurried) noexcept {
    if (!thread_)
        return {};
    if (hurried)
        hurry(true);
    finishing_ = true;
    thread_->finish();
    return longest_end;
}

void MediaSink::hurry(bool wanted) noexcept {
    std::uint64_t number = 1;
    (void)!(wanted ? ::write(hurry_fd_.get(), &number, sizeof number)
                   : ::read(hurry_fd_.get(), &number, sizeof number));
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
void MediaSink::stop() noexcept {
    if (!thread_)
        return;
    if (!finishing_) {
        (void)MediaSink::finish(true);
        (void)thread_->wait(end_after_error);
    }
    hurry(true);
    thread_->abort();
    if (!failure_)
        failure_ = thread_->error();
    unreadable_ += thread_->bad();
    add(thread_->summary());
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
