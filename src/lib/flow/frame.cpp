// SPDX-License-Identifier: MIT
#include "flow/frame.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

Result<FrameBytes> FrameBytes::of(const Frame& frame) {
    std::optional<CpuAccess> access;
    std::span<const std::byte> memory = frame.mapped;
    if (memory.empty() && frame.dmabuf != nullptr) {
        Result<CpuAccess> reading = frame.dmabuf->read();
        if (!reading)
            return std::unexpected(std::move(reading.error()));
        memory = reading->bytes();
        access.emplace(std::move(*reading));
    }
    const std::size_t payload = frame.metadata.bytesused;
    if (memory.size() < payload)
        return make_error(ErrorKind::system, "frame", std::to_string(frame.metadata.sequence),
                          fmt::format("its payload of {} bytes does not fit in its {} bytes of memory",
                                      payload, memory.size()));
    return FrameBytes(std::move(access), memory.first(payload));
}

} // namespace v4l2dma
