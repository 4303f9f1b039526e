// SPDX-License-Identifier: MIT
#include "base/write_bytes.h"

#include <algorithm>
#include <array>
#include <climits>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

std::unexpected<Error> nobody_reads(std::string_view object) {
    auto error = file_error("write", object, ETIMEDOUT);
    error.error().remedy = "Nobody reads what is written there";
    return error;
}

std::unexpected<Error> given_up(std::string_view object) {
    auto error = file_error("write", object, ETIMEDOUT);
    error.error().remedy = "Who reads it took too long";
    return error;
}

Status wait_for_room(int fd, std::string_view object, const WritePatience& patience) {
    std::array<pollfd, 3> waited{pollfd{.fd = fd, .events = POLLOUT, .revents = 0},
                                 pollfd{.fd = patience.stop_fd, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = patience.give_up_fd, .events = POLLIN, .revents = 0}};
    auto limit = patience.limit;
    while (true) {
        const int timeout = limit ? static_cast<int>(limit->count()) : -1;
        const int ready = ::poll(waited.data(), waited.size(), timeout);
        if (ready < 0 && errno != EINTR)
            return file_error("wait for", object);
        if (ready < 0)
            continue;
        if (waited[2].revents != 0)
            return given_up(object);
        if (waited[0].revents != 0) // an error too: write() tells which
            return {};
        if (ready == 0)
            return nobody_reads(object);
        waited[1].fd = -1;
        limit = std::min(limit.value_or(patience.hurried), patience.hurried);
    }
}

} // namespace

Status write_bytes(int fd, std::span<const std::byte> bytes, std::string_view object,
                   const WritePatience& patience) {
    const bool waits = !is_regular(fd);
    while (!bytes.empty()) {
        if (waits)
            if (Status status = wait_for_room(fd, object, patience); !status)
                return status;
        const std::size_t piece = waits ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        const ssize_t written = ::write(fd, bytes.data(), piece);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written < 0)
            return file_error("write", object);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

} // namespace v4l2dma
