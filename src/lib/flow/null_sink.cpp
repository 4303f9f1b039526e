// SPDX-License-Identifier: MIT
#include "flow/null_sink.h"

#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

std::string NullSink::why_not(MemoryRole role) const {
    if (role == MemoryRole::imports && !wants_dmabufs_)
        return "not asked for (--dmabuf)";
    if (role != MemoryRole::imports && role != MemoryRole::touches)
        return "this consumer has no buffers of its own";
    return {};
}

Status NullSink::set_format(const FrameFormat& format) {
    previous_.reset(); // another stream counts from 0 again
    least_payload_ = least_payload(format);
    most_payload_ = format.sizeimage();
    return {};
}

Result<std::span<BufferMemory>> NullSink::provide(MemoryRole, std::uint32_t) {
    return make_error(ErrorKind::unsupported, "allocate", name(), "it has no buffers");
}

Result<PutResult> NullSink::put(const Frame& frame) {
    const BufferMetadata& now = frame.metadata;
    if (previous_) {
        const std::uint32_t step = now.sequence - previous_->sequence; // wraps
        faults_.sequence += step == 0 || step >= 1U << 31 ? 1U : 0U;
        faults_.timestamp += now.timestamp < previous_->timestamp ? 1U : 0U;
    }
    faults_.size += now.payload() < least_payload_ || now.payload() > most_payload_ ? 1U : 0U;
    previous_ = now;
    held_ = frame.index;
    return PutResult{.taken = true, .kept = true};
}

Result<std::optional<std::uint32_t>> NullSink::reclaim() {
    return std::exchange(held_, std::nullopt);
}

Status NullSink::verdict() const {
    if (faults_.sum() == 0)
        return {};
    return make_error(ErrorKind::system, "verify", name(),
                      fmt::format("{} frames with a sequence number that did not grow, {} with a timestamp "
                                  "that went back, {} with a wrong size",
                                  faults_.sequence, faults_.timestamp, faults_.size));
}

} // namespace v4l2dma
