// SPDX-License-Identifier: MIT
#include "base/atomic_file.h"

#include "base/unique_fd.h"

#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

Status write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_error("write", path);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

} // namespace

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
    // The process's number keeps two writers of the same path apart; O_EXCL refuses a planted link.
    const std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
    UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd)
        return file_error("create", path);
    Status status = write_all(fd.get(), bytes, path);
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
