// SPDX-License-Identifier: MIT
#include "flow/writer_thread.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <new>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

constexpr double rate_of_one_frame = 25;

/// The end of a file that found no room says what there is of it.
Error with_remains(Error error, const ExportSummary& summary) {
    const bool full = error.code == ENOSPC || error.code == EDQUOT || error.code == EFBIG;
    if (full && error.remedy.empty())
        error.remedy = summary.bytes > 0 ? fmt::format("The first {} bytes are kept", summary.bytes)
                                         : "Nothing was written";
    return error;
}

// The thread has nobody above it that would catch anything: what a writer throws is an error of it, as those
// are that it answers.
template <typename Call> Status guarded(Call call) noexcept {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        Error error; // has no memory of its own
        error.code = ENOMEM;
        return std::unexpected(std::move(error));
    } catch (const std::exception&) {
        Error error;
        error.code = EIO;
        return std::unexpected(std::move(error));
    }
}

} // namespace

double usual_rate(std::chrono::microseconds interval, std::optional<double> likely) {
    constexpr std::array usual{1.0,  5.0,  10.0, 12.5, 15.0,  20.0,  24.0, 25.0,
                               30.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0};
    constexpr std::array exact{24'000 / 1001.0, 30'000 / 1001.0, 48.0, 60'000 / 1001.0};
    constexpr double jitter = 0.12;
    constexpr double rounding = 0.0003; // a microsecond more or less
    const double rate = 1e6 / std::max(1.0, static_cast<double>(interval.count()));
    const auto distance = [&](double other) { return std::abs(std::log(rate / other)); };
    if (likely && *likely > 0 && distance(*likely) < jitter)
        return *likely;
    const double meant = *std::ranges::min_element(exact, {}, distance);
    if (distance(meant) < rounding)
        return meant;
    const double nearest = *std::ranges::min_element(usual, {}, distance);
    return distance(nearest) < jitter ? nearest : rate;
}

WriterThread::WriterThread(std::unique_ptr<FrameWriter> writer, Options options)
    : writer_(std::move(writer)), options_(std::move(options)), thread_([this] { run(); }) {}

WriterThread::~WriterThread() {
    abort();
}

void WriterThread::saw(std::chrono::microseconds time) {
    const std::lock_guard lock(mutex_);
    if (!first_time_)
        first_time_ = time;
    else if (!second_time_ && time > *first_time_)
        second_time_ = time;
    else
        return;
    changed_.notify_all();
}

// After a failure nobody takes frames any more; this one goes, which gives it back.
void WriterThread::push(FrameToWrite frame) {
    const std::lock_guard lock(mutex_);
    if (finished_)
        return;
    queue_.push_back(std::move(frame));
    changed_.notify_all();
}

void WriterThread::finish() {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    changed_.notify_all();
}

void WriterThread::abort() noexcept {
    std::deque<FrameToWrite> left; // goes without the lock: it gives frames back
    {
        const std::lock_guard lock(mutex_);
        finishing_ = true;
        aborted_ = true;
        left.swap(queue_);
        changed_.notify_all();
    }
    if (thread_.joinable())
        thread_.join();
}

bool WriterThread::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return finished_; });
}

bool WriterThread::finished() const {
    const std::lock_guard lock(mutex_);
    return finished_;
}

std::optional<Error> WriterThread::error() const {
    const std::lock_guard lock(mutex_);
    return error_;
}

std::uint64_t WriterThread::take_unforeseen() {
    const std::lock_guard lock(mutex_);
    return std::exchange(unforeseen_, 0);
}

std::uint64_t WriterThread::written() const {
    const std::lock_guard lock(mutex_);
    return written_;
}

std::uint64_t WriterThread::bad() const {
    const std::lock_guard lock(mutex_);
    return bad_;
}

// False: it ends without a frame.
bool WriterThread::wait_for_rate(FrameWriter::Beginning& beginning) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [this] { return finishing_ || (!queue_.empty() && (options_.rate || second_time_)); });
    if (queue_.empty())
        return false;
    beginning.most_borrowed = options_.most_borrowed;
    if (options_.rate)
        beginning.rate = *options_.rate;
    else
        beginning.rate = second_time_ ? usual_rate(*second_time_ - *first_time_, options_.likely_rate)
                                      : options_.likely_rate.value_or(rate_of_one_frame);
    return true;
}

std::optional<FrameToWrite> WriterThread::next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return finishing_ || !queue_.empty(); });
    if (queue_.empty())
        return std::nullopt;
    FrameToWrite frame = std::move(queue_.front());
    queue_.pop_front();
    return frame;
}

Status WriterThread::write(const FrameToWrite& frame) {
    const std::uint64_t expected = writer_->copied_bytes();
    const Result<FrameWritten> written = writer_->write(frame);
    if (!written)
        return std::unexpected(written.error());
    const std::lock_guard lock(mutex_);
    (written->bad ? bad_ : written_) += 1;
    unforeseen_ += written->copied_bytes > expected ? written->copied_bytes - expected : 0;
    return {};
}

Status WriterThread::write_all() {
    FrameWriter::Beginning beginning;
    if (!wait_for_rate(beginning))
        return {};
    if (Status status = writer_->begin(beginning); !status)
        return status;
    while (const std::optional<FrameToWrite> frame = next())
        if (Status status = write(*frame); !status)
            return status;
    return {};
}

void WriterThread::fail(Error error) noexcept {
    const Status named = guarded([&] {
        error = with_remains(std::move(error), writer_->summary());
        return Status{};
    });
    static_cast<void>(named); // without a sentence about what is left
    std::deque<FrameToWrite> left;
    const std::lock_guard lock(mutex_);
    left.swap(queue_);
    if (!error_ && error.code != ECANCELED) // that was us
        error_.emplace(std::move(error));
}

// What was written before an error is ended as a file, too.
void WriterThread::run() noexcept {
    Status status = guarded([this] { return write_all(); });
    bool whole = status.has_value();
    if (!status)
        fail(std::move(status.error()));
    {
        const std::lock_guard lock(mutex_);
        whole = whole && !aborted_;
    }
    status = guarded([&] { return writer_->finish(whole); });
    if (!status)
        fail(std::move(status.error()));
    {
        const std::lock_guard lock(mutex_);
        finished_ = true;
        changed_.notify_all();
    }
    if (options_.wake)
        options_.wake();
}

} // namespace v4l2dma
