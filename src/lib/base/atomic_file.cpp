// SPDX-License-Identifier: MIT
#include "base/atomic_file.h"

#include "base/open_output.h"
#include "base/write_bytes.h"

#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

// close() is where some file systems tell that a write has failed.
Status close_written(UniqueFd fd, const std::string& path) {
    if (::close(fd.release()) != 0 && errno != EINTR)
        return file_error("close", path);
    return {};
}

Status write_in_place(const std::string& path, std::span<const std::byte> bytes) {
    Result<UniqueFd> fd = open_output(path, 0);
    if (!fd)
        return std::unexpected(std::move(fd.error()));
    if (Status status = write_bytes(fd->get(), bytes, path, reader_patience); !status)
        return status;
    return close_written(std::move(*fd), path);
}

// The process's number keeps two writers of the same path apart; O_EXCL refuses a planted link; the count
// passes over what a killed process of the same number has left.
UniqueFd create_beside(const std::string& path, std::string& temporary) {
    constexpr int attempts = 100;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        temporary = path + "." + std::to_string(::getpid()) + "." + std::to_string(attempt) + ".tmp";
        UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd || errno != EEXIST)
            return fd;
    }
    return {};
}

} // namespace

bool is_special_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
    if (is_special_file(path))
        return write_in_place(path, bytes);
    std::string temporary;
    UniqueFd fd = create_beside(path, temporary);
    if (!fd)
        return file_error("create", path);
    Status status = write_bytes(fd.get(), bytes, path);
    if (status)
        status = close_written(std::move(fd), path);
    if (status && ::rename(temporary.c_str(), path.c_str()) != 0)
        status = file_error("rename", path);
    if (!status)
        ::unlink(temporary.c_str());
    return status;
}

Status check_writable(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
        return file_error("write", path, EISDIR);
    if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0)
        return {};
    if (errno != ENOENT)
        return file_error("write", path);
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (::faccessat(AT_FDCWD, folder.empty() ? "." : folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return file_error("write", path);
    return {};
}

} // namespace v4l2dma
