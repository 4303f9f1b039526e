// SPDX-License-Identifier: MIT
#include "flow/shared_memory.h"

#include "dmabuf/allocator.h"

namespace v4l2dma {

// Room for all planes at once: the buffers point into the vectors.
SharedMemory::SharedMemory(const FrameFormat& format, std::uint32_t count)
    : buffers_(count, BufferMemory{.plane_count = format.plane_count}) {
    dmabufs_.reserve(std::size_t{count} * format.plane_count);
    mappings_.reserve(std::size_t{count} * format.plane_count);
}

Result<SharedMemory> SharedMemory::dmabufs(const FrameFormat& format, std::uint32_t count,
                                           std::string_view heap, bool addresses, System& system) {
    const Result<std::unique_ptr<DmabufAllocator>> allocator = DmabufAllocator::open(heap, system);
    if (!allocator)
        return std::unexpected(allocator.error());
    SharedMemory memory(format, count);
    for (BufferMemory& buffer : memory.buffers_) {
        for (std::uint32_t plane = 0; plane < buffer.plane_count; ++plane) {
            Result<DmabufBuffer> dmabuf = (*allocator)->allocate(format.planes[plane].sizeimage);
            if (!dmabuf)
                return std::unexpected(std::move(dmabuf.error()));
            buffer.planes[plane].dmabuf = &memory.dmabufs_.emplace_back(std::move(*dmabuf));
            if (!addresses)
                continue;
            const DmabufBuffer& made = memory.dmabufs_.back();
            Result<Mapping> mapping =
                Mapping::map(made.fd(), made.size(), 0, MapAccess::read_write, (*allocator)->path(), system);
            if (!mapping)
                return std::unexpected(std::move(mapping.error()));
            buffer.planes[plane].bytes = memory.mappings_.emplace_back(std::move(*mapping)).bytes();
        }
    }
    return memory;
}

Result<SharedMemory> SharedMemory::plain(const FrameFormat& format, std::uint32_t count, System& system) {
    SharedMemory memory(format, count);
    for (BufferMemory& buffer : memory.buffers_) {
        for (std::uint32_t plane = 0; plane < buffer.plane_count; ++plane) {
            Result<Mapping> mapping = Mapping::anonymous(format.planes[plane].sizeimage, system);
            if (!mapping)
                return std::unexpected(std::move(mapping.error()));
            buffer.planes[plane].bytes = memory.mappings_.emplace_back(std::move(*mapping)).bytes();
        }
    }
    return memory;
}

} // namespace v4l2dma
