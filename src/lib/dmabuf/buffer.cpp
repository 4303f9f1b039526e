// SPDX-License-Identifier: MIT
#include "dmabuf/buffer.h"

#include <linux/dma-buf.h>
#include <spdlog/fmt/fmt.h>
#include <utility>

namespace v4l2dma {

namespace {

int sync(System& system, int fd, std::uint64_t flags) {
    dma_buf_sync request{.flags = flags};
    return system.ioctl(fd, DMA_BUF_IOCTL_SYNC, &request);
}

std::string name(DmabufIdentity identity) {
    return fmt::format("dma-buf inode {}", identity.inode);
}

} // namespace

CpuAccess::CpuAccess(CpuAccess&& other) noexcept
    : system_(other.system_), fd_(std::exchange(other.fd_, -1)), bytes_(std::exchange(other.bytes_, {})) {}

CpuAccess::~CpuAccess() {
    if (fd_ >= 0)
        sync(*system_, fd_, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
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
    if (!mapping_) {
        Result<Mapping> mapping =
            Mapping::map(fd_.get(), size_, 0, MapAccess::read, name(identity_), *system_);
        if (!mapping)
            return std::unexpected(std::move(mapping.error()));
        mapping_ = std::move(*mapping);
    }
    if (const int result = sync(*system_, fd_.get(), DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ); result < 0)
        return system_error("DMA_BUF_IOCTL_SYNC", name(identity_), -result);
    return CpuAccess(*system_, fd_.get(), mapping_.bytes());
}

} // namespace v4l2dma
