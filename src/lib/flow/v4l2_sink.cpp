// SPDX-License-Identifier: MIT
#include "flow/v4l2_sink.h"

#include "base/log.h"
#include "v4l2/control_settings.h"
#include "v4l2/event.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <utility>

namespace v4l2dma {

namespace {

bool fits(ConstPlanes from, Planes to) {
    for (std::size_t i = 0; i < from.size(); ++i)
        if (i >= to.size() || from[i].size() > to[i].size())
            return false;
    return true;
}

// The bytes as they are, padding and all.
Status copy_planes(ConstPlanes from, Planes to, std::string_view object) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::size_t room = i < to.size() ? to[i].size() : 0;
        if (from[i].size() > room)
            return make_error(
                ErrorKind::system, "copy", object,
                fmt::format("a frame of {} bytes does not fit in a buffer of {}", from[i].size(), room));
        std::memcpy(to[i].data(), from[i].data(), from[i].size());
    }
    return {};
}

} // namespace

Result<std::unique_ptr<V4l2Sink>> V4l2Sink::open(Device device, const OutputWishes& wishes) {
    if (Status status = device.require(BufferType::output); !status)
        return std::unexpected(std::move(status.error()));
    const Result<OutputWish> wish = OutputWish::resolve(wishes, device);
    if (!wish)
        return std::unexpected(wish.error());
    if (wishes.fixed_bindings && !device.capability().is_loop())
        return make_error(ErrorKind::usage, "fix bindings", device.path(), "it is no loop of v4l2dma.ko",
                          "Leave --fixed-bindings away");
    return std::unique_ptr<V4l2Sink>(new V4l2Sink(std::move(device), *wish));
}

V4l2Sink::~V4l2Sink() {
    release();
}

std::string V4l2Sink::why_not(MemoryRole role) const {
    const Capability& caps = device_.capability();
    if (role == MemoryRole::touches) {
        if (!caps.can_read_write())
            return "the output device has no write()";
        return output_.format.plane_count > 1 ? "write() cannot tell planes that lie apart" : "";
    }
    if (!caps.can_stream())
        return "the output device cannot stream, only write()";
    if (output_.conversion && role != MemoryRole::copies)
        return "the formats differ: frames become " + output_.format.text();
    return {};
}

// A loop moves a writer's own memory into its slots: its readers cannot be given that. A frame that is
// converted for write() is moved twice.
unsigned V4l2Sink::copies(MemoryRole role) const {
    if (role == MemoryRole::touches)
        return output_.conversion ? 2 : 1;
    const bool moves =
        role == MemoryRole::copies || (role == MemoryRole::borrows && device_.capability().is_loop());
    return moves ? 1 : 0;
}

bool V4l2Sink::takes(const FrameFormat& format) const {
    return !wish_.changes(format) && takes_unchanged(device_, format);
}

Status V4l2Sink::set_format(const FrameFormat& format) {
    bad_said_ = false;
    if (device_.fd() < 0) // stop() could not open it again
        if (Status status = device_.reopen(); !status)
            return status;
    Result<OutputFormat> output = set_output_format(device_, format, wish_);
    if (!output)
        return std::unexpected(std::move(output.error()));
    output_ = std::move(*output);
    layout_ = {};
    if (!output_.copier)
        return {};
    const Result<Layout> layout = layout_of(output_.format);
    if (!layout)
        return std::unexpected(layout.error());
    layout_ = *layout;
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
    own_.assign(queue_->count(), BufferMemory{.plane_count = output_.format.plane_count});
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
        return output_.conversion ? allocate_staging() : Status{};
    const Memory memory = role == MemoryRole::imports ? Memory::dmabuf : Memory::userptr;
    if (Status status = request(memory, count); !status)
        return status;
    return binds(role) ? fix_bindings(count) : Status{};
}

// Between REQBUFS and STREAMON; the loop forgets it with the buffers.
Status V4l2Sink::fix_bindings(std::uint32_t count) {
    if (slots_.size() < count)
        return make_error(ErrorKind::unsupported, "fix bindings", device_.path(),
                          fmt::format("it has {} slots for {} buffers", slots_.size(), count),
                          "Ask for fewer with --buffers");
    const std::string wish = "fixed_bindings=1";
    return apply_controls(device_, {&wish, 1});
}

Status V4l2Sink::allocate_staging() {
    Result<SharedMemory> memory = SharedMemory::plain(output_.format, 1, device_.system());
    if (!memory)
        return std::unexpected(std::move(memory.error()));
    staging_ = std::move(*memory);
    return {};
}

// The same number on both sides where possible, so that each slot keeps meeting the same memory: drivers
// attach and map it anew when other memory comes.
std::optional<std::uint32_t> V4l2Sink::free_slot(const Frame& frame) const noexcept {
    if (frame.index < slots_.size() && !slots_[frame.index].queued)
        return frame.index;
    if (works_in_own_slots() || binds(role_))
        return std::nullopt; // the frame's memory is that very slot's
    const auto free = std::ranges::find(slots_, false, &Slot::queued);
    if (free == slots_.end())
        return std::nullopt;
    return static_cast<std::uint32_t>(free - slots_.begin());
}

Result<PutResult> V4l2Sink::queue_copy(std::uint32_t slot, const Frame& frame) {
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    const Result<WritableBytes> target = WritableBytes::of(own_[slot]);
    if (!target)
        return std::unexpected(target.error());
    BufferMetadata metadata = frame.metadata;
    PutResult result{.taken = true};
    if (output_.conversion || (output_.copier && !fits(payload->planes(), target->planes()))) {
        result = convert(frame, payload->planes(), target->planes());
        if (result.bad)
            return result;
        metadata = converted(metadata);
    } else {
        if (Status status = copy_planes(payload->planes(), target->planes(), device_.path()); !status)
            return std::unexpected(std::move(status.error()));
        for (std::uint32_t i = 0; i < metadata.plane_count; ++i)
            metadata.planes[i] = {.bytesused = static_cast<std::uint32_t>(payload->planes()[i].size()),
                                  .data_offset = 0};
        result.copied_bytes = payload->size();
    }
    if (Status status = queue_->queue(slot, metadata); !status)
        return explain(std::move(status.error()));
    return result;
}

// A frame that cannot be converted is one bad frame: the next one may be good.
PutResult V4l2Sink::convert(const Frame& frame, ConstPlanes from, Planes to) {
    const Result<std::uint64_t> bytes = output_.copier->run(from, to);
    if (bytes)
        return {.taken = true, .copied_bytes = *bytes};
    if (!std::exchange(bad_said_, true))
        spdlog::warn("{}: frame {} is left out: {}", device_.path(), frame.metadata.sequence,
                     bytes.error().message());
    return {.taken = true, .bad = true};
}

// What is said of a frame in the sink's format.
BufferMetadata V4l2Sink::converted(BufferMetadata metadata) const noexcept {
    metadata.plane_count = output_.format.plane_count;
    for (std::uint32_t i = 0; i < metadata.plane_count; ++i)
        metadata.planes[i] = {.bytesused = static_cast<std::uint32_t>(layout_.size(i)), .data_offset = 0};
    return metadata;
}

Result<PutResult> V4l2Sink::queue_as_it_is(std::uint32_t slot, const Frame& frame) {
    if (frame.metadata.has_data_offset() &&
        device_.capability().plane_api(BufferType::output) == PlaneApi::single)
        return make_error(
            ErrorKind::unsupported, "QBUF", device_.path(),
            "the frame does not begin where its memory begins, which the single-planar API cannot say");
    Status status = works_in_own_slots() ? queue_->queue(slot, frame.metadata)
                                         : queue_->queue(slot, *frame.memory, frame.metadata);
    if (!status)
        return explain(std::move(status.error()));
    return PutResult{.taken = true, .kept = true, .copied_bytes = copies(role_) * frame.metadata.payload()};
}

Result<PutResult> V4l2Sink::write(const Frame& frame) {
    if (output_.conversion)
        return write_converted(frame);
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    // What the source has behind the pixels may be more than the output has room for.
    const std::span<const std::byte> bytes = payload->planes().front();
    return write_bytes(output_.copier ? bytes.first(std::min<std::size_t>(bytes.size(), layout_.size()))
                                      : bytes);
}

// A frame for which there was no room is not converted again.
Result<PutResult> V4l2Sink::write_converted(const Frame& frame) {
    const std::span<std::byte> target = staging_->buffers().front().planes[0].bytes.first(layout_.size());
    if (!staged_ || !staged_->is(frame)) {
        staged_.reset();
        const Result<FrameBytes> payload = FrameBytes::of(frame);
        if (!payload)
            return std::unexpected(payload.error());
        const PutResult result = convert(frame, payload->planes(), {&target, 1});
        if (result.bad)
            return result;
        staged_ = {.index = frame.index,
                   .sequence = frame.metadata.sequence,
                   .timestamp = frame.metadata.timestamp,
                   .copied_bytes = result.copied_bytes};
    }
    Result<PutResult> result = write_bytes(target);
    if (result && result->taken) {
        result->copied_bytes += staged_->copied_bytes;
        staged_.reset();
    }
    return result;
}

Result<PutResult> V4l2Sink::write_bytes(std::span<const std::byte> bytes) {
    writing_ = true;
    const ssize_t written = device_.try_write(bytes);
    if (written == -EAGAIN)
        return PutResult{};
    if (written < 0)
        return explain(system_error("write", device_.path(), static_cast<int>(-written)).error());
    if (static_cast<std::uint64_t>(written) != bytes.size())
        return make_error(ErrorKind::system, "write", device_.path(),
                          fmt::format("it took {} of {} bytes of a frame", written, bytes.size()));
    return PutResult{.taken = true, .copied_bytes = bytes.size()};
}

Result<PutResult> V4l2Sink::put(const Frame& frame) {
    if (role_ == MemoryRole::touches)
        return write(frame);
    const std::optional<std::uint32_t> slot = free_slot(frame);
    if (!slot) {
        just_put_ = false;
        return PutResult{};
    }
    Result<PutResult> result =
        role_ == MemoryRole::copies ? queue_copy(*slot, frame) : queue_as_it_is(*slot, frame);
    if (!result || result->bad) {
        just_put_ = false;
        return result;
    }
    slots_[*slot] = {.queued = true, .frame = frame.index};
    ++in_flight_;
    just_put_ = true;
    if (!queue_->streaming())
        if (Status status = queue_->stream_on(); !status)
            return explain(std::move(status.error()));
    return result;
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
        if (!std::exchange(slot.queued, false))
            return make_error(ErrorKind::system, "DQBUF", device_.path(),
                              "it gave back a buffer that it did not have");
        --in_flight_;
        if (role_ != MemoryRole::copies)
            return slot.frame;
        if (one)
            break;
    }
    return std::nullopt;
}

Result<bool> V4l2Sink::watch_demand() {
    const Result<bool> told = subscribe(device_, {.kind = EventKind::readers, .initial = true});
    demand_watched_ = told && *told;
    return told;
}

Result<bool> V4l2Sink::is_wanted() {
    while (true) {
        const Result<std::optional<Event>> event = dequeue_event(device_);
        if (!event)
            return explain(event.error());
        if (!*event)
            return readers_ > 0;
        if (const auto* change = std::get_if<ReadersChange>(&(*event)->what))
            readers_ = change->readers;
    }
}

std::unexpected<Error> V4l2Sink::explain(Error error) const {
    if (error.code == ENODEV)
        error.detail = "the device was removed";
    return std::unexpected(std::move(error));
}

void V4l2Sink::stop() noexcept {
    if (queue_)
        static_cast<void>(queue_->stream_off());
    if (writing_ && device_.reopen() && demand_watched_)
        static_cast<void>(watch_demand());
    writing_ = false;
    staged_.reset();
    just_put_ = false;
    in_flight_ = 0;
    std::ranges::fill(slots_, Slot{});
}

void V4l2Sink::release() noexcept {
    stop();
    own_.clear();
    exported_.clear(); // old kernels refuse REQBUFS(0) while an exported fd is open
    queue_.reset();
    staging_.reset();
    slots_.clear();
}

} // namespace v4l2dma
