// SPDX-License-Identifier: MIT
#include "flow/frame_log.h"

#include "base/hash.h"

#include <array>
#include <cinttypes>

namespace v4l2dma {

Result<std::unique_ptr<FrameLog>> FrameLog::create(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "we"); // e: close-on-exec
    if (file == nullptr)
        return file_error("open", path);
    return std::unique_ptr<FrameLog>(new FrameLog(file, path));
}

Status FrameLog::observe(const Frame& frame) {
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    std::array<char, 24> inode{"-"};
    if (frame.dmabuf != nullptr)
        std::snprintf(inode.data(), inode.size(), "%" PRIu64, frame.dmabuf->identity().inode);
    const int written =
        std::fprintf(file_.get(), "%" PRIu32 " %" PRId64 " %" PRIu32 " %s %016" PRIx64 "\n",
                     frame.metadata.sequence, static_cast<std::int64_t>(frame.metadata.timestamp.count()),
                     frame.index, inode.data(), hash_bytes(payload->bytes()));
    if (written < 0 || std::fflush(file_.get()) != 0)
        return file_error("write", path_);
    return {};
}

} // namespace v4l2dma
