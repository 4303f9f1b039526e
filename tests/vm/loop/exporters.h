// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

// Who makes dma-bufs without a camera. The fds that come out belong to the caller.

/// The kernel's virtual GPU; -1 if it is not loaded.
int open_vgem();
/// The dma-heap of ordinary memory; -1 if the kernel has none.
int open_system_heap();
/// A dma-buf of a heap. Throws std::system_error.
int allocate_from_heap(int heap, std::size_t bytes);
