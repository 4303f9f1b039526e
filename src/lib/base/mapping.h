// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/system.h"

#include <cstddef>
#include <span>
#include <string_view>
#include <sys/types.h>

namespace v4l2dma {

enum class MapAccess { read, write, read_write };

/// Owns a memory mapping and unmaps it: a shared one of a file descriptor, or private memory.
class Mapping {
public:
    Mapping() = default;
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();

    /// Maps @p length bytes of @p fd at @p offset (both in bytes, offset page-aligned or a V4L2 cookie).
    /// The descriptor may be closed afterwards. @p object names it in the error.
    [[nodiscard]] static Result<Mapping> map(int fd, std::size_t length, off_t offset, MapAccess access,
                                             std::string_view object, System& system = real_system());

    /// @p length bytes of private zeroed memory, to read and write, page-aligned: what a driver takes as
    /// USERPTR. The kernel gives the pages at the first touch. Error: ENOMEM.
    [[nodiscard]] static Result<Mapping> anonymous(std::size_t length, System& system = real_system());

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {address_, length_}; }
    [[nodiscard]] explicit operator bool() const noexcept { return address_ != nullptr; }
    void reset() noexcept;

private:
    Mapping(std::byte* address, std::size_t length) noexcept : address_(address), length_(length) {}

    std::byte* address_ = nullptr;
    std::size_t length_ = 0;
};

} // namespace v4l2dma
