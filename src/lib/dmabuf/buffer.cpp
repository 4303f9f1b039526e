// SPDX-License-Identifier: MIT
#include "dmabuf/buffer.h"

#include <linux/dma-buf.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

int call_sync(System& system, int fd, std::uint64_t flags) {
    dma_buf_sync request{.flags = flags};
    return system.ioctl(fd, DMA_BUF_IOCTL_SYNC, &request);
}

std::string name(DmabufIdentity identity) {
    return fmt::format("dma-buf inode {}", identity.inode);
}

} // namespace

Result<CpuSync> CpuSync::start(System& system, int fd, std::uint64_t flags, DmabufIdentity identity) {
    if (const int result = call_sync(system, fd, DMA_BUF_SYNC_START | flags); result < 0)
        return system_error("DMA_BUF_IOCTL_SYNC", name(identity), -result);
    return CpuSync(system, fd, flags);
}

CpuSync::CpuSync(CpuSync&& other) noexcept
    : system_(other.system_), fd_(std::exchange(other.fd_, -1)), flags_(other.flags_) {}

CpuSync::~CpuSync() {
    if (fd_ >= 0)
        call_sync(*system_, fd_, DMA_BUF_SYNC_END | flags_);
}

Result<DmabufBuffer> DmabufBuffer::adopt(UniqueFd fd, System& system) {
    const Result<DmabufIdentity> identity = identify_dmabuf(fd.get(), system);
    if (!identity)
        return std::unexpected(identity.error());
    // fstat answers 0 for a dma-buf's size; the end that lseek finds is the size.
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    if (size < 0)
        return system_error("lseek", name(*identity));
    DmabufBuffer buffer;
    buffer.system_ = &system;
    buffer.fd_ = std::move(fd);
    buffer.identity_ = *identity;
    buffer.size_ = static_cast<std::size_t>(size);
    return buffer;
}

Result<CpuAccess> DmabufBuffer::read() {
    if (Status mapped = map(readable_, MapAccess::read); !mapped)
        return std::unexpected(std::move(mapped.error()));
    Result<CpuSync> sync = CpuSync::start(*system_, fd_.get(), DMA_BUF_SYNC_READ, identity_);
    if (!sync)
        return std::unexpected(std::move(sync.error()));
    return CpuAccess(std::move(*sync), readable_.bytes());
}

Result<CpuWriteAccess> DmabufBuffer::write() {
    if (Status mapped = map(writable_, MapAccess::read_write); !mapped) {
        if (mapped.error().code == EACCES)
            mapped.error().detail = "it was exported for reading only";
        return std::unexpected(std::move(mapped.error()));
    }
    // Not SYNC_WRITE alone: the caches would keep what was there before the device wrote last, and give that
    // back for every byte that is not written now.
    Result<CpuSync> sync = CpuSync::start(*system_, fd_.get(), DMA_BUF_SYNC_RW, identity_);
    if (!sync)
        return std::unexpected(std::move(sync.error()));
    return CpuWriteAccess(std::move(*sync), writable_.bytes());
}

Status DmabufBuffer::map(Mapping& mapping, MapAccess access) const {
    if (mapping)
        return {};
    Result<Mapping> made = Mapping::map(fd_.get(), size_, 0, access, name(identity_), *system_);
    if (!made)
        return std::unexpected(std::move(made.error()));
    mapping = std::move(*made);
    return {};
}

} // namespace v4l2dma
