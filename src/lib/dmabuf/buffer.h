// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "base/unique_fd.h"
#include "dmabuf/identity.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace v4l2dma {

/// DMA_BUF_IOCTL_SYNC from start to end; the end has the flags of the start, as the kernel wants it.
class CpuSync {
public:
    /// @p flags are DMA_BUF_SYNC_READ, _WRITE or _RW; @p fd is borrowed while this lives.
    [[nodiscard]] static Result<CpuSync> start(System& system, int fd, std::uint64_t flags,
                                               DmabufIdentity identity);
    CpuSync(CpuSync&& other) noexcept;
    CpuSync& operator=(CpuSync&&) = delete;
    CpuSync(const CpuSync&) = delete;
    CpuSync& operator=(const CpuSync&) = delete;
    ~CpuSync();

private:
    CpuSync(System& system, int fd, std::uint64_t flags) noexcept
        : system_(&system), fd_(fd), flags_(flags) {}

    System* system_;
    int fd_; ///< borrowed; -1 after a move
    std::uint64_t flags_;
};

/// The CPU works on a dma-buf while one of these lives: it looks (CpuAccess) or also writes (CpuWriteAccess).
///
/// Waits, at creation, for the device that still uses the buffer, and makes caches coherent. Borrows the
/// DmabufBuffer, which must not move or go meanwhile. Empty after a move.
template <typename Byte> class BasicCpuAccess {
public:
    BasicCpuAccess(BasicCpuAccess&& other) noexcept
        : sync_(std::move(other.sync_)), bytes_(std::exchange(other.bytes_, {})) {}

    /// The whole dma-buf; its size is page-rounded, the frame may be shorter.
    [[nodiscard]] std::span<Byte> bytes() const noexcept { return bytes_; }

private:
    friend class DmabufBuffer;
    BasicCpuAccess(CpuSync sync, std::span<Byte> bytes) noexcept : sync_(std::move(sync)), bytes_(bytes) {}

    CpuSync sync_;
    std::span<Byte> bytes_;
};
using CpuAccess = BasicCpuAccess<const std::byte>;
using CpuWriteAccess = BasicCpuAccess<std::byte>;

/// Owns a reference on a dma-buf, and mappings of it from the first CPU access of each kind on.
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
    /// Writing by the CPU, also of parts, and reading back; likewise mapped once. Accesses that live already
    /// stay valid. Error EACCES: the dma-buf was exported for reading only.
    [[nodiscard]] Result<CpuWriteAccess> write();

private:
    [[nodiscard]] Status map(Mapping& mapping, MapAccess access) const;

    System* system_ = nullptr;
    UniqueFd fd_;
    DmabufIdentity identity_;
    std::size_t size_ = 0;
    Mapping readable_; ///< a mapping of its own: an fd may be read-only, and bytes handed out must stay
    Mapping writable_;
};

} // namespace v4l2dma
