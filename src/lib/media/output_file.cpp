// SPDX-License-Identifier: MIT
#include "media/output_file.h"

#include "base/atomic_file.h"
#include "base/open_output.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace v4l2dma {

namespace {

std::unexpected<Error> exists(const std::string& name) {
    return make_error(ErrorKind::usage, "write", name, "it exists", "With --force it is overwritten");
}

} // namespace

Status OutputFile::check(const std::string& name, bool force) {
    if (name == "-")
        return {};
    if (Status status = check_absent(name, force); !status)
        return status;
    return check_writable(name);
}

Status OutputFile::check_absent(const std::string& name, bool force) {
    struct stat status {};
    if (!force && ::lstat(name.c_str(), &status) == 0 && !S_ISDIR(status.st_mode) && !is_special_file(name))
        return exists(name);
    return {};
}

Result<OutputFile> OutputFile::open(const std::string& name, const Options& options) {
    if (name == "-") {
        UniqueFd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
        if (!fd)
            return file_error("open", "standard output");
        return OutputFile(std::move(fd), "standard output", options.urgency);
    }
    int flags = O_CREAT | (options.force ? O_TRUNC : O_EXCL);
    if (is_special_file(name))
        flags = 0;
    Result<UniqueFd> fd = open_output(name, flags);
    if (!fd && fd.error().code == EEXIST)
        return exists(name);
    if (!fd)
        return std::unexpected(std::move(fd.error()));
    OutputFile file(std::move(*fd), name, options.urgency);
    file.created_ = (flags & O_EXCL) != 0;
    return file;
}

// Of standard output only the part behind what a shell has written there already would be ours.
OutputFile::OutputFile(UniqueFd fd, std::string name, const Urgency* urgency)
    : fd_(std::move(fd)), name_(std::move(name)), urgency_(urgency) {
    struct stat status {};
    seekable_ = ::fstat(fd_.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                ::lseek(fd_.get(), 0, SEEK_CUR) == 0 && (::fcntl(fd_.get(), F_GETFL) & O_APPEND) == 0;
}

Status OutputFile::note(Status status) {
    if (!status && !failure_)
        failure_ = status.error();
    return status;
}

Status OutputFile::write(std::span<const std::byte> bytes) {
    WritePatience patience;
    if (urgency_ != nullptr) {
        patience.stop_fd = urgency_->hurry_fd();
        patience.give_up_fd = urgency_->give_up_fd();
    }
    Status status = note(write_bytes(fd_.get(), bytes, name_, patience));
    struct stat now {};
    if (status)
        position_ += bytes.size();
    else if (seekable_ && ::fstat(fd_.get(), &now) == 0) // some of it may have found room
        position_ = static_cast<std::uint64_t>(now.st_size);
    size_ = std::max(size_, position_);
    return status;
}

Status OutputFile::seek(std::uint64_t position) {
    if (::lseek(fd_.get(), static_cast<off_t>(position), SEEK_SET) < 0)
        return note(file_error("seek", name_));
    position_ = position;
    return {};
}

void OutputFile::discard() noexcept {
    fd_.reset();
    if (created_)
        ::unlink(name_.c_str());
}

// A file that found no room for its first byte is none.
Status OutputFile::close() {
    struct stat status {};
    if (failure_ && created_ && fd_ && ::fstat(fd_.get(), &status) == 0 && status.st_size == 0)
        discard();
    if (fd_ && ::close(fd_.release()) != 0 && errno != EINTR)
        return note(file_error("close", name_));
    return {};
}

} // namespace v4l2dma
