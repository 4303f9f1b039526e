// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "flow/frame.h"

#include <memory>
#include <string>

namespace v4l2dma {

/// Writes a line for each frame, so that the two ends of a path can be compared frame by frame:
///
///     sequence timestamp index inode hash
///
/// timestamp: microseconds; a loop passes it on unchanged, so it names the same frame everywhere (the
/// sequence starts at 0 in each reader). index: of the source's buffer. inode: of the frame's (first)
/// dma-buf, "-" if it has none. hash: hash_bytes() of the payload, read by the CPU for this purpose alone.
class FrameLog final : public FrameObserver {
public:
    /// Creates or truncates the file at @p path. Of a pipe, somebody must read already, and keep reading.
    [[nodiscard]] static Result<std::unique_ptr<FrameLog>> create(const std::string& path);

    /// Each line reaches the file at once: a log of a killed process ends at the right frame.
    [[nodiscard]] Status observe(const Frame& frame) override;

private:
    FrameLog(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

    UniqueFd file_;
    std::string path_;
};

} // namespace v4l2dma
