// SPDX-License-Identifier: MIT
#include "dmabuf/allocator_kinds.h"

#include <fcntl.h>
#include <linux/dma-heap.h>

namespace v4l2dma {

namespace {

class HeapAllocator final : public DmabufAllocator {
public:
    explicit HeapAllocator(Node node) : DmabufAllocator(std::move(node)) {}

private:
    [[nodiscard]] Result<UniqueFd> create(std::size_t bytes) const override;
};

Result<UniqueFd> HeapAllocator::create(std::size_t bytes) const {
    dma_heap_allocation_data request{};
    request.len = bytes;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    if (const int result = system().ioctl(fd(), DMA_HEAP_IOCTL_ALLOC, &request); result < 0)
        return system_error("DMA_HEAP_IOCTL_ALLOC", object(bytes), -result);
    return UniqueFd(static_cast<int>(request.fd));
}

} // namespace

std::unique_ptr<DmabufAllocator> make_heap_allocator(DmabufAllocator::Node node) {
    return std::make_unique<HeapAllocator>(std::move(node));
}

} // namespace v4l2dma
