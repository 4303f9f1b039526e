// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <algorithm>
#include <poll.h>
#include <unistd.h>

namespace v4l2dma {

namespace {

std::string dump(const nlohmann::ordered_json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace

Status write_stdout(std::string_view text, int fd) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
            continue;
        }
        if (errno == EAGAIN) { // somebody else made the shared description non-blocking
            pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
            if (::poll(&writable, 1, -1) >= 0 || errno == EINTR)
                continue;
        }
        if (errno == EINTR)
            continue;
        // Always ErrorKind::system: ENXIO here would otherwise read as a missing video device.
        auto error = system_error("write", "standard output");
        error.error().kind = ErrorKind::system;
        return error;
    }
    return {};
}

Status write_json_line(const nlohmann::ordered_json& json, int fd) {
    return write_stdout(dump(json, -1), fd);
}

Status write_json_document(const nlohmann::ordered_json& json, int fd) {
    return write_stdout(dump(json, 2), fd);
}

std::string printable(std::string_view text) {
    std::string clean(text);
    std::ranges::replace_if(
        clean,
        [](char c) {
            const auto byte = static_cast<unsigned char>(c);
            return byte < 0x20 || byte == 0x7f;
        },
        '?');
    return clean;
}

} // namespace v4l2dma
