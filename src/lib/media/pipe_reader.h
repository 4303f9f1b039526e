// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "media/av_objects.h"
#include "media/interrupt.h"

#include <string>

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

private:
    PipeReader(UniqueFd fd, const Interrupt& interrupt) noexcept
        : fd_(std::move(fd)), interrupt_(interrupt) {}
    [[nodiscard]] int read(std::uint8_t* buffer, int size) noexcept;

    UniqueFd fd_; ///< empty: standard input
    const Interrupt& interrupt_;
    AVIOContext* context_ = nullptr;
};

} // namespace v4l2dma
