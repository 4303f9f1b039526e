// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <doctest/doctest.h>
#include <span>
#include <sys/mman.h>
#include <utility>

namespace v4l2dma::testing {

/// Memory that ends exactly where a page begins that cannot be touched, and that has one before it, too.
class GuardedMemory {
public:
    explicit GuardedMemory(std::size_t length)
        : length_(length), size_((length + page - 1) / page * page + 2 * page) {
        void* address = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(address != MAP_FAILED);
        address_ = static_cast<std::byte*>(address);
        REQUIRE(::mprotect(address_, page, PROT_NONE) == 0);
        REQUIRE(::mprotect(address_ + size_ - page, page, PROT_NONE) == 0);
    }
    GuardedMemory(GuardedMemory&& other) noexcept
        : address_(std::exchange(other.address_, nullptr)), length_(other.length_), size_(other.size_) {}
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;
    GuardedMemory& operator=(GuardedMemory&&) = delete;
    ~GuardedMemory() {
        if (address_ != nullptr)
            ::munmap(address_, size_);
    }

    [[nodiscard]] std::span<std::byte> bytes() const { return {address_ + size_ - page - length_, length_}; }
    /// Whether what is between the first page and the bytes, zeros at first, was left alone.
    [[nodiscard]] bool front_intact() const {
        return std::ranges::all_of(std::span(address_ + page, size_ - 2 * page - length_),
                                   [](std::byte byte) { return byte == std::byte{}; });
    }

private:
    static constexpr std::size_t page = 4096;
    std::byte* address_ = nullptr;
    std::size_t length_;
    std::size_t size_;
};

} // namespace v4l2dma::testing
