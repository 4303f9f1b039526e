// SPDX-License-Identifier: MIT
#include "flow/film_reader.h"

#include <algorithm>
#include <csignal>
#include <exception>
#include <utility>

namespace v4l2dma {

void FilmReader::start() {
    if (thread_.joinable())
        return;
    film_.resume();
    stopping_ = false;
    thread_ = std::thread([this] { run(); });
}

void FilmReader::stop() noexcept {
    if (!thread_.joinable())
        return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    film_.interrupt();
    room_.notify_all();
    thread_.join();
}

void FilmReader::forget() noexcept {
    queue_.clear();
    over_ = false;
    failure_.reset();
    rewind_ = true;
}

void FilmReader::leave_target() noexcept {
    std::ranges::for_each(queue_, [](FilmPicture& picture) { Film::leave_target(picture); });
    if (failure_ && failure_->code == ECANCELED) { // by stop()
        failure_.reset();
        over_ = false;
    }
}

FilmReader::Next FilmReader::next() {
    const std::lock_guard lock(mutex_);
    if (!queue_.empty())
        return Next::picture;
    if (failure_)
        return Next::failure;
    return over_ ? Next::end : Next::nothing_yet;
}

const FilmPicture& FilmReader::front() {
    const std::lock_guard lock(mutex_);
    return queue_.front();
}

FilmPicture FilmReader::take() {
    const std::lock_guard lock(mutex_);
    FilmPicture picture = std::move(queue_.front());
    queue_.pop_front();
    room_.notify_one();
    return picture;
}

void FilmReader::put_back(FilmPicture picture) {
    const std::lock_guard lock(mutex_);
    queue_.push_front(std::move(picture));
}

Error FilmReader::failure() {
    const std::lock_guard lock(mutex_);
    return failure_.value_or(Error{});
}

bool FilmReader::wait_for_room() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return stopping_ || queue_.size() < ahead; });
    return !stopping_ && !over_;
}

void FilmReader::run() noexcept {
    // Signals are the pump's.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    try {
        while (wait_for_room())
            push(read());
    } catch (const std::exception&) { // there is no memory, and so none for a sentence
        Error failure;
        failure.code = ENOMEM;
        push(std::unexpected(std::move(failure)));
    }
}

Result<std::optional<FilmPicture>> FilmReader::read() {
    if (std::exchange(rewind_, false))
        if (Status status = film_.rewind(); !status)
            return std::unexpected(std::move(status.error()));
    return film_.next();
}

void FilmReader::push(Result<std::optional<FilmPicture>> picture) {
    bool changed = false;
    {
        const std::lock_guard lock(mutex_);
        if (!picture) {
            failure_ = std::move(picture.error());
            over_ = changed = true;
        } else if (!*picture) {
            over_ = changed = true;
        } else {
            changed = queue_.empty();
            queue_.push_back(std::move(**picture));
        }
    }
    if (changed)
        on_change_();
}

} // namespace v4l2dma
