// SPDX-License-Identifier: MIT
#include "flow/frame.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

Result<FrameBytes> FrameBytes::of(const Frame& frame) {
    FrameBytes result;
    result.plane_count_ = frame.metadata.plane_count;
    for (std::uint32_t i = 0; i < result.plane_count_; ++i) {
        const PlaneMemory& plane = frame.memory->planes[i];
        std::span<const std::byte> memory = plane.bytes;
        if (plane.dmabuf != nullptr) { // not a bare mapping of it: the device may have to be waited for
            Result<CpuAccess> reading = plane.dmabuf->read();
            if (!reading)
                return std::unexpected(std::move(reading.error()));
            memory = reading->bytes();
            result.accesses_[i].emplace(std::move(*reading));
        }
        const PlanePayload& payload = frame.metadata.planes[i];
        if (payload.bytesused > memory.size())
            return make_error(ErrorKind::system, "frame", std::to_string(frame.metadata.sequence),
                              fmt::format("its payload of {} bytes does not fit in its {} bytes of memory",
                                          payload.bytesused, memory.size()));
        // Within bytesused, whatever the driver says of data_offset.
        result.planes_[i] = memory.first(payload.bytesused).last(payload.length());
    }
    return result;
}

std::uint64_t FrameBytes::size() const noexcept {
    std::uint64_t sum = 0;
    for (const std::span<const std::byte> plane : planes())
        sum += plane.size();
    return sum;
}

Result<WritableBytes> WritableBytes::of(const BufferMemory& memory) {
    WritableBytes result;
    result.plane_count_ = memory.plane_count;
    for (std::uint32_t i = 0; i < memory.plane_count; ++i) {
        const PlaneMemory& plane = memory.planes[i];
        result.planes_[i] = plane.bytes;
        if (plane.dmabuf == nullptr)
            continue;
        Result<CpuWriteAccess> writing = plane.dmabuf->write();
        if (!writing)
            return std::unexpected(std::move(writing.error()));
        result.planes_[i] = writing->bytes();
        result.accesses_[i].emplace(std::move(*writing));
    }
    return result;
}

} // namespace v4l2dma
