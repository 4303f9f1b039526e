// SPDX-License-Identifier: MIT
#include "flow/frame_log.h"

#include "base/hash.h"
#include "base/open_output.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <fcntl.h>
#include <span>

namespace v4l2dma {

Result<std::unique_ptr<FrameLog>> FrameLog::create(const std::string& path) {
    Result<UniqueFd> file = open_output(path, O_CREAT | O_TRUNC);
    if (!file)
        return std::unexpected(std::move(file.error()));
    return std::unique_ptr<FrameLog>(new FrameLog(std::move(*file), path));
}

Status FrameLog::observe(const Frame& frame) {
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    std::array<char, 24> inode{"-"};
    if (const DmabufBuffer* dmabuf = frame.memory->planes[0].dmabuf; dmabuf != nullptr)
        std::snprintf(inode.data(), inode.size(), "%" PRIu64, dmabuf->identity().inode);
    std::array<char, 128> line{};
    const int length =
        std::snprintf(line.data(), line.size(), "%" PRIu32 " %" PRId64 " %" PRIu32 " %s %016" PRIx64 "\n",
                      frame.metadata.sequence, static_cast<std::int64_t>(frame.metadata.timestamp.count()),
                      frame.index, inode.data(), hash_planes(payload->planes()));
    return write_bytes(file_.get(), std::as_bytes(std::span(line).first(static_cast<std::size_t>(length))),
                       path_, reader_patience);
}

} // namespace v4l2dma
