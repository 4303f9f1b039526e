// SPDX-License-Identifier: MIT
#pragma once

#include "media/film.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace v4l2dma {

/// Reads a film ahead on a thread of its own, so that neither a slow network nor a hard picture keeps the
/// pump from what else it waits for.
class FilmReader {
public:
    /// What is next, as far as it is known now.
    enum class Next { nothing_yet, picture, end, failure };

    /// @p on_change is called on the reader's thread whenever something came into the empty queue, and when
    /// the film is over; without any lock. Borrows @p film.
    FilmReader(Film& film, std::function<void()> on_change) : film_(film), on_change_(std::move(on_change)) {}
    FilmReader(const FilmReader&) = delete;
    FilmReader& operator=(const FilmReader&) = delete;
    ~FilmReader() { stop(); }

    /// Pictures that it has read ahead, at most.
    static constexpr std::uint32_t ahead = 4;

    /// Begins, unless it runs. After forget() it is at the film's beginning.
    void start();
    /// The thread is gone afterwards; what it has read stays. What it was reading may be lost: forget() comes
    /// next, or the end; or, if the film resumes(), leave_target().
    void stop() noexcept;
    /// Only while stopped: drops what it has read. The next start() begins the film again.
    void forget() noexcept;

    /// Only while stopped: what it has read leaves the film's target; the next start() goes on behind it.
    void leave_target() noexcept;

    [[nodiscard]] Next next();
    /// The first of the queue, which next() said is there; valid until take().
    [[nodiscard]] const FilmPicture& front();
    [[nodiscard]] FilmPicture take();
    /// What was taken and is not to be lost comes first again.
    void put_back(FilmPicture picture);
    /// Why it came to failure.
    [[nodiscard]] Error failure();

private:
    void run() noexcept;
    [[nodiscard]] Result<std::optional<FilmPicture>> read();
    [[nodiscard]] bool wait_for_room();
    void push(Result<std::optional<FilmPicture>> picture);

    Film& film_;
    std::function<void()> on_change_;
    std::mutex mutex_; ///< of all below
    std::condition_variable room_;
    std::deque<FilmPicture> queue_; ///< elements stay where they are
    bool stopping_ = false;
    bool over_ = false;
    bool rewind_ = false; ///< before the next picture
    std::optional<Error> failure_;
    std::thread thread_; ///< started and joined by the pump's thread alone
};

} // namespace v4l2dma
