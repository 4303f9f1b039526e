// SPDX-License-Identifier: MIT
#include "support/allocation_counter.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define V4L2DMA_COUNTS_ALLOCATIONS 0
#else
#define V4L2DMA_COUNTS_ALLOCATIONS 1
#endif

namespace {

std::uint64_t counted = 0; // NOLINT: operator new has no other place to count in
int silent = 0;            // NOLINT: likewise

} // namespace

namespace v4l2dma::testing {

std::uint64_t allocations() noexcept {
    return counted;
}

bool counts_allocations() noexcept {
    return V4L2DMA_COUNTS_ALLOCATIONS != 0;
}

Uncounted::Uncounted() noexcept {
    ++silent;
}

Uncounted::~Uncounted() {
    --silent;
}

} // namespace v4l2dma::testing

#if V4L2DMA_COUNTS_ALLOCATIONS

// The other forms of new and delete end in these.
void* operator new(std::size_t size) {
    counted += silent == 0 ? 1U : 0U;
    if (void* const memory = std::malloc(size > 0 ? size : 1); memory != nullptr)
        return memory;
    throw std::bad_alloc();
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    counted += silent == 0 ? 1U : 0U;
    const auto step = static_cast<std::size_t>(alignment);
    if (void* const memory = std::aligned_alloc(step, (size + step) / step * step); memory != nullptr)
        return memory;
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

#endif
