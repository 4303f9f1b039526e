// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"

namespace v4l2dma {

/// What a command tells the shell. The numbers are part of the interface: scripts decide by them.
enum class ExitCode : int {
    done = 0,             ///< also when stopped by Ctrl-C
    failed = 1,           ///< failed while running
    usage = 2,            ///< the command line makes no sense
    device = 3,           ///< a device or module is missing or unusable
    unavailable = 4,      ///< the demanded zero-copy or feature is not available
    peer = 5,             ///< the peer broke the protocol or went away
    nothing_to_test = 77, ///< selftest found nothing it could test
};

/// For main() and Command::run, which return plain ints.
[[nodiscard]] constexpr int to_int(ExitCode code) noexcept {
    return static_cast<int>(code);
}

[[nodiscard]] constexpr ExitCode exit_code_for(ErrorKind kind) noexcept {
    switch (kind) {
    case ErrorKind::system:
        return ExitCode::failed;
    case ErrorKind::usage:
        return ExitCode::usage;
    case ErrorKind::device:
        return ExitCode::device;
    case ErrorKind::unsupported:
        return ExitCode::unavailable;
    case ErrorKind::peer:
        return ExitCode::peer;
    }
    return ExitCode::failed;
}

/// Logs @p error and answers with the exit code of its kind: `return report(status.error());`.
///
/// The one place where a command's failure becomes a line on stderr, so that no error is logged twice.
[[nodiscard]] int report(const Error& error);

} // namespace v4l2dma
