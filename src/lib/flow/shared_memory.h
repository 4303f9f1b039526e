// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "dmabuf/buffer_memory.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// Buffers that belong to neither end of a path: both work in them.
class SharedMemory {
public:
    /// @p count buffers for frames of @p format, as dma-bufs of the allocator that @p heap names (empty: the
    /// best that works), with @p addresses also mapped for USERPTR. Errors: those of DmabufAllocator, of
    /// mmap.
    [[nodiscard]] static Result<SharedMemory> dmabufs(const FrameFormat& format, std::uint32_t count,
                                                      std::string_view heap, bool addresses,
                                                      System& system = real_system());
    /// Likewise as ordinary memory of this process. Error: ENOMEM.
    [[nodiscard]] static Result<SharedMemory> plain(const FrameFormat& format, std::uint32_t count,
                                                    System& system = real_system());

    /// Valid as long as this lives, wherever it is moved to.
    [[nodiscard]] std::span<BufferMemory> buffers() noexcept { return buffers_; }

private:
    SharedMemory(const FrameFormat& format, std::uint32_t count);

    std::vector<DmabufBuffer> dmabufs_; ///< by buffer, then plane
    std::vector<Mapping> mappings_;     ///< likewise; empty without addresses
    std::vector<BufferMemory> buffers_;
};

} // namespace v4l2dma
