// SPDX-License-Identifier: MIT
#include "media/pipe_reader.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

constexpr std::size_t buffer_size = 64 * 1024; // what a pipe holds
constexpr int patience_ms = 100;               // between two looks at the interrupt

} // namespace

Result<std::unique_ptr<PipeReader>> PipeReader::open(const std::string& path, const Interrupt& interrupt) {
    UniqueFd fd;
    if (path != "-") {
        // Non-blocking: open() would sleep until somebody writes.
        fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!fd) {
            Error error = system_error("open", path).error();
            error.kind = ErrorKind::device;
            return std::unexpected(std::move(error));
        }
    }
    std::unique_ptr<PipeReader> reader(new PipeReader(path, std::move(fd), interrupt));
    auto* const buffer = static_cast<std::uint8_t*>(ffmpeg().av_malloc(buffer_size));
    const auto callback = [](void* self, std::uint8_t* bytes, int size) {
        const iovec piece{.iov_base = bytes, .iov_len = static_cast<std::size_t>(size)};
        const ssize_t count = static_cast<PipeReader*>(self)->read({&piece, 1});
        if (count == -ECANCELED)
            return AVERROR_EXIT;
        return count == 0 ? AVERROR_EOF : static_cast<int>(count); // its errors are the kernel's
    };
    if (buffer != nullptr)
        reader->context_ = ffmpeg_formats().avio_alloc_context(buffer, static_cast<int>(buffer_size), 0,
                                                               reader.get(), callback, nullptr, nullptr);
    if (reader->context_ == nullptr) {
        ffmpeg().av_free(buffer);
        return system_error("open", path, ENOMEM);
    }
    return reader;
}

PipeReader::~PipeReader() {
    if (context_ == nullptr)
        return;
    ffmpeg().av_free(context_->buffer); // FFmpeg may have put another one there
    ffmpeg_formats().avio_context_free(&context_);
}

// A pipe without a writer is no end before there was one: poll() sleeps until then, where read() would say 0.
ssize_t PipeReader::read(std::span<const iovec> vector) noexcept {
    const int fd = fd_ ? fd_.get() : STDIN_FILENO;
    while (!interrupt_.pending()) {
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = ::poll(&waiting, 1, patience_ms);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            continue;
        const ssize_t count = ::readv(fd, vector.data(), static_cast<int>(vector.size()));
        if (count >= 0)
            return count;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -ECANCELED;
}

std::size_t PipeReader::take_left(std::span<const iovec> vector) noexcept {
    std::size_t done = 0;
    for (const iovec& piece : vector) {
        const auto left = static_cast<std::size_t>(context_->buf_end - context_->buf_ptr);
        const std::size_t bytes = std::min(piece.iov_len, left);
        std::memcpy(piece.iov_base, context_->buf_ptr, bytes);
        context_->buf_ptr += bytes;
        done += bytes;
    }
    return done;
}

Result<PipeReader::Taken> PipeReader::take(std::span<const iovec> vector) {
    if (const std::size_t left = take_left(vector); left > 0)
        return Taken{.bytes = left, .copied = left};
    const ssize_t count = read(vector);
    if (count < 0)
        return system_error("read", path_, static_cast<int>(-count));
    return Taken{.bytes = static_cast<std::size_t>(count)};
}

} // namespace v4l2dma
