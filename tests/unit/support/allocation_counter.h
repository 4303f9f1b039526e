// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace v4l2dma::testing {

/// Calls of operator new in this process so far, without those made while an Uncounted lives. Always 0 under
/// a sanitizer, which has an operator new of its own: see counts_allocations(). One thread.
[[nodiscard]] std::uint64_t allocations() noexcept;
[[nodiscard]] bool counts_allocations() noexcept;

/// What a fake allocates is not its user's.
class Uncounted {
public:
    Uncounted() noexcept;
    Uncounted(const Uncounted&) = delete;
    Uncounted& operator=(const Uncounted&) = delete;
    ~Uncounted();
};

} // namespace v4l2dma::testing
