// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "v4l2/device.h"

#include <chrono>
#include <optional>
#include <vector>

namespace v4l2dma {

/// What QUERYBUF says of a buffer.
struct BufferInfo {
    std::uint32_t length = 0; ///< bytes
    std::uint32_t offset = 0; ///< cookie for mmap()
    std::uint32_t flags = 0;  ///< V4L2_BUF_FLAG_*
};

/// The metadata a frame carries through QBUF and DQBUF.
struct BufferMetadata {
    std::uint32_t bytesused = 0;
    std::uint32_t field = 0;    ///< enum v4l2_field
    std::uint32_t flags = 0;    ///< V4L2_BUF_FLAG_*
    std::uint32_t sequence = 0; ///< of the driver; ignored on output
    std::chrono::microseconds timestamp{};
    bool no_signal = false; ///< a loop's own picture, while its writer is silent; ignored on output
};

/// A buffer that DQBUF handed out.
struct DequeuedBuffer {
    std::uint32_t index = 0;
    BufferMetadata metadata;
};

/// The buffers of one side of a device: REQBUFS to REQBUFS(0).
///
/// Borrows the Device, which must outlive it. Owns the mappings; exported fds belong to the caller. One
/// thread at a time. release(), and the destructor, undo everything in the order the kernel wants: STREAMOFF,
/// munmap (a live mapping keeps vb2's REQBUFS at EBUSY), REQBUFS(0).
class Queue {
public:
    /// REQBUFS. The driver decides on the number: see count(). EBUSY is a device error that says what to do.
    [[nodiscard]] static Result<Queue> create(const Device& device, BufferType type, Memory memory,
                                              std::uint32_t count);
    Queue(Queue&& other) noexcept;
    Queue& operator=(Queue&& other) noexcept;
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    ~Queue();

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] Memory memory() const noexcept { return memory_; }
    /// V4L2_BUF_CAP_* that REQBUFS answered with, 0 on drivers that say nothing.
    [[nodiscard]] std::uint32_t capabilities() const noexcept { return capabilities_; }

    [[nodiscard]] Result<BufferInfo> query(std::uint32_t index) const;
    /// Maps every buffer (MMAP memory). On a loop's reader this asks the module for a copy of imported
    /// frames.
    [[nodiscard]] Status map_all();
    /// The mapped bytes of a buffer, empty before map_all().
    [[nodiscard]] std::span<std::byte> bytes(std::uint32_t index) const noexcept;
    /// EXPBUF: a new fd on the buffer's dma-buf, close-on-exec; @p flags adds O_RDWR or O_RDONLY.
    [[nodiscard]] Result<UniqueFd> export_buffer(std::uint32_t index, int flags) const;

    /// Whether the driver has EXPBUF at all, without exporting anything: a loop's buffer that was exported
    /// once gets copies of imported frames from then on.
    [[nodiscard]] Status check_export() const;

    /// QBUF of a buffer with MMAP memory. On output @p metadata goes along.
    [[nodiscard]] Status queue(std::uint32_t index, const BufferMetadata& metadata = {}) const;
    /// QBUF of a dma-buf (borrowed: the driver takes its own reference) of @p length bytes.
    [[nodiscard]] Status queue_dmabuf(std::uint32_t index, int dmabuf_fd, std::uint32_t length,
                                      const BufferMetadata& metadata = {}) const;
    /// DQBUF; empty if no buffer is ready. Allocates nothing unless it fails.
    [[nodiscard]] Result<std::optional<DequeuedBuffer>> dequeue() const;

    [[nodiscard]] Status stream_on();
    /// Every buffer is back afterwards; there is nothing to dequeue.
    Status stream_off();
    [[nodiscard]] bool streaming() const noexcept { return streaming_; }
    /// STREAMOFF, munmap, REQBUFS(0). The queue is empty afterwards; a second call does nothing.
    Status release();

private:
    Queue(const Device& device, BufferType type, Memory memory) noexcept
        : device_(&device), type_(type), memory_(memory) {}
    [[nodiscard]] v4l2_buffer blank(std::uint32_t index) const noexcept;
    [[nodiscard]] Status queue_raw(v4l2_buffer& buffer, const BufferMetadata& metadata) const;
    [[nodiscard]] std::string object(std::uint32_t index) const;

    const Device* device_;
    BufferType type_;
    Memory memory_;
    std::uint32_t count_ = 0;
    std::uint32_t capabilities_ = 0;
    bool streaming_ = false;
    std::vector<Mapping> mappings_;
};

/// What one side of a device takes, each probed by the call itself.
struct MemorySupport {
    int mmap = 0;    ///< 0: works; otherwise the errno of REQBUFS
    int userptr = 0; ///< likewise
    int dmabuf = 0;  ///< likewise. Works means: REQBUFS works; QBUF may still refuse a particular dma-buf
    int expbuf = 0;  ///< 0: EXPBUF works on MMAP memory; otherwise the errno
    /// Another program owns the queue: nothing is known.
    [[nodiscard]] bool busy() const noexcept { return mmap == EBUSY; }
};
/// Allocates and frees one buffer of each memory type; changes nothing that lasts.
[[nodiscard]] MemorySupport probe_memory(const Device& device, BufferType type);

} // namespace v4l2dma
