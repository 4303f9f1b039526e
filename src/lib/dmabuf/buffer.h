// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "base/unique_fd.h"
#include "dmabuf/identity.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace v4l2dma {

/// The CPU looks at a dma-buf while one of these lives (DMA_BUF_IOCTL_SYNC start to end).
///
/// Waits, at creation, for the device that still fills the buffer, and makes caches coherent. Borrows the
/// DmabufBuffer, which must not move or go meanwhile.
class CpuAccess {
public:
    CpuAccess(CpuAccess&& other) noexcept;
    CpuAccess& operator=(CpuAccess&&) = delete;
    CpuAccess(const CpuAccess&) = delete;
    CpuAccess& operator=(const CpuAccess&) = delete;
    ~CpuAccess();

    /// The whole dma-buf; its size is page-rounded, the frame may be shorter.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
    friend class DmabufBuffer;
    CpuAccess(System& system, int fd, std::span<const std::byte> bytes) noexcept
        : system_(&system), fd_(fd), bytes_(bytes) {}

    System* system_;
    int fd_; ///< borrowed; -1 after a move
    std::span<const std::byte> bytes_;
};

/// Owns a reference on a dma-buf, and a mapping of it from the first CPU access on.
class DmabufBuffer {
public:
    DmabufBuffer() = default;
    /// Takes the fd over and finds out which dma-buf it is and how long (bytes).
    [[nodiscard]] static Result<DmabufBuffer> adopt(UniqueFd fd, System& system = real_system());

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] DmabufIdentity identity() const noexcept { return identity_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Reading by the CPU, through a mapping of the dma-buf itself; made once and kept.
    [[nodiscard]] Result<CpuAccess> read();

private:
    System* system_ = nullptr;
    UniqueFd fd_;
    DmabufIdentity identity_;
    std::size_t size_ = 0;
    Mapping mapping_;
};

} // namespace v4l2dma
