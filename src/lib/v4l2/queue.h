// SPDX-License-Identifier: MIT
#pragma once

#include "base/mapping.h"
#include "dmabuf/buffer_memory.h"
#include "v4l2/device.h"

#include <array>
#include <chrono>
#include <optional>
#include <vector>

namespace v4l2dma {

/// What QUERYBUF says of a buffer.
struct BufferInfo {
    struct Plane {
        std::uint32_t length = 0; ///< bytes
        std::uint32_t offset = 0; ///< cookie for mmap()
    };
    std::uint32_t plane_count = 1;
    std::array<Plane, FrameFormat::max_planes> planes{};
    std::uint32_t flags = 0; ///< V4L2_BUF_FLAG_*
};

/// What of a memory plane belongs to the frame.
struct PlanePayload {
    std::uint32_t bytesused = 0;   ///< up to the frame's end, counted from the plane's begin
    std::uint32_t data_offset = 0; ///< where the frame begins; always 0 in the single-planar API

    [[nodiscard]] std::uint32_t length() const noexcept {
        return bytesused > data_offset ? bytesused - data_offset : 0;
    }
    friend bool operator==(const PlanePayload&, const PlanePayload&) = default;
};

/// The metadata a frame carries through QBUF and DQBUF.
struct BufferMetadata {
    std::uint32_t plane_count = 1;
    std::array<PlanePayload, FrameFormat::max_planes> planes{};
    std::uint32_t field = 0;    ///< enum v4l2_field
    std::uint32_t flags = 0;    ///< V4L2_BUF_FLAG_*
    std::uint32_t sequence = 0; ///< of the driver; ignored on output
    std::chrono::microseconds timestamp{};
    bool no_signal = false; ///< a loop's own picture, while its writer is silent; ignored on output
    /// Of a packet that is decoded before pictures that are shown earlier: when it is, on the timestamp's
    /// clock. This is what grows then from frame to frame. Films alone have it; ignored on output.
    std::optional<std::chrono::microseconds> decode_time{};

    /// What grows from frame to frame.
    [[nodiscard]] std::chrono::microseconds order_time() const noexcept {
        return decode_time.value_or(timestamp);
    }

    /// Bytes of the frame in all memory planes.
    [[nodiscard]] std::uint64_t payload() const noexcept;
    /// Whether a plane's frame begins behind the plane's begin.
    [[nodiscard]] bool has_data_offset() const noexcept;
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
    /// The mapped bytes of a buffer, plane by plane; empty before map_all().
    [[nodiscard]] BufferMemory mapped(std::uint32_t index) const noexcept;
    /// EXPBUF: a new fd on the dma-buf of a buffer's plane, close-on-exec; @p flags adds O_RDWR or O_RDONLY.
    [[nodiscard]] Result<UniqueFd> export_plane(std::uint32_t index, std::uint32_t plane, int flags) const;

    /// Whether the driver has EXPBUF at all, without exporting anything: a loop's buffer that was exported
    /// once gets copies of imported frames from then on.
    [[nodiscard]] Status check_export() const;

    /// QBUF of a buffer with MMAP memory. On output @p metadata goes along.
    [[nodiscard]] Status queue(std::uint32_t index, const BufferMetadata& metadata = {}) const;
    /// QBUF with the memory to use: its dma-bufs (the driver takes references of its own) or, of a USERPTR
    /// queue, its addresses, which must stay until the buffer is dequeued.
    [[nodiscard]] Status queue(std::uint32_t index, const BufferMemory& memory,
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
        : device_(&device), type_(type), raw_type_(device.raw_type(type)), memory_(memory) {}
    /// A v4l2_buffer with room for its planes.
    struct RawBuffer;
    [[nodiscard]] Status queue_raw(RawBuffer& raw_buffer, const BufferMetadata& metadata) const;
    [[nodiscard]] bool multiplanar() const noexcept { return is_multiplanar(raw_type_); }
    [[nodiscard]] std::string object(std::uint32_t index) const;

    const Device* device_;
    BufferType type_;
    std::uint32_t raw_type_; ///< enum v4l2_buf_type
    Memory memory_;
    std::uint32_t count_ = 0;
    std::uint32_t capabilities_ = 0;
    bool streaming_ = false;
    std::vector<std::vector<Mapping>> mappings_; ///< by index, then plane
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
