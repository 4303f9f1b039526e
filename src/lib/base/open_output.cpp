// SPDX-License-Identifier: MIT
#include "base/open_output.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

bool is_pipe(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

} // namespace

Result<UniqueFd> open_output(const std::string& path, int flags) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0666));
    if (fd)
        return fd;
    auto error = file_error("open", path);
    if (error.error().code == ENXIO && is_pipe(path))
        error.error().remedy = "Start what reads this pipe first";
    return error;
}

} // namespace v4l2dma
