// SPDX-License-Identifier: MIT
#include "flow/snapshot.h"

#include "base/atomic_file.h"
#include "media/png.h"

namespace v4l2dma {

Status Snapshot::observe(const Frame& frame) {
    if (taken_)
        return {};
    if (skip_ > 0) {
        --skip_;
        return {};
    }
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    const Result<std::vector<std::byte>> png = encode_png(*frame.format, payload->planes());
    if (!png)
        return std::unexpected(png.error());
    taken_ = true;
    return write_file_atomically(path_, *png);
}

} // namespace v4l2dma
