// SPDX-License-Identifier: MIT
#include "dmabuf/allocator_kinds.h"

#include <fcntl.h>
#include <linux/udmabuf.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>

namespace v4l2dma {

namespace {

// Of linux/memfd.h since 6.3. Where vm.memfd_noexec is 2, no memfd is made without it.
constexpr unsigned noexec_seal = 0x0008;

class UdmabufAllocator final : public DmabufAllocator {
public:
    explicit UdmabufAllocator(Node node) : DmabufAllocator(std::move(node)) {}

private:
    [[nodiscard]] Result<UniqueFd> create(std::size_t bytes) const override;
    [[nodiscard]] Result<UniqueFd> create_memory(std::size_t bytes) const;
};

/// The driver's one check that a correct call fails: drivers/dma-buf/udmabuf.c, size_limit_mb. Its other
/// limit, list_limit, is of UDMABUF_CREATE_LIST.
void explain_limit(Error& error, std::size_t bytes) {
    constexpr std::size_t megabyte = std::size_t{1} << 20;
    error.detail = "larger than the driver's parameter size_limit_mb allows, which is 64 by default";
    error.remedy = fmt::format("As root: `echo {} >/sys/module/udmabuf/parameters/size_limit_mb`",
                               (bytes + megabyte - 1) / megabyte);
}

Result<UniqueFd> UdmabufAllocator::create(std::size_t bytes) const {
    const Result<UniqueFd> memory = create_memory(bytes);
    if (!memory)
        return std::unexpected(memory.error());
    udmabuf_create request{};
    request.memfd = static_cast<std::uint32_t>(memory->get());
    request.flags = UDMABUF_FLAGS_CLOEXEC;
    request.size = bytes;
    const int result = system().ioctl(fd(), UDMABUF_CREATE, &request);
    if (result >= 0)
        return UniqueFd(result); // which keeps the pages; the memfd may go
    Error error = system_error("UDMABUF_CREATE", object(bytes), -result).error();
    if (error.code == EINVAL)
        explain_limit(error, bytes);
    return std::unexpected(std::move(error));
}

/// A memfd that cannot shrink, as the driver demands.
Result<UniqueFd> UdmabufAllocator::create_memory(std::size_t bytes) const {
    constexpr unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    const std::string name = "memfd for " + object(bytes);
    int result = system().memfd_create("v4l2dma", flags | noexec_seal);
    if (result == -EINVAL) // before 6.3
        result = system().memfd_create("v4l2dma", flags);
    if (result < 0)
        return system_error("memfd_create", name, -result);
    UniqueFd memory(result);
    if (const int grown = system().ftruncate(memory.get(), static_cast<off_t>(bytes)); grown < 0)
        return system_error("ftruncate", name, -grown);
    if (const int sealed = system().add_seals(memory.get(), F_SEAL_SHRINK); sealed < 0)
        return system_error("F_ADD_SEALS", name, -sealed);
    return memory;
}

} // namespace

std::unique_ptr<DmabufAllocator> make_udmabuf_allocator(DmabufAllocator::Node node) {
    return std::make_unique<UdmabufAllocator>(std::move(node));
}

} // namespace v4l2dma
