// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <drm.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace v4l2dma::testing {

/// A node that makes dma-bufs (memfds, which pass for them): a heap below /dev/dma_heap, /dev/udmabuf, or a
/// DRM card below /dev/dri. It refuses what the drivers refuse.
class FakeAllocator {
public:
    explicit FakeAllocator(std::string node) : path(std::move(node)) {}

    std::string path;
    bool has_dumb_buffers = true;        ///< a DRM card; those without have render nodes only
    std::size_t size_limit = 64U << 20U; ///< udmabuf's size_limit_mb, in bytes
    std::size_t missing_bytes = 0;       ///< how much shorter the dma-buf is than it should be

    /// What an ioctl of such nodes is called; null if it is none.
    [[nodiscard]] static const char* name_of(unsigned long request);
    int ioctl(unsigned long request, void* argument);

    /// DRM handles that nobody has destroyed.
    [[nodiscard]] std::size_t handles() const noexcept { return handles_.size(); }
    /// Whether the card's opener has kept it from others.
    [[nodiscard]] bool is_master() const noexcept { return master_; }
    /// What no correct program does.
    [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }

private:
    [[nodiscard]] int make(std::size_t bytes) const;
    int allocate_from_heap(dma_heap_allocation_data& request);
    int create_udmabuf(const udmabuf_create& request);
    int create_dumb(drm_mode_create_dumb& request);
    int export_handle(drm_prime_handle& request);
    int destroy_dumb(std::uint32_t handle);

    std::set<std::uint32_t> handles_;
    std::uint32_t next_handle_ = 1;
    std::size_t dumb_size_ = 0;
    bool master_ = true;
    std::vector<std::string> violations_;
};

} // namespace v4l2dma::testing
