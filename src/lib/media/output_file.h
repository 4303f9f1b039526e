// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "base/write_bytes.h"
#include "media/urgency.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace v4l2dma {

/// A file that is written, or what stands in its place: standard output, a named pipe.
///
/// Keeps the first error: libraries that write through it know only that there was one.
class OutputFile {
public:
    struct Options {
        bool force = false;               ///< a regular file that exists is emptied
        const Urgency* urgency = nullptr; ///< borrowed; nullptr: readers have all the time that they want
    };

    /// Whether open() would succeed, as far as that can be said without creating a file. Errors: (usage) it
    /// exists, and @p force was not said; those of check_writable().
    [[nodiscard]] static Status check(const std::string& name, bool force);
    /// Whether a regular file would be overwritten. Errors: (usage) likewise.
    [[nodiscard]] static Status check_absent(const std::string& name, bool force);
    /// Creates @p name, or opens what is no regular file; "-" is standard output. Errors: those of check();
    /// of open().
    [[nodiscard]] static Result<OutputFile> open(const std::string& name, const Options& options);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool seekable() const noexcept { return seekable_; }
    /// Where the next byte goes.
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    /// Up to the last byte that was written, in bytes.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Waits where a pipe is full; hurried, only WritePatience::hurried for each piece. Errors: those of
    /// write_bytes().
    [[nodiscard]] Status write(std::span<const std::byte> bytes);
    /// Only where seekable().
    [[nodiscard]] Status seek(std::uint64_t position);
    /// Takes a file away again that was created here.
    void discard() noexcept;
    /// Some file systems tell only here that a write has failed.
    [[nodiscard]] Status close();
    /// The first error of all calls.
    [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }

private:
    OutputFile(UniqueFd fd, std::string name, const Urgency* urgency);
    [[nodiscard]] Status note(Status status);

    UniqueFd fd_;
    std::string name_;
    const Urgency* urgency_;
    bool created_ = false;
    bool seekable_ = false;
    std::uint64_t position_ = 0;
    std::uint64_t size_ = 0;
    std::optional<Error> failure_;
};

} // namespace v4l2dma
