// SPDX-License-Identifier: MIT
#include "media/output_files.h"

#include "base/atomic_file.h"

#include <utility>

namespace v4l2dma {

namespace {

/// What was no mistake of the user's when the run began.
template <typename Answer> Answer while_running(Answer answer) {
    if (!answer && answer.error().kind == ErrorKind::usage)
        answer.error().kind = ErrorKind::system;
    return answer;
}

} // namespace

Result<OutputFiles> OutputFiles::create(const ExportTarget& target, const OutputFile::Options& options,
                                        unsigned expected) {
    OutputFiles files(target, options);
    const std::string first = target.file(0);
    if (Status status = OutputFile::check(first, options.force); !status)
        return std::unexpected(std::move(status.error()));
    for (unsigned number = 1; target.numbered && number < expected; ++number)
        if (Status status = OutputFile::check_absent(target.file(number), options.force); !status)
            return std::unexpected(std::move(status.error()));
    if (!target.standard_output && !is_special_file(first))
        return files;
    Result<OutputFile> file = OutputFile::open(first, options);
    if (!file)
        return std::unexpected(std::move(file.error()));
    files.opened_.emplace(std::move(*file));
    return files;
}

Status OutputFiles::check_more() const {
    if (target_.numbered || count_ == 0)
        return {};
    return make_error(ErrorKind::system, "write",
                      target_.standard_output ? "standard output" : std::string_view(target_.name),
                      "it is finished, and holds one stream", "A name with %d goes on with another file");
}

Result<OutputFile> OutputFiles::next() {
    if (Status status = check_more(); !status)
        return std::unexpected(std::move(status.error()));
    const std::string name = next_name();
    ++count_;
    if (opened_) {
        OutputFile file = std::move(*opened_);
        opened_.reset();
        return file;
    }
    return while_running(OutputFile::open(name, options_));
}

Status OutputFiles::check_next() const {
    return while_running(OutputFile::check(next_name(), options_.force));
}

} // namespace v4l2dma
