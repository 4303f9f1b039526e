// SPDX-License-Identifier: MIT
#include "media/network.h"

#include "base/suggest.h"
#include "base/words.h"
#include "media/av_objects.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <vector>

namespace v4l2dma {

namespace {

// Protocols of FFmpeg that read and write this machine's files, or bytes in the URL itself.
constexpr std::array<std::string_view, 11> local_schemes{
    "async", "cache", "concat", "concatf", "crypto", "data", "fd", "file", "md5", "pipe", "subfile"};

/// How this end can be the one that waits.
std::string_view way_to_listen(std::string_view scheme) {
    if (scheme == "srt")
        return ", or wait for it here by ?mode=listener";
    return scheme == "tcp" ? ", or wait for it here by ?listen" : "";
}

bool is_error(int code, std::initializer_list<int> numbers) {
    return std::ranges::any_of(numbers, [&](int number) { return code == AVERROR(number); });
}

std::vector<std::string_view> protocols(Direction direction) {
    std::vector<std::string_view> names;
    void* position = nullptr;
    while (const char* name =
               ffmpeg_formats().avio_enum_protocols(&position, direction == Direction::write ? 1 : 0))
        names.emplace_back(name);
    return names;
}

} // namespace

std::string scheme_of(std::string_view name) {
    const std::size_t end = name.find("://");
    const std::string_view word = name.substr(0, end == std::string_view::npos ? 0 : end);
    const bool legal = std::ranges::all_of(word, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.' || c == '_';
    });
    std::string scheme(legal ? word : "");
    std::ranges::transform(scheme, scheme.begin(), [](unsigned char c) { return std::tolower(c); });
    return scheme;
}

std::string without_file_scheme(std::string_view name) {
    const std::size_t prefix = std::string_view("file://").size();
    return std::string(scheme_of(name) == "file" ? name.substr(prefix) : name);
}

bool is_network(std::string_view name) {
    const std::string scheme = scheme_of(name);
    return !scheme.empty() && !is_one_of(scheme, local_schemes);
}

// FFmpeg says "Invalid argument", reads from a port of its own choice, or fails at the first frame.
Status check_port(std::string_view url) {
    constexpr std::array<std::string_view, 6> portless{"rtp", "sctp", "srt", "tcp", "tls", "udp"};
    constexpr unsigned highest = 65535;
    const std::string scheme = scheme_of(url);
    if (!is_one_of(scheme, portless))
        return {};
    std::string_view host = url.substr(scheme.size() + std::string_view("://").size());
    host = host.substr(0, host.find_first_of("/?#"));
    const std::size_t colon = host.rfind(':');
    const std::size_t bracket = host.rfind(']'); // of an IPv6 address
    const bool separates =
        colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
    const std::string_view digits = separates ? host.substr(colon + 1) : "";
    if (scheme == "udp" && url.find("localport=") != std::string_view::npos) // who reads may name it so
        return {};
    unsigned port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure == std::errc{} && end == digits.data() + digits.size() && port != 0 && port <= highest)
        return {};
    return make_error(ErrorKind::usage, "open", url, "it names no port from 1 to 65535",
                      fmt::format("Write it like {}://HOST:5000", scheme));
}

std::unexpected<Error> unknown_protocol(std::string_view url, Direction direction) {
    const std::vector<std::string_view> near = near_matches(scheme_of(url), protocols(direction), 3);
    return make_error(ErrorKind::usage, "open", url,
                      fmt::format("FFmpeg has no such protocol to {}",
                                  direction == Direction::write ? "write to" : "read from"),
                      near.empty() ? "" : fmt::format("There are: {}, ..", fmt::join(near, ", ")));
}

std::unexpected<Error> peer_error(std::string_view operation, std::string_view url, int code) {
    Error error = av_error(operation, url, code).error();
    error.kind = ErrorKind::peer;
    if (operation != "open") {
        if (is_error(code, {EPIPE, ECONNRESET, EIO}) || code == AVERROR_UNKNOWN)
            error.detail = "the other end went away";
        return std::unexpected(std::move(error));
    }
    if (is_error(code, {EIO}) || code == AVERROR_UNKNOWN)
        error.detail = "nobody answers there, or who does refuses";
    if (is_error(code, {EIO, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH}))
        error.remedy = std::string("Start the other end first").append(way_to_listen(scheme_of(url)));
    return std::unexpected(std::move(error));
}

} // namespace v4l2dma
