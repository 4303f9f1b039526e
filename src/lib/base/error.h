// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

namespace v4l2dma {

/// What went wrong, in the terms a command decides by. The exit code follows from it (cli/exit_code.h).
enum class ErrorKind {
    system,      ///< a system call failed while running
    usage,       ///< the caller asked for something that makes no sense
    device,      ///< a device or the module is missing or unusable
    unsupported, ///< the demanded zero-copy or feature is not available
    peer,        ///< the other end broke the protocol or went away
};

/// Whether the other end, a device or a program, is gone: another way to it leads nowhere either.
[[nodiscard]] constexpr bool is_gone(ErrorKind kind) noexcept {
    return kind == ErrorKind::device || kind == ErrorKind::peer;
}

/// A failure as a value: errno, the operation, and the object it was tried on.
///
/// Layers pass it up unlogged, at most adding a remedy; it is reported once, by whoever decides about it.
struct Error {
    ErrorKind kind = ErrorKind::system;
    int code = 0;          ///< errno value, 0 if the failure is not one of the system's
    std::string operation; ///< what was tried: "QBUF", "open"
    std::string object;    ///< on what: "/dev/video2 index 3"
    std::string detail;    ///< why, in words, where errno does not tell enough
    std::string remedy;    ///< what the user can do; a sentence, may be empty

    /// "QBUF /dev/video2 index 3: Bad address (detail). Remedy."
    [[nodiscard]] std::string message() const;
};

template <typename T> using Result = std::expected<T, Error>;
using Status = Result<void>;

/// An Error from @p code (an errno value, by default the current errno), ready to be returned.
/// ENODEV, ENXIO and ENOENT get ErrorKind::device, everything else ErrorKind::system.
[[nodiscard]] std::unexpected<Error> system_error(std::string_view operation, std::string_view object,
                                                  int code = errno);

/// As system_error(), for the user's own files: one whose folder is missing is no missing device.
[[nodiscard]] std::unexpected<Error> file_error(std::string_view operation, std::string_view path,
                                                int code = errno);

/// An Error that no errno describes.
[[nodiscard]] std::unexpected<Error> make_error(ErrorKind kind, std::string_view operation,
                                                std::string_view object, std::string_view detail,
                                                std::string_view remedy = {});

} // namespace v4l2dma
