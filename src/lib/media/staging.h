// SPDX-License-Identifier: MIT
#pragma once

#include "format/plane_copy.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace v4l2dma {

/// Programs that work in steps of a vector may go to the end of a step, and want rows to begin at one.
constexpr std::size_t vector_step = 32;

/// Whether the rows of these planes begin and end where such a step does.
template <typename Byte>
[[nodiscard]] bool in_vector_steps(const std::array<Rows<Byte>, 3>& planes, const Layout& layout) {
    for (std::uint32_t i = 0; i < layout.plane_count; ++i)
        if (reinterpret_cast<std::uintptr_t>(planes[i].begin) % vector_step != 0 ||
            planes[i].stride % vector_step != 0 || layout.planes[i].row_bytes % vector_step != 0)
            return false;
    return true;
}

/// Memory for the planes of one layout, with room around each for a program that reads and writes beyond.
class Staging {
public:
    /// The same planes at each call. The memory is allocated at the first one, for a conversion that needs
    /// none shall have none; it stays.
    [[nodiscard]] std::array<Rows<std::byte>, 3> planes(const Layout& layout);

private:
    std::vector<std::byte> memory_; ///< zeroed: what is around a picture is not to be anybody's old one
};

} // namespace v4l2dma
