// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"

#include <string>

namespace v4l2dma {

/// Tells when something in a folder came, or got other rights: a device node after its device was plugged in.
class FolderWatch {
public:
    /// Errors: those of inotify (no such folder, too many watches).
    [[nodiscard]] static Result<FolderWatch> create(const std::string& folder);

    /// Readable once something happened.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// Takes note of all that happened so far.
    void drain() const noexcept;

private:
    explicit FolderWatch(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

} // namespace v4l2dma
