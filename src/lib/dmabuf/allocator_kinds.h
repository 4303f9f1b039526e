// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/allocator.h"

namespace v4l2dma {

// The kinds of memory behind the table in allocator.cpp. Each takes its open node over.

/// A dma-heap: memory that the kernel has for sharing (CONFIG_DMABUF_HEAPS).
[[nodiscard]] std::unique_ptr<DmabufAllocator> make_heap_allocator(DmabufAllocator::Node node);
/// udmabuf: pages of a memfd (CONFIG_UDMABUF).
[[nodiscard]] std::unique_ptr<DmabufAllocator> make_udmabuf_allocator(DmabufAllocator::Node node);
/// DRM dumb buffers: memory that a display can show, which on a graphics card may be slow to read.
[[nodiscard]] std::unique_ptr<DmabufAllocator> make_drm_allocator(DmabufAllocator::Node node);

} // namespace v4l2dma
