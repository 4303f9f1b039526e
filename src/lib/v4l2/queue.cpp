// SPDX-License-Identifier: MIT
#include "v4l2/queue.h"

#include <algorithm>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <string_view>
#include <uapi/v4l2dma.h>
#include <utility>

namespace v4l2dma {

namespace {

constexpr auto microseconds_per_second = std::chrono::microseconds(std::chrono::seconds(1)).count();

// What of a captured frame's flags says something about its content and may be passed on.
constexpr std::uint32_t content_flags = V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME;

/// A loop marks its own picture in the timecode (uapi/v4l2dma.h).
bool is_no_signal(const v4l2_buffer& buffer) {
    constexpr std::string_view mark = V4L2DMA_NO_SIGNAL_USERBITS;
    const v4l2_timecode& timecode = buffer.timecode;
    return (buffer.flags & V4L2_BUF_FLAG_TIMECODE) != 0 && timecode.flags == V4L2_TC_USERBITS_8BITCHARS &&
           std::ranges::equal(timecode.userbits, mark);
}

int request_buffers(const Device& device, BufferType type, Memory memory, v4l2_requestbuffers& request) {
    request.type = device.raw_type(type);
    request.memory = raw(memory);
    return device.try_ioctl(VIDIOC_REQBUFS, &request);
}

} // namespace

std::uint64_t BufferMetadata::payload() const noexcept {
    std::uint64_t sum = 0;
    for (const PlanePayload& plane : std::span(planes).first(plane_count))
        sum += plane.length();
    return sum;
}

bool BufferMetadata::has_data_offset() const noexcept {
    return std::ranges::any_of(std::span(planes).first(plane_count),
                               [](const PlanePayload& plane) { return plane.data_offset != 0; });
}

struct Queue::RawBuffer {
    RawBuffer(const Queue& queue, std::uint32_t index) noexcept {
        buffer.type = queue.raw_type_;
        buffer.memory = raw(queue.memory_);
        buffer.index = index;
        if (!queue.multiplanar())
            return;
        buffer.m.planes = planes.data();
        buffer.length = VIDEO_MAX_PLANES;
    }
    RawBuffer(const RawBuffer&) = delete; // points into itself
    RawBuffer& operator=(const RawBuffer&) = delete;

    v4l2_buffer buffer{};
    std::array<v4l2_plane, VIDEO_MAX_PLANES> planes{};
};

Result<Queue> Queue::create(const Device& device, BufferType type, Memory memory, std::uint32_t count) {
    v4l2_requestbuffers request{};
    request.count = count;
    const int result = request_buffers(device, type, memory, request);
    if (result < 0) {
        Error error = system_error(fmt::format("REQBUFS({}, {})", to_text(memory), to_text(type)),
                                   device.path(), -result)
                          .error();
        if (result == -EBUSY) {
            error.kind = ErrorKind::device;
            error.detail = "another program uses it";
            error.remedy = "Stop that program first (`fuser -v " + device.path() + "` names it)";
        }
        return std::unexpected(std::move(error));
    }
    Queue queue(device, type, memory);
    queue.count_ = request.count;
    queue.capabilities_ = request.capabilities;
    if (queue.count_ == 0)
        return make_error(ErrorKind::system, "REQBUFS", device.path(), "the driver granted no buffer");
    return queue;
}

Queue::Queue(Queue&& other) noexcept
    : device_(other.device_), type_(other.type_), raw_type_(other.raw_type_), memory_(other.memory_),
      count_(std::exchange(other.count_, 0)), capabilities_(other.capabilities_),
      streaming_(std::exchange(other.streaming_, false)), mappings_(std::move(other.mappings_)) {}

Queue& Queue::operator=(Queue&& other) noexcept {
    if (this != &other) {
        static_cast<void>(release());
        device_ = other.device_;
        type_ = other.type_;
        raw_type_ = other.raw_type_;
        memory_ = other.memory_;
        count_ = std::exchange(other.count_, 0);
        capabilities_ = other.capabilities_;
        streaming_ = std::exchange(other.streaming_, false);
        mappings_ = std::move(other.mappings_);
    }
    return *this;
}

// Nobody is left to tell; closing the device frees what could not be freed here.
Queue::~Queue() {
    static_cast<void>(release());
}

std::string Queue::object(std::uint32_t index) const {
    return fmt::format("{} index {}", device_->path(), index);
}

Result<BufferInfo> Queue::query(std::uint32_t index) const {
    RawBuffer raw_buffer(*this, index);
    const v4l2_buffer& buffer = raw_buffer.buffer;
    if (const int result = device_->try_ioctl(VIDIOC_QUERYBUF, &raw_buffer.buffer); result < 0)
        return system_error("QUERYBUF", object(index), -result);
    BufferInfo info{.flags = buffer.flags};
    if (!multiplanar()) {
        info.planes[0] = {.length = buffer.length, .offset = buffer.m.offset};
        return info;
    }
    info.plane_count = std::clamp<std::uint32_t>(buffer.length, 1, FrameFormat::max_planes);
    for (std::uint32_t i = 0; i < info.plane_count; ++i)
        info.planes[i] = {.length = raw_buffer.planes[i].length, .offset = raw_buffer.planes[i].m.mem_offset};
    return info;
}

Status Queue::map_all() {
    mappings_.clear();
    mappings_.reserve(count_);
    for (std::uint32_t index = 0; index < count_; ++index) {
        const Result<BufferInfo> info = query(index);
        if (!info)
            return std::unexpected(info.error());
        std::vector<Mapping>& planes = mappings_.emplace_back();
        for (const BufferInfo::Plane& plane : std::span(info->planes).first(info->plane_count)) {
            // Drivers refuse a mapping without PROT_READ, and capture buffers may be read-only for none.
            Result<Mapping> mapping =
                Mapping::map(device_->fd(), plane.length, static_cast<off_t>(plane.offset),
                             MapAccess::read_write, object(index), device_->system());
            if (!mapping)
                return std::unexpected(std::move(mapping.error()));
            planes.push_back(std::move(*mapping));
        }
    }
    return {};
}

BufferMemory Queue::mapped(std::uint32_t index) const noexcept {
    BufferMemory memory;
    if (index >= mappings_.size())
        return memory;
    memory.plane_count = static_cast<std::uint32_t>(mappings_[index].size());
    for (std::uint32_t i = 0; i < memory.plane_count; ++i)
        memory.planes[i].bytes = mappings_[index][i].bytes();
    return memory;
}

Result<UniqueFd> Queue::export_plane(std::uint32_t index, std::uint32_t plane, int flags) const {
    v4l2_exportbuffer request{};
    request.type = raw_type_;
    request.index = index;
    request.plane = plane;
    request.flags = static_cast<__u32>(flags | O_CLOEXEC);
    request.fd = -1;
    if (const int result = device_->try_ioctl(VIDIOC_EXPBUF, &request); result < 0)
        return system_error("EXPBUF", object(index), -result);
    return UniqueFd(request.fd);
}

Status Queue::check_export() const {
    v4l2_exportbuffer request{};
    request.type = raw_type_;
    request.index = VIDEO_MAX_FRAME; // no such buffer: a driver that has the ioctl says so
    const int result = device_->try_ioctl(VIDIOC_EXPBUF, &request);
    if (result == -ENOTTY)
        return system_error("EXPBUF", device_->path(), ENOTTY);
    return {};
}

Status Queue::queue_raw(RawBuffer& raw_buffer, const BufferMetadata& metadata) const {
    v4l2_buffer& buffer = raw_buffer.buffer;
    if (type_ == BufferType::output) {
        for (std::uint32_t i = 0; multiplanar() && i < metadata.plane_count; ++i) {
            raw_buffer.planes[i].bytesused = metadata.planes[i].bytesused;
            raw_buffer.planes[i].data_offset = metadata.planes[i].data_offset;
        }
        buffer.bytesused = metadata.planes[0].bytesused; // multi-planar: ignored
        buffer.field = metadata.field;
        buffer.flags = metadata.flags & content_flags;
        buffer.timestamp.tv_sec = metadata.timestamp.count() / microseconds_per_second;
        buffer.timestamp.tv_usec = metadata.timestamp.count() % microseconds_per_second;
    }
    if (const int result = device_->try_ioctl(VIDIOC_QBUF, &buffer); result < 0)
        return system_error(fmt::format("QBUF({})", to_text(memory_)), object(buffer.index), -result);
    return {};
}

Status Queue::queue(std::uint32_t index, const BufferMetadata& metadata) const {
    RawBuffer raw_buffer(*this, index);
    return queue_raw(raw_buffer, metadata);
}

Status Queue::queue(std::uint32_t index, const BufferMemory& memory, const BufferMetadata& metadata) const {
    const auto assign = [&](auto& place, auto& length, const PlaneMemory& plane) {
        if (memory_ == Memory::dmabuf) {
            place.fd = plane.dmabuf->fd();
            length = static_cast<__u32>(plane.dmabuf->size());
        } else if (memory_ == Memory::userptr) {
            place.userptr = reinterpret_cast<unsigned long>(plane.bytes.data());
            length = static_cast<__u32>(plane.bytes.size());
        }
    };
    RawBuffer raw_buffer(*this, index);
    if (multiplanar()) {
        raw_buffer.buffer.length = memory.plane_count;
        for (std::uint32_t i = 0; i < memory.plane_count; ++i)
            assign(raw_buffer.planes[i].m, raw_buffer.planes[i].length, memory.planes[i]);
    } else {
        assign(raw_buffer.buffer.m, raw_buffer.buffer.length, memory.planes[0]);
    }
    return queue_raw(raw_buffer, metadata);
}

Result<std::optional<DequeuedBuffer>> Queue::dequeue() const {
    RawBuffer raw_buffer(*this, 0);
    v4l2_buffer& buffer = raw_buffer.buffer;
    const int result = device_->try_ioctl(VIDIOC_DQBUF, &buffer);
    if (result == -EAGAIN)
        return std::nullopt;
    if (result < 0)
        return system_error("DQBUF", device_->path(), -result);
    if (buffer.index >= count_)
        return make_error(ErrorKind::system, "DQBUF", object(buffer.index),
                          "there is no buffer of this number");
    DequeuedBuffer dequeued{.index = buffer.index,
                            .metadata = {.planes = {},
                                         .field = buffer.field,
                                         .flags = buffer.flags,
                                         .sequence = buffer.sequence,
                                         .timestamp = std::chrono::seconds(buffer.timestamp.tv_sec) +
                                                      std::chrono::microseconds(buffer.timestamp.tv_usec),
                                         .no_signal = is_no_signal(buffer)}};
    BufferMetadata& metadata = dequeued.metadata;
    metadata.planes[0].bytesused = buffer.bytesused;
    if (multiplanar())
        metadata.plane_count = std::clamp<std::uint32_t>(buffer.length, 1, FrameFormat::max_planes);
    for (std::uint32_t i = 0; multiplanar() && i < metadata.plane_count; ++i)
        metadata.planes[i] = {.bytesused = raw_buffer.planes[i].bytesused,
                              .data_offset = raw_buffer.planes[i].data_offset};
    return dequeued;
}

Status Queue::stream_on() {
    std::uint32_t type = raw_type_;
    Status status = device_->ioctl(VIDIOC_STREAMON, &type, "STREAMON");
    streaming_ = status.has_value();
    return status;
}

Status Queue::stream_off() {
    std::uint32_t type = raw_type_;
    streaming_ = false;
    return device_->ioctl(VIDIOC_STREAMOFF, &type, "STREAMOFF");
}

Status Queue::release() {
    if (count_ == 0)
        return {};
    // Also when not streaming: STREAMOFF takes buffers back that were queued before a STREAMON that never
    // came.
    static_cast<void>(stream_off());
    mappings_.clear();
    count_ = 0;
    v4l2_requestbuffers request{};
    if (const int result = request_buffers(*device_, type_, memory_, request); result < 0)
        return system_error("REQBUFS(0)", device_->path(), -result);
    return {};
}

MemorySupport probe_memory(const Device& device, BufferType type) {
    const auto probe = [&](Memory memory) {
        const Result<Queue> queue = Queue::create(device, type, memory, 1);
        return queue ? 0 : std::max(queue.error().code, 1);
    };
    MemorySupport support;
    {
        const Result<Queue> queue = Queue::create(device, type, Memory::mmap, 1);
        support.mmap = queue ? 0 : std::max(queue.error().code, 1);
        support.expbuf = support.mmap;
        if (queue) {
            const Result<UniqueFd> exported = queue->export_plane(0, 0, O_RDWR);
            support.expbuf = exported ? 0 : exported.error().code;
        }
    }
    support.userptr = probe(Memory::userptr);
    support.dmabuf = probe(Memory::dmabuf);
    return support;
}

} // namespace v4l2dma
