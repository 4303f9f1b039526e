// SPDX-License-Identifier: MIT
#include "flow/v4l2_sink.h"

#include "base/log.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <utility>

namespace v4l2dma {

Result<std::unique_ptr<V4l2Sink>> V4l2Sink::open(Device device) {
    if (Status status = device.require(BufferType::output); !status)
        return std::unexpected(std::move(status.error()));
    return std::unique_ptr<V4l2Sink>(new V4l2Sink(std::move(device)));
}

V4l2Sink::~V4l2Sink() {
    release();
}

std::string V4l2Sink::why_not(MemoryRole role) const {
    const Capability& caps = device_.capability();
    if (role == MemoryRole::touches) {
        if (!caps.can_read_write())
            return "the output device has no write()";
        return format_.plane_count > 1 ? "write() cannot tell planes that lie apart" : "";
    }
    return caps.can_stream() ? "" : "the output device cannot stream, only write()";
}

// A loop moves a writer's own memory into its slots: its readers cannot be given that.
unsigned V4l2Sink::copies(MemoryRole role) const {
    const bool moves = role == MemoryRole::copies || role == MemoryRole::touches ||
                       (role == MemoryRole::borrows && device_.capability().is_loop());
    return moves ? 1 : 0;
}

Status V4l2Sink::set_format(const FrameFormat& format) {
    Result<FrameFormat> granted = v4l2dma::set_format(device_, BufferType::output, format);
    // A layout that equals the loop's last one may be a leftover of G_FMT to it; said twice it is meant
    // (docs/kmod.md).
    if (granted && !granted->same_layout(format))
        granted = v4l2dma::set_format(device_, BufferType::output, format);
    if (!granted)
        return std::unexpected(std::move(granted.error()));
    if (!granted->same_places(format)) {
        const std::string offers = describe_offers(device_, BufferType::output);
        return make_error(
            ErrorKind::device, "S_FMT", device_.path(),
            fmt::format(
                "it does not take {} with {} bytes per line and {} bytes; the nearest is {} with {} and {}",
                format.text(), format.bytesperline(), format.sizeimage(), granted->text(),
                granted->bytesperline(), granted->sizeimage()),
            offers.empty() ? offers : "It offers " + offers);
    }
    format_ = *granted;
    if (granted->field != format.field || granted->colorimetry != format.colorimetry)
        spdlog::debug(
            "{} keeps its own field order or colorimetry: the pixels are the same, their meaning may not be",
            device_.path());
    return {};
}

Status V4l2Sink::request(Memory memory, std::uint32_t count) {
    Result<Queue> queue = Queue::create(device_, BufferType::output, memory, count);
    if (!queue)
        return std::unexpected(std::move(queue.error()));
    queue_.emplace(std::move(*queue));
    slots_.assign(queue_->count(), Slot{});
    return {};
}

Result<std::span<BufferMemory>> V4l2Sink::provide(MemoryRole role, std::uint32_t count) {
    role_ = role;
    if (Status status = request(Memory::mmap, count); !status)
        return std::unexpected(std::move(status.error()));
    own_.assign(queue_->count(), BufferMemory{.plane_count = format_.plane_count});
    Status status = role == MemoryRole::exports ? export_all() : queue_->map_all();
    if (!status)
        return std::unexpected(std::move(status.error()));
    for (std::uint32_t slot = 0; role != MemoryRole::exports && slot < own_.size(); ++slot)
        own_[slot] = queue_->mapped(slot);
    return own_;
}

Status V4l2Sink::export_all() {
    exported_.clear();
    exported_.reserve(queue_->count()); // own_ points into it
    for (std::uint32_t slot = 0; slot < queue_->count(); ++slot) {
        std::vector<DmabufBuffer>& planes = exported_.emplace_back(own_[slot].plane_count);
        for (std::uint32_t plane = 0; plane < planes.size(); ++plane) {
            Result<UniqueFd> fd = queue_->export_plane(slot, plane, O_RDWR);
            if (!fd)
                return std::unexpected(std::move(fd.error()));
            Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(*fd), device_.system());
            if (!buffer)
                return std::unexpected(std::move(buffer.error()));
            planes[plane] = std::move(*buffer);
            own_[slot].planes[plane].dmabuf = &planes[plane];
        }
    }
    return {};
}

Status V4l2Sink::prepare(MemoryRole role, std::uint32_t count) {
    role_ = role;
    if (role == MemoryRole::touches)
        return {};
    return request(role == MemoryRole::imports ? Memory::dmabuf : Memory::userptr, count);
}

// The same number on both sides where possible, so that each slot keeps meeting the same memory: drivers
// attach and map it anew when other memory comes.
std::optional<std::uint32_t> V4l2Sink::free_slot(const Frame& frame) const noexcept {
    if (frame.index < slots_.size() && !slots_[frame.index].queued)
        return frame.index;
    if (works_in_own_slots())
        return std::nullopt; // the frame lies in that very slot
    const auto free = std::ranges::find(slots_, false, &Slot::queued);
    if (free == slots_.end())
        return std::nullopt;
    return static_cast<std::uint32_t>(free - slots_.begin());
}

Result<BufferMetadata> V4l2Sink::copy_in(std::uint32_t slot, const Frame& frame) {
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    BufferMetadata metadata = frame.metadata;
    for (std::uint32_t i = 0; i < metadata.plane_count; ++i) {
        const std::span<const std::byte> bytes = payload->planes()[i];
        const std::span<std::byte> target = own_[slot].planes[i].bytes;
        if (bytes.size() > target.size())
            return make_error(ErrorKind::system, "copy", device_.path(),
                              fmt::format("a frame of {} bytes does not fit in a buffer of {}", bytes.size(),
                                          target.size()));
        std::memcpy(target.data(), bytes.data(), bytes.size());
        metadata.planes[i] = {.bytesused = static_cast<std::uint32_t>(bytes.size()), .data_offset = 0};
    }
    return metadata;
}

// Answers what was copied.
Result<std::uint64_t> V4l2Sink::queue_frame(std::uint32_t slot, const Frame& frame) {
    Status status;
    if (role_ == MemoryRole::copies) {
        const Result<BufferMetadata> metadata = copy_in(slot, frame);
        if (!metadata)
            return std::unexpected(metadata.error());
        status = queue_->queue(slot, *metadata);
    } else if (frame.metadata.has_data_offset() &&
               device_.capability().plane_api(BufferType::output) == PlaneApi::single) {
        return make_error(
            ErrorKind::unsupported, "QBUF", device_.path(),
            "the frame does not begin where its memory begins, which the single-planar API cannot say");
    } else if (works_in_own_slots()) {
        status = queue_->queue(slot, frame.metadata);
    } else {
        status = queue_->queue(slot, *frame.memory, frame.metadata);
    }
    if (!status)
        return explain(std::move(status.error()));
    return copies(role_) * frame.metadata.payload();
}

Result<PutResult> V4l2Sink::write(const Frame& frame) {
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    writing_ = true;
    const ssize_t written = device_.try_write(payload->planes().front());
    if (written == -EAGAIN)
        return PutResult{};
    if (written < 0)
        return explain(system_error("write", device_.path(), static_cast<int>(-written)).error());
    if (static_cast<std::uint64_t>(written) != payload->size())
        return make_error(ErrorKind::system, "write", device_.path(),
                          fmt::format("it took {} of {} bytes of a frame", written, payload->size()));
    return PutResult{.taken = true, .copied_bytes = payload->size()};
}

Result<PutResult> V4l2Sink::put(const Frame& frame) {
    if (role_ == MemoryRole::touches)
        return write(frame);
    const std::optional<std::uint32_t> slot = free_slot(frame);
    if (!slot) {
        just_put_ = false;
        return PutResult{};
    }
    const Result<std::uint64_t> copied = queue_frame(*slot, frame);
    if (!copied)
        return std::unexpected(copied.error());
    slots_[*slot] = {.queued = true, .frame = frame.index};
    ++in_flight_;
    just_put_ = true;
    if (!queue_->streaming())
        if (Status status = queue_->stream_on(); !status)
            return explain(std::move(status.error()));
    return PutResult{.taken = true, .kept = role_ != MemoryRole::copies, .copied_bytes = *copied};
}

// Of copies, which were free at once, nothing is answered: after a put() one slot is asked for, as it is for
// frames that are kept, and otherwise all there are. To ask until there is none would be a call for nothing
// with each frame.
Result<std::optional<std::uint32_t>> V4l2Sink::reclaim() {
    const bool one = std::exchange(just_put_, false);
    while (queue_ && queue_->streaming() && in_flight_ > 0) {
        const Result<std::optional<DequeuedBuffer>> buffer = queue_->dequeue();
        if (!buffer)
            return explain(buffer.error());
        if (!*buffer)
            break;
        Slot& slot = slots_[(*buffer)->index];
        slot.queued = false;
        --in_flight_;
        if (role_ != MemoryRole::copies)
            return slot.frame;
        if (one)
            break;
    }
    return std::nullopt;
}

std::unexpected<Error> V4l2Sink::explain(Error error) const {
    if (error.code == ENODEV)
        error.detail = "the device was removed";
    return std::unexpected(std::move(error));
}

void V4l2Sink::stop() noexcept {
    if (queue_)
        static_cast<void>(queue_->stream_off());
    if (writing_)
        static_cast<void>(device_.reopen());
    writing_ = false;
    just_put_ = false;
    in_flight_ = 0;
    std::ranges::fill(slots_, Slot{});
}

void V4l2Sink::release() noexcept {
    stop();
    own_.clear();
    exported_.clear(); // old kernels refuse REQBUFS(0) while an exported fd is open
    queue_.reset();
    slots_.clear();
}

} // namespace v4l2dma
