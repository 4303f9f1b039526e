// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <algorithm>
#include <span>

namespace v4l2dma {

namespace {

std::string dump(const nlohmann::ordered_json& json, int indent) {
    return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace

Status write_stdout(std::string_view text, const WritePatience& patience, int fd) {
    return write_bytes(fd, std::as_bytes(std::span(text)), "standard output", patience);
}

Status write_json_line(const nlohmann::ordered_json& json, const WritePatience& patience, int fd) {
    return write_stdout(dump(json, -1), patience, fd);
}

Status write_json_document(const nlohmann::ordered_json& json) {
    return write_stdout(dump(json, 2));
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
