// SPDX-License-Identifier: MIT
#include "flow/v4l2_source.h"

#include "format/likeness.h"
#include "v4l2/control_settings.h"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

constexpr double rate_tolerance = 0.01; // 29.97 and 30000/1001 are the same wish

} // namespace

Result<std::unique_ptr<V4l2Source>> V4l2Source::open(Device device, const CaptureWishes& wishes) {
    if (Status status = device.require(BufferType::capture); !status)
        return std::unexpected(std::move(status.error()));
    std::unique_ptr<V4l2Source> source(new V4l2Source(std::move(device), wishes));
    if (Status status = source->remember_device(); !status)
        return std::unexpected(std::move(status.error()));
    if (Status status = source->listen(); !status)
        return std::unexpected(std::move(status.error()));
    // Also without a signal: what the wishes are wrong about shows at once.
    const Result<bool> signal = source->follow_input();
    if (!signal)
        return std::unexpected(signal.error());
    if (Status status = source->set_up(); !status)
        return std::unexpected(std::move(status.error()));
    source->ready_ = *signal;
    return source;
}

V4l2Source::~V4l2Source() {
    release();
}

Status V4l2Source::set_up() {
    first_rate_.reset(); // of a device that was plugged in again, or of another signal, it is another one
    if (Status status = apply_wishes(); !status)
        return status;
    // Last: what a control takes may follow from the format and the frame rate.
    return apply_controls(device_, wishes_.controls);
}

Status V4l2Source::apply_wishes() {
    Result<FrameFormat> current = get_format(device_, BufferType::capture);
    if (!current)
        return std::unexpected(std::move(current.error()));
    format_ = *current;
    if (wishes_.any_format())
        if (Status status = apply_format(); !status)
            return status;
    return apply_rate();
}

StreamProperties V4l2Source::properties() const {
    return {.rate = get_frame_rate(device_, BufferType::capture)};
}

Status V4l2Source::apply_rate() const {
    if (!wishes_.fps)
        return {};
    Result<double> rate = set_frame_rate(device_, BufferType::capture, *wishes_.fps);
    if (!rate) {
        rate.error().remedy = "Leave --fps away";
        return std::unexpected(std::move(rate.error()));
    }
    if (std::abs(*rate - *wishes_.fps) > rate_tolerance * *wishes_.fps)
        return make_error(
            ErrorKind::usage, "--fps", fmt::format("{:g}", *wishes_.fps),
            fmt::format("{} offers {:g} instead, at {}", device_.path(), *rate, format_.text()));
    return {};
}

// Nobody wished for a rate: what it was is what is expected. A driver that has none is content.
Status V4l2Source::keep_rate() const {
    if (wishes_.fps || !first_rate_)
        return apply_rate();
    const Result<double> rate = set_frame_rate(device_, BufferType::capture, *first_rate_);
    if (rate && *rate < *first_rate_ * (1 - rate_tolerance))
        return make_error(
            ErrorKind::usage, "format", format_.text(),
            fmt::format("{} has {:g} frames a second then, not {:g}", device_.path(), *rate, *first_rate_));
    return {};
}

Status V4l2Source::apply_format() {
    FrameFormat wanted = format_;
    wanted.width = wishes_.width.value_or(wanted.width);
    wanted.height = wishes_.height.value_or(wanted.height);
    wanted.planes = {}; // stride and size are the driver's to choose
    wanted.colorimetry = {};
    if (wishes_.format) {
        std::vector<FourCC> offered;
        for (const FormatDescription& entry : enumerate_formats(device_, BufferType::capture))
            offered.push_back(entry.fourcc);
        const Result<FourCC> fourcc = resolve_format(*wishes_.format, offered);
        if (!fourcc)
            return std::unexpected(fourcc.error());
        wanted.fourcc = *fourcc;
    }
    // First without changing anything: a refused wish leaves the camera as it was.
    if (const Result<FrameFormat> offer = try_format(device_, BufferType::capture, wanted); offer)
        if (Status status = check_wishes(*offer, wanted); !status)
            return status;
    Result<FrameFormat> granted = v4l2dma::set_format(device_, BufferType::capture, wanted);
    if (!granted)
        return std::unexpected(std::move(granted.error()));
    format_ = *granted;
    return check_wishes(*granted, wanted);
}

// Only what was wished for: a driver may choose another height for a wished width.
Status V4l2Source::check_wishes(const FrameFormat& granted, const FrameFormat& wanted) const {
    const bool right = (!wishes_.width || granted.width == wanted.width) &&
                       (!wishes_.height || granted.height == wanted.height) &&
                       (!wishes_.format || granted.fourcc == wanted.fourcc);
    if (right)
        return {};
    const std::string offers = describe_offers(device_, BufferType::capture);
    return make_error(
        ErrorKind::usage, "format", wanted.text(),
        fmt::format("{} does not offer this; the nearest is {}", device_.path(), granted.text()),
        offers.empty() ? offers : "It offers " + offers);
}

std::vector<FrameFormat> V4l2Source::other_formats() const {
    std::vector<FrameFormat> formats;
    if (wishes_.format || device_.capability().is_loop())
        return formats;
    std::vector<FourCC> offered;
    for (const FormatDescription& entry : enumerate_formats(device_, BufferType::capture))
        if (entry.fourcc != format_.fourcc)
            offered.push_back(entry.fourcc);
    sort_by_likeness(format_.fourcc, offered);
    for (const FourCC fourcc : offered) {
        FrameFormat wanted = format_;
        wanted.fourcc = fourcc;
        wanted.planes = {};
        wanted.colorimetry = {};
        const Result<FrameFormat> offer = try_format(device_, BufferType::capture, wanted);
        if (offer && offer->fourcc == fourcc && offer->width == format_.width &&
            offer->height == format_.height)
            formats.push_back(*offer);
    }
    return formats;
}

Status V4l2Source::set_format(const FrameFormat& format) {
    if (!wishes_.fps && !first_rate_)
        first_rate_ = get_frame_rate(device_, BufferType::capture);
    Result<FrameFormat> granted = v4l2dma::set_format(device_, BufferType::capture, format);
    if (!granted)
        return std::unexpected(std::move(granted.error()));
    format_ = *granted;
    if (format_.fourcc != format.fourcc || format_.width != format.width || format_.height != format.height)
        return make_error(
            ErrorKind::system, "S_FMT", device_.path(),
            fmt::format("it grants {} and not {}, which TRY_FMT promised", format_.text(), format.text()));
    if (Status status = keep_rate(); !status)
        return status;
    return apply_controls(device_, wishes_.controls); // some drivers begin anew with a format
}

std::string V4l2Source::why_not(MemoryRole role) const {
    const Capability& caps = device_.capability();
    if (role == MemoryRole::copies)
        return "a source has nothing to copy into";
    if (role == MemoryRole::touches) {
        if (!caps.can_read_write())
            return "the capture device has no read()";
        return format_.plane_count > 1 ? "read() cannot tell planes that lie apart" : "";
    }
    if (!caps.can_stream())
        return "the capture device cannot stream, only read()";
    if (role == MemoryRole::imports && caps.is_loop())
        return "a loop would copy its frames into imported buffers";
    return {};
}

// A loop has its frames already, and moves them into the memory of a reader that brings its own.
unsigned V4l2Source::copies(MemoryRole role) const {
    const bool moves =
        role == MemoryRole::touches || (role == MemoryRole::borrows && device_.capability().is_loop());
    return moves ? 1 : 0;
}

Status V4l2Source::request(Memory memory, std::uint32_t count) {
    Result<Queue> queue = Queue::create(device_, BufferType::capture, memory, count);
    if (!queue)
        return std::unexpected(std::move(queue.error()));
    // The buffers are of the format that the loop has now; a writer may have set another one meanwhile.
    if (device_.capability().is_loop() && format_changed())
        return explain(system_error("REQBUFS", device_.path(), EIO).error());
    queue_.emplace(std::move(*queue));
    return {};
}

Result<std::span<BufferMemory>> V4l2Source::provide(MemoryRole role, std::uint32_t count) {
    if (Status status = request(Memory::mmap, count); !status)
        return std::unexpected(std::move(status.error()));
    role_ = role;
    own_.assign(queue_->count(), BufferMemory{.plane_count = format_.plane_count});
    memory_ = own_;
    // Never both: a loop gives a reader that has mapped a buffer a copy.
    Status status = role == MemoryRole::exports ? export_all() : queue_->map_all();
    if (!status)
        return std::unexpected(std::move(status.error()));
    for (std::uint32_t index = 0; role == MemoryRole::lends && index < own_.size(); ++index)
        own_[index] = queue_->mapped(index);
    return memory_;
}

Status V4l2Source::export_all() {
    exported_.resize(queue_->count());
    late_export_ = device_.capability().is_loop();
    if (late_export_)
        return queue_->check_export();
    for (std::uint32_t index = 0; index < queue_->count(); ++index)
        if (Status status = refresh_export(index); !status)
            return status;
    return {};
}

// EXPBUF makes a new fd each time; only its inode tells whether it is a dma-buf that we know. The one we
// know keeps its fd and its mapping.
Status V4l2Source::refresh_export(std::uint32_t index) {
    std::vector<DmabufBuffer>& planes = exported_[index];
    planes.resize(own_[index].plane_count);
    for (std::uint32_t plane = 0; plane < planes.size(); ++plane) {
        Result<UniqueFd> fd = queue_->export_plane(index, plane, O_RDWR);
        if (!fd)
            return std::unexpected(std::move(fd.error()));
        DmabufBuffer& known = planes[plane];
        own_[index].planes[plane].dmabuf = &known;
        if (known) {
            const Result<DmabufIdentity> identity = identify_dmabuf(fd->get(), device_.system());
            if (!identity)
                return std::unexpected(identity.error());
            if (*identity == known.identity())
                continue;
        }
        Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(*fd), device_.system());
        if (!buffer)
            return std::unexpected(std::move(buffer.error()));
        known = std::move(*buffer);
    }
    return {};
}

Status V4l2Source::use(MemoryRole role, std::span<BufferMemory> memory) {
    role_ = role;
    memory_ = memory;
    if (role == MemoryRole::touches)
        return {};
    if (Status status = request(role == MemoryRole::imports ? Memory::dmabuf : Memory::userptr,
                                static_cast<std::uint32_t>(memory.size()));
        !status)
        return status;
    memory_ = memory.first(std::min<std::size_t>(memory.size(), queue_->count()));
    return {};
}

Status V4l2Source::start() {
    out_.resize(memory_.size());
    if (role_ == MemoryRole::touches)
        return {}; // by the first read()
    for (std::uint32_t index = 0; index < memory_.size(); ++index)
        if (!out_[index])
            if (Status status = queue(index); !status)
                return status;
    return queue_->stream_on();
}

Status V4l2Source::queue(std::uint32_t index) {
    Status status =
        queue_->memory() == Memory::mmap ? queue_->queue(index) : queue_->queue(index, memory_[index]);
    if (!status)
        return explain(std::move(status.error()));
    return {};
}

Result<std::optional<Frame>> V4l2Source::take() {
    Result<std::optional<Frame>> frame = role_ == MemoryRole::touches ? read() : dequeue();
    if (frame && *frame) {
        out_[(*frame)->index] = true;
        plugged_again_ = false;
    }
    return frame;
}

Result<std::optional<Frame>> V4l2Source::dequeue() {
    const Result<std::optional<DequeuedBuffer>> buffer = queue_->dequeue();
    if (!buffer)
        return explain(buffer.error());
    if (!*buffer)
        return std::nullopt;
    const std::uint32_t index = (*buffer)->index;
    if (index >= memory_.size() || out_[index])
        return make_error(ErrorKind::system, "DQBUF", device_.path(),
                          "it filled a buffer that it was never given");
    if (late_export_)
        if (Status status = refresh_export(index); !status)
            return std::unexpected(std::move(status.error()));
    Frame frame{
        .index = index, .format = &format_, .metadata = (*buffer)->metadata, .memory = &memory_[index]};
    // Whatever a driver says: no further than the memory that is known.
    frame.metadata.plane_count = std::min(frame.metadata.plane_count, memory_[index].plane_count);
    frame.copied_bytes = copies(role_) * frame.metadata.payload(); // by a loop, in DQBUF
    return frame;
}

// read() has neither timestamps nor sequence numbers.
Result<std::optional<Frame>> V4l2Source::read() {
    const auto free = std::ranges::find(out_, false);
    if (free == out_.end())
        return std::nullopt;
    const auto index = static_cast<std::uint32_t>(free - out_.begin());
    Result<WritableBytes> target = WritableBytes::of(memory_[index]);
    if (!target)
        return std::unexpected(std::move(target.error()));
    const std::span<std::byte> bytes = target->planes().front();
    const ssize_t got =
        device_.try_read(bytes.first(std::min<std::size_t>(bytes.size(), format_.sizeimage())));
    reading_ = reading_ || got != -ENODEV;
    if (got == -EAGAIN)
        return std::nullopt;
    if (got < 0)
        return explain(system_error("read", device_.path(), static_cast<int>(-got)).error());
    Frame frame{.index = index,
                .format = &format_,
                .memory = &memory_[index],
                .copied_bytes = static_cast<std::uint64_t>(got)};
    frame.metadata = {.planes = {},
                      .field = format_.field,
                      .flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
                      .sequence = next_read_++,
                      .timestamp = device_.system().now()};
    frame.metadata.planes[0].bytesused = static_cast<std::uint32_t>(got);
    return frame;
}

Status V4l2Source::give_back(std::uint32_t index) {
    out_[index] = false;
    return queue_ && queue_->streaming() ? queue(index) : Status{};
}

std::uint32_t V4l2Source::available() const noexcept {
    return static_cast<std::uint32_t>(std::ranges::count(out_, false));
}

std::unexpected<Error> V4l2Source::explain(Error error) const {
    if (error.code == ENODEV)
        error.detail = "the device was unplugged, or its driver removed it";
    else if (error.code == EPIPE)
        error.detail = "the stream ended: its format changed, or its writer left";
    else if (error.code == EIO)
        error.detail = "the driver gave up on the stream";
    return std::unexpected(std::move(error));
}

// What is out stays out: it comes back by give_back(), also after the next start().
void V4l2Source::stop() noexcept {
    if (queue_ && queue_->streaming())
        static_cast<void>(queue_->stream_off()); // a device that is gone has stopped
    if (reading_ && device_.reopen())
        static_cast<void>(listen());
    reading_ = false;
}

void V4l2Source::release() noexcept {
    stop();
    exported_.clear(); // old kernels refuse REQBUFS(0) while an exported fd is open
    late_export_ = false;
    queue_.reset();
    memory_ = {};
    own_.clear();
    out_.clear();
    next_read_ = 0;
}

} // namespace v4l2dma
