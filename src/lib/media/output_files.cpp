// SPDX-License-Identifier: MIT
#include "media/output_files.h"

#include <utility>

namespace v4l2dma {

Result<OutputFiles> OutputFiles::create(const ExportTarget& target, const OutputFile::Options& options) {
    OutputFiles files(target, options);
    const std::string first = target.file(0);
    if (Status status = OutputFile::check(first, options.force); !status)
        return std::unexpected(std::move(status.error()));
    if (!target.standard_output && !OutputFile::is_special(first))
        return files;
    Result<OutputFile> file = OutputFile::open(first, options);
    if (!file)
        return std::unexpected(std::move(file.error()));
    files.opened_.emplace(std::move(*file));
    return files;
}

Result<OutputFile> OutputFiles::next() {
    if (!more())
        return make_error(ErrorKind::system, "write", target_.name, "it is finished, and has one stream",
                          "A name with %d goes on with another file");
    const std::string name = next_name();
    ++count_;
    if (opened_) {
        OutputFile file = std::move(*opened_);
        opened_.reset();
        return file;
    }
    return OutputFile::open(name, options_);
}

} // namespace v4l2dma
