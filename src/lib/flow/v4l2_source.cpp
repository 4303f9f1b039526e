// SPDX-License-Identifier: MIT
#include "flow/v4l2_source.h"

#include "v4l2/control_settings.h"

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

Result<std::unique_ptr<V4l2Source>> V4l2Source::open(Device device, const CaptureWishes& wishes) {
    if (Status status = device.require(BufferType::capture); !status)
        return std::unexpected(std::move(status.error()));
    std::unique_ptr<V4l2Source> source(new V4l2Source(std::move(device)));
    if (Status status = source->apply(wishes); !status)
        return std::unexpected(std::move(status.error()));
    // Last: what a control takes may follow from the format and the frame rate.
    if (Status status = apply_controls(source->device_, wishes.controls); !status)
        return std::unexpected(std::move(status.error()));
    return source;
}

V4l2Source::~V4l2Source() {
    release();
}

Status V4l2Source::apply(const CaptureWishes& wishes) {
    Result<FrameFormat> current = get_format(device_, BufferType::capture);
    if (!current)
        return std::unexpected(std::move(current.error()));
    format_ = *current;
    if (wishes.any_format())
        if (Status status = apply_format(wishes); !status)
            return status;
    if (!wishes.fps)
        return {};
    Result<double> rate = set_frame_rate(device_, BufferType::capture, *wishes.fps);
    if (!rate) {
        rate.error().remedy = "Leave --fps away";
        return std::unexpected(std::move(rate.error()));
    }
    constexpr double tolerance = 0.01; // 29.97 and 30000/1001 are the same wish
    if (std::abs(*rate - *wishes.fps) > tolerance * *wishes.fps)
        return make_error(
            ErrorKind::usage, "--fps", fmt::format("{:g}", *wishes.fps),
            fmt::format("{} offers {:g} instead, at {}", device_.path(), *rate, format_.text()));
    return {};
}

Status V4l2Source::apply_format(const CaptureWishes& wishes) {
    FrameFormat wanted = format_;
    wanted.width = wishes.width.value_or(wanted.width);
    wanted.height = wishes.height.value_or(wanted.height);
    wanted.planes = {}; // stride and size are the driver's to choose
    wanted.colorimetry = {};
    if (wishes.format) {
        std::vector<FourCC> offered;
        for (const FormatDescription& entry : enumerate_formats(device_, BufferType::capture))
            offered.push_back(entry.fourcc);
        const Result<FourCC> fourcc = resolve_format(*wishes.format, offered);
        if (!fourcc)
            return std::unexpected(fourcc.error());
        wanted.fourcc = *fourcc;
    }
    // First without changing anything: a refused wish leaves the camera as it was.
    if (const Result<FrameFormat> offer = try_format(device_, BufferType::capture, wanted); offer)
        if (Status status = check_wishes(*offer, wanted, wishes); !status)
            return status;
    Result<FrameFormat> granted = set_format(device_, BufferType::capture, wanted);
    if (!granted)
        return std::unexpected(std::move(granted.error()));
    format_ = *granted;
    return check_wishes(*granted, wanted, wishes);
}

// Only what was wished for: a driver may choose another height for a wished width.
Status V4l2Source::check_wishes(const FrameFormat& granted, const FrameFormat& wanted,
                                const CaptureWishes& wishes) const {
    const bool right = (!wishes.width || granted.width == wanted.width) &&
                       (!wishes.height || granted.height == wanted.height) &&
                       (!wishes.format || granted.fourcc == wanted.fourcc);
    if (right)
        return {};
    const std::string offers = describe_offers(device_, BufferType::capture);
    return make_error(
        ErrorKind::usage, "format", wanted.text(),
        fmt::format("{} does not offer this; the nearest is {}", device_.path(), granted.text()),
        offers.empty() ? offers : "It offers " + offers);
}

std::string V4l2Source::why_not(MemoryRole role) const {
    if (role == MemoryRole::imports && device_.capability().is_loop())
        return "a loop would copy its frames into imported buffers";
    return {};
}

bool V4l2Source::format_changed() const {
    const Result<FrameFormat> current = get_format(device_, BufferType::capture);
    return current && !(*current == format_);
}

Result<std::uint32_t> V4l2Source::allocate(std::uint32_t count) {
    Result<Queue> queue = Queue::create(device_, BufferType::capture, Memory::mmap, count);
    if (!queue)
        return std::unexpected(std::move(queue.error()));
    // The buffers are of the format that the loop has now; a writer may have set another one meanwhile.
    if (device_.capability().is_loop() && format_changed())
        return explain(system_error("REQBUFS", device_.path(), EIO).error());
    queue_.emplace(std::move(*queue));
    return queue_->count();
}

Status V4l2Source::map() {
    return queue_->map_all();
}

Status V4l2Source::export_frames() {
    exports_ = true;
    late_export_ = device_.capability().is_loop();
    exported_.resize(queue_->count());
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
    Result<UniqueFd> fd = queue_->export_buffer(index, O_RDWR);
    if (!fd)
        return std::unexpected(std::move(fd.error()));
    DmabufBuffer& known = exported_[index];
    if (known) {
        const Result<DmabufIdentity> identity = identify_dmabuf(fd->get(), device_.system());
        if (!identity)
            return std::unexpected(identity.error());
        if (*identity == known.identity())
            return {};
    }
    Result<DmabufBuffer> buffer = DmabufBuffer::adopt(std::move(*fd), device_.system());
    if (!buffer)
        return std::unexpected(std::move(buffer.error()));
    known = std::move(*buffer);
    return {};
}

Status V4l2Source::import_buffers(std::span<DmabufBuffer> buffers) {
    Result<Queue> queue = Queue::create(device_, BufferType::capture, Memory::dmabuf,
                                        static_cast<std::uint32_t>(buffers.size()));
    if (!queue)
        return std::unexpected(std::move(queue.error()));
    queue_.emplace(std::move(*queue));
    imported_ = buffers.first(std::min<std::size_t>(buffers.size(), queue_->count()));
    return {};
}

Status V4l2Source::start() {
    const auto count = imported_.empty() ? queue_->count() : static_cast<std::uint32_t>(imported_.size());
    for (std::uint32_t index = 0; index < count; ++index)
        if (Status status = give_back(index); !status)
            return status;
    return queue_->stream_on();
}

Result<std::optional<Frame>> V4l2Source::take() {
    const Result<std::optional<DequeuedBuffer>> buffer = queue_->dequeue();
    if (!buffer)
        return explain(buffer.error());
    if (!*buffer)
        return std::nullopt;
    Frame frame{.index = (*buffer)->index, .format = &format_, .metadata = (*buffer)->metadata};
    if (late_export_)
        if (Status status = refresh_export(frame.index); !status)
            return std::unexpected(std::move(status.error()));
    if (exports_)
        frame.dmabuf = &exported_[frame.index];
    else if (!imported_.empty())
        frame.dmabuf = &imported_[frame.index];
    else
        frame.mapped = queue_->bytes(frame.index);
    return frame;
}

Status V4l2Source::give_back(std::uint32_t index) {
    Status status = imported_.empty()
                        ? queue_->queue(index)
                        : queue_->queue_dmabuf(index, imported_[index].fd(),
                                               static_cast<std::uint32_t>(imported_[index].size()));
    if (!status)
        return explain(std::move(status.error()));
    return {};
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

void V4l2Source::stop() noexcept {
    if (queue_ && queue_->streaming())
        static_cast<void>(queue_->stream_off()); // a device that is gone has stopped
}

void V4l2Source::release() noexcept {
    stop();
    exported_.clear(); // old kernels refuse REQBUFS(0) while an exported fd is open
    exports_ = false;
    late_export_ = false;
    queue_.reset();
    imported_ = {};
}

} // namespace v4l2dma
