// SPDX-License-Identifier: MIT
#include "flow/v4l2_sink.h"

#include "base/log.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>

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
    return role == MemoryRole::reads ? "a video output needs the frame in a buffer" : "";
}

Status V4l2Sink::set_format(const FrameFormat& format) {
    Result<FrameFormat> granted = v4l2dma::set_format(device_, BufferType::output, format);
    // A layout that equals the loop's last one may be a leftover of G_FMT to it; said twice it is meant
    // (docs/kmod.md).
    if (granted && !granted->same_layout(format))
        granted = v4l2dma::set_format(device_, BufferType::output, format);
    if (!granted)
        return std::unexpected(std::move(granted.error()));
    if (!granted->same_layout(format)) {
        const std::string offers = describe_offers(device_, BufferType::output);
        return make_error(
            ErrorKind::device, "S_FMT", device_.path(),
            fmt::format(
                "it does not take {} with {} bytes per line and {} bytes; the nearest is {} with {} and {}",
                format.text(), format.bytesperline(), format.sizeimage(), granted->text(),
                granted->bytesperline(), granted->sizeimage()),
            offers.empty() ? offers : "It offers " + offers);
    }
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

Result<std::uint32_t> V4l2Sink::allocate(std::uint32_t count) {
    if (Status status = request(Memory::mmap, count); !status)
        return std::unexpected(std::move(status.error()));
    return queue_->count();
}

Status V4l2Sink::map() {
    mode_ = Mode::maps;
    return queue_->map_all();
}

Result<std::span<DmabufBuffer>> V4l2Sink::export_buffers() {
    mode_ = Mode::exports;
    exported_.clear();
    for (std::uint32_t slot = 0; slot < queue_->count(); ++slot) {
        Result<UniqueFd> fd = queue_->export_buffer(slot, O_RDWR);
        if (!fd)
            return std::unexpected(std::move(fd.error()));
        Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(*fd), device_.system());
        if (!buffer)
            return std::unexpected(std::move(buffer.error()));
        exported_.push_back(std::move(*buffer));
    }
    return exported_;
}

Status V4l2Sink::prepare_import(std::uint32_t count) {
    mode_ = Mode::imports;
    return request(Memory::dmabuf, count);
}

// The same number on both sides where possible, so that each slot keeps meeting the same dma-buf: drivers
// attach and map a dma-buf anew when another one comes.
std::optional<std::uint32_t> V4l2Sink::free_slot(const Frame& frame) const noexcept {
    if (frame.index < slots_.size() && !slots_[frame.index].queued)
        return frame.index;
    if (mode_ == Mode::exports)
        return std::nullopt; // the frame lies in that very slot
    const auto free = std::ranges::find(slots_, false, &Slot::queued);
    if (free == slots_.end())
        return std::nullopt;
    return static_cast<std::uint32_t>(free - slots_.begin());
}

Status V4l2Sink::copy_in(std::uint32_t slot, const Frame& frame) {
    const std::span<std::byte> target = queue_->bytes(slot);
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    if (payload->bytes().size() > target.size())
        return make_error(ErrorKind::system, "copy", device_.path(),
                          fmt::format("a frame of {} bytes does not fit in a buffer of {}",
                                      payload->bytes().size(), target.size()));
    std::memcpy(target.data(), payload->bytes().data(), payload->bytes().size());
    return {};
}

Status V4l2Sink::queue_frame(std::uint32_t slot, const Frame& frame) {
    if (mode_ == Mode::imports)
        return queue_->queue_dmabuf(slot, frame.dmabuf->fd(),
                                    static_cast<std::uint32_t>(frame.dmabuf->size()), frame.metadata);
    if (mode_ == Mode::maps)
        if (Status status = copy_in(slot, frame); !status)
            return status;
    return queue_->queue(slot, frame.metadata);
}

Result<bool> V4l2Sink::put(const Frame& frame) {
    const std::optional<std::uint32_t> slot = free_slot(frame);
    if (!slot)
        return false;
    if (Status status = queue_frame(*slot, frame); !status)
        return explain(std::move(status.error()));
    slots_[*slot] = {.queued = true, .frame = frame.index};
    ++in_flight_;
    if (!queue_->streaming())
        if (Status status = queue_->stream_on(); !status)
            return explain(std::move(status.error()));
    return true;
}

Result<std::optional<std::uint32_t>> V4l2Sink::reclaim() {
    while (queue_ && queue_->streaming() && in_flight_ > 0) {
        const Result<std::optional<DequeuedBuffer>> buffer = queue_->dequeue();
        if (!buffer)
            return explain(buffer.error());
        if (!*buffer)
            break;
        Slot& slot = slots_[(*buffer)->index];
        slot.queued = false;
        --in_flight_;
        if (mode_ != Mode::maps) // a copied frame was free at once
            return slot.frame;
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
    in_flight_ = 0;
    std::ranges::fill(slots_, Slot{});
}

void V4l2Sink::release() noexcept {
    stop();
    exported_.clear();
    queue_.reset();
    slots_.clear();
    mode_ = Mode::idle;
}

} // namespace v4l2dma
