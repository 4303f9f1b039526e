// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "media/av_objects.h"
#include "media/interrupt.h"

#include <span>
#include <string>
#include <sys/uio.h>

namespace v4l2dma {

/// Standard input, or a named pipe, as what FFmpeg reads from. FFmpeg's own reading sleeps in read() and
/// hears no interruption; this one sleeps in poll(), a while at a time.
class PipeReader {
public:
    /// @p path: "-" or a pipe's. @p interrupt is borrowed. Errors: (device) what open() says; (system) no
    /// memory.
    [[nodiscard]] static Result<std::unique_ptr<PipeReader>> open(const std::string& path,
                                                                  const Interrupt& interrupt);
    PipeReader(const PipeReader&) = delete;
    PipeReader& operator=(const PipeReader&) = delete;
    ~PipeReader();

    /// For AVFormatContext::pb. Lives as long as this.
    [[nodiscard]] AVIOContext* context() const noexcept { return context_; }

    struct Taken {
        std::size_t bytes = 0;  ///< 0: the pipe's end
        std::size_t copied = 0; ///< of them, from what FFmpeg had read and not used
    };
    /// What comes next, without FFmpeg, straight into @p vector; at most as much as there is now. Errors:
    /// (system) what readv() says; ECANCELED.
    [[nodiscard]] Result<Taken> take(std::span<const iovec> vector);

private:
    PipeReader(std::string path, UniqueFd fd, const Interrupt& interrupt) noexcept
        : path_(std::move(path)), fd_(std::move(fd)), interrupt_(interrupt) {}
    [[nodiscard]] ssize_t read(std::span<const iovec> vector) noexcept;
    [[nodiscard]] std::size_t take_left(std::span<const iovec> vector) noexcept;

    std::string path_;
    UniqueFd fd_; ///< empty: standard input
    const Interrupt& interrupt_;
    AVIOContext* context_ = nullptr;
};

} // namespace v4l2dma
