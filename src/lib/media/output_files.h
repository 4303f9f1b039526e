// SPDX-License-Identifier: MIT
#pragma once

#include "media/export_target.h"
#include "media/output_file.h"

namespace v4l2dma {

/// The files that an export writes, one after the other: a single one, or numbered ones.
///
/// A regular file is created when its first byte is there, so that a run without frames leaves none. Pipes
/// and devices are opened at once.
class OutputFiles {
public:
    /// @p expected: how many there will be, as far as is known: none of them may exist.
    /// Errors: those of OutputFile::check(), and of OutputFile::open() for what is no regular file.
    [[nodiscard]] static Result<OutputFiles>
    create(const ExportTarget& target, const OutputFile::Options& options, unsigned expected = 1);

    /// Errors: those of OutputFile::open(), but (system) of a file that came to exist since create();
    /// (system) there is only one, and it has been written.
    [[nodiscard]] Result<OutputFile> next();
    /// Whether the next file can be written by other means. Errors: those of OutputFile::check(), likewise.
    [[nodiscard]] Status check_next() const;
    /// The name of the next file.
    [[nodiscard]] std::string next_name() const { return target_.file(count_); }
    /// Counts a file that was written by other means.
    void skip() noexcept { ++count_; }
    /// That were handed out.
    [[nodiscard]] unsigned count() const noexcept { return count_; }
    /// That there is a file for another stream. Errors: (system) there is none.
    [[nodiscard]] Status check_more() const;
    [[nodiscard]] const OutputFile::Options& options() const noexcept { return options_; }

private:
    OutputFiles(ExportTarget target, const OutputFile::Options& options)
        : target_(std::move(target)), options_(options) {}

    ExportTarget target_;
    OutputFile::Options options_;
    std::optional<OutputFile> opened_;
    unsigned count_ = 0;
};

} // namespace v4l2dma
