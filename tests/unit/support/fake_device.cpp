// SPDX-License-Identifier: MIT
#include "support/fake_device.h"

#include "v4l2/format.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace v4l2dma::testing {

namespace {

constexpr std::uint32_t page = 4096;

std::uint64_t inode_of(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

bool is_mapped(std::uint64_t inode) {
    std::ifstream maps("/proc/self/maps");
    const std::string number = " " + std::to_string(inode) + " ";
    for (std::string line; std::getline(maps, line);)
        if (line.contains(fake_memory_name) && line.contains(number))
            return true;
    return false;
}

std::uint32_t page_rounded(std::uint32_t length) {
    return (length + page - 1) / page * page;
}

void copy_text(auto& field, const std::string& text) {
    std::memcpy(field, text.data(), std::min(text.size(), sizeof(field) - 1));
}

} // namespace

UniqueFd fake_memory(std::size_t length) {
    UniqueFd fd(::memfd_create(fake_memory_name, MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(length)) != 0)
        std::abort(); // no memory to test with
    return fd;
}

std::size_t open_fake_fds() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone; // the iterator's own
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        count += target.contains(fake_memory_name) ? 1U : 0U;
    }
    return count;
}

std::size_t fake_mappings() {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);)
        count += line.contains(fake_memory_name) ? 1U : 0U;
    return count;
}

FakeDevice::FakeDevice(std::string path_, BufferType side_)
    : path(std::move(path_)), side(side_), card("Fake " + std::string(to_text(side_))),
      capabilities(V4L2_CAP_STREAMING | V4L2_CAP_READWRITE |
                   (side_ == BufferType::capture ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_OUTPUT)) {
    format.fourcc = FourCC("YUYV");
    format.width = 16;
    format.height = 8;
    format.field = V4L2_FIELD_NONE;
    format.planes[0] = {.bytesperline = 32, .sizeimage = 256};
}

void FakeDevice::make_multiplanar() {
    capabilities =
        V4L2_CAP_STREAMING | V4L2_CAP_READWRITE |
        (side == BufferType::capture ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_OUTPUT_MPLANE);
    format = *tight_format(FourCC("NM12"), 16, 8);
    format.field = V4L2_FIELD_NONE;
}

bool FakeDevice::multi() const noexcept {
    return is_multiplanar(raw_type());
}

std::uint32_t FakeDevice::raw_type() const noexcept {
    const bool multi = (capabilities & (V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_OUTPUT_MPLANE)) != 0;
    return raw(side, multi ? PlaneApi::multi : PlaneApi::single);
}

std::uint64_t FakeDevice::inode(std::uint32_t index, std::uint32_t plane) const {
    const Plane& place = buffers_.at(index).at(plane);
    return inode_of(place.imported ? place.imported.get() : place.memory.get());
}

std::string FakeDevice::content(std::uint32_t index, std::size_t length, std::uint32_t plane) const {
    const Plane& place = buffers_.at(index).at(plane);
    std::string bytes(length, '\0');
    if (place.user != nullptr) {
        std::memcpy(bytes.data(), place.user, length);
        return bytes;
    }
    const int fd = place.imported ? place.imported.get() : place.memory.get();
    const ssize_t got = ::pread(fd, bytes.data(), length, 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
}

std::size_t FakeDevice::own_fds() const noexcept {
    std::size_t count = 0;
    for (const Buffer& buffer : buffers_)
        for (const Plane& plane : buffer)
            count += (plane.memory ? 1U : 0U) + (plane.imported ? 1U : 0U);
    return count;
}

bool FakeDevice::capture(const Captured& frame) {
    const std::uint32_t sequence = frame.sequence.value_or(next_sequence_);
    if (file_io_) {
        next_sequence_ = sequence + 1;
        unread_.push_back(sequence);
        return true;
    }
    if (!streaming_ || queued_.empty())
        return false;
    next_sequence_ = sequence + 1;
    Done done{.bytesused = frame.bytesused.value_or(format.planes[0].sizeimage),
              .data_offset = frame.data_offset};
    v4l2_buffer& buffer = done.buffer;
    buffer.index = queued_.front();
    queued_.pop_front();
    buffer.flags = frame.flags | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer.field = V4L2_FIELD_NONE;
    buffer.sequence = sequence;
    buffer.timestamp.tv_sec = frame.timestamp.count() / 1'000'000;
    buffer.timestamp.tv_usec = frame.timestamp.count() % 1'000'000;
    const std::string text = "frame " + std::to_string(sequence);
    for (const Plane& plane : buffers_[buffer.index]) {
        const int fd = plane.imported ? plane.imported.get() : plane.memory.get();
        if (plane.user != nullptr)
            std::memcpy(plane.user + frame.data_offset, text.data(), text.size());
        else if (::pwrite(fd, text.data(), text.size(), frame.data_offset) !=
                 static_cast<ssize_t>(text.size()))
            std::abort();
    }
    done_.push_back(done);
    return true;
}

bool FakeDevice::show() {
    if (file_io_ && unshown_ > 0) {
        --unshown_;
        return true;
    }
    if (!streaming_ || queued_.empty())
        return false;
    Done done{};
    done.buffer.index = queued_.front();
    queued_.pop_front();
    done_.push_back(done);
    return true;
}

void FakeDevice::replace_memory(std::uint32_t index) {
    for (Plane& plane : buffers_.at(index))
        plane.memory = fake_memory(page);
}

void FakeDevice::opened() {
    file_io_ = false;
    unread_.clear();
    unshown_ = 0;
}

ssize_t FakeDevice::read(std::span<std::byte> bytes) {
    if (unplugged)
        return -ENODEV;
    if (!has_rw || side != BufferType::capture || !buffers_.empty())
        return buffers_.empty() ? -EINVAL : -EBUSY;
    file_io_ = true;
    if (unread_.empty())
        return -EAGAIN;
    const std::string text = "frame " + std::to_string(unread_.front());
    unread_.pop_front();
    std::memcpy(bytes.data(), text.data(), text.size());
    return static_cast<ssize_t>(std::min<std::size_t>(bytes.size(), format.sizeimage()));
}

ssize_t FakeDevice::write(std::span<const std::byte> bytes) {
    if (unplugged)
        return -ENODEV;
    if (!has_rw || side != BufferType::output || !buffers_.empty())
        return buffers_.empty() ? -EINVAL : -EBUSY;
    file_io_ = true;
    if (unshown_ >= write_room)
        return -EAGAIN;
    ++unshown_;
    written_.emplace_back(reinterpret_cast<const char*>(bytes.data()),
                          std::min<std::size_t>(bytes.size(), 7));
    return static_cast<ssize_t>(bytes.size());
}

int FakeDevice::ioctl(unsigned long request_code, void* argument) {
    if (unplugged)
        return -ENODEV;
    switch (request_code) {
    case VIDIOC_QUERYCAP:
        return query_capability(*static_cast<v4l2_capability*>(argument));
    case VIDIOC_G_FMT: {
        auto* answer = static_cast<v4l2_format*>(argument);
        *answer = to_raw(format, raw_type());
        return 0;
    }
    case VIDIOC_S_FMT:
        return exchange_format(*static_cast<v4l2_format*>(argument), true);
    case VIDIOC_TRY_FMT:
        return exchange_format(*static_cast<v4l2_format*>(argument), false);
    case VIDIOC_ENUM_FMT:
        return enumerate(*static_cast<v4l2_fmtdesc*>(argument));
    case VIDIOC_REQBUFS:
        return request(*static_cast<v4l2_requestbuffers*>(argument));
    case VIDIOC_QUERYBUF:
        return query(*static_cast<v4l2_buffer*>(argument));
    case VIDIOC_QBUF:
        return queue(*static_cast<v4l2_buffer*>(argument));
    case VIDIOC_DQBUF:
        return dequeue(*static_cast<v4l2_buffer*>(argument));
    case VIDIOC_EXPBUF:
        return export_buffer(*static_cast<v4l2_exportbuffer*>(argument));
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
        return stream(request_code == VIDIOC_STREAMON);
    default:
        return beside ? beside(request_code, argument) : -ENOTTY;
    }
}

int FakeDevice::query_capability(v4l2_capability& answer) const {
    copy_text(answer.driver, driver);
    copy_text(answer.card, card);
    copy_text(answer.bus_info, bus_info);
    answer.capabilities = capabilities | V4L2_CAP_DEVICE_CAPS;
    answer.device_caps = capabilities;
    return 0;
}

int FakeDevice::exchange_format(v4l2_format& exchanged, bool keep) {
    if (exchanged.type != raw_type())
        return -EINVAL;
    if (keep && !buffers_.empty())
        return -EBUSY;
    FrameFormat wanted = from_raw(exchanged);
    if (wanted.sizeimage() == 0)
        wanted.planes[0] = {.bytesperline = wanted.width * 2, .sizeimage = wanted.width * wanted.height * 2};
    if (adjust)
        adjust(wanted);
    if (keep)
        format = wanted;
    exchanged = to_raw(wanted, raw_type());
    return 0;
}

int FakeDevice::enumerate(v4l2_fmtdesc& entry) const {
    if (entry.index > other_formats.size() || entry.type != raw_type())
        return -EINVAL;
    const FourCC first = first_format_.value_or(format.fourcc);
    entry.pixelformat = (entry.index == 0 ? first : other_formats[entry.index - 1]).value();
    return 0;
}

void FakeDevice::grant_offers() {
    first_format_ = format.fourcc;
    adjust = [this](FrameFormat& wanted) {
        if (wanted.fourcc != *first_format_ && std::ranges::count(other_formats, wanted.fourcc) == 0)
            wanted.fourcc = *first_format_;
        const Result<FrameFormat> tight = tight_format(wanted.fourcc, wanted.width, wanted.height);
        if (tight) {
            wanted.plane_count = tight->plane_count;
            wanted.planes = tight->planes;
        } else { // compressed
            wanted.planes = {MemoryPlane{.bytesperline = 0, .sizeimage = 4096}};
        }
    };
}

int FakeDevice::request(v4l2_requestbuffers& request) {
    if (request.type != raw_type())
        return -EINVAL;
    const bool possible = (request.memory == V4L2_MEMORY_MMAP && has_mmap) ||
                          (request.memory == V4L2_MEMORY_USERPTR && has_userptr) ||
                          (request.memory == V4L2_MEMORY_DMABUF && has_import);
    if (!possible)
        return -EINVAL;
    if (file_io_)
        return -EBUSY;
    if (streaming_) {
        violations_.push_back("REQBUFS while it streams");
        return -EBUSY;
    }
    for (const Buffer& buffer : buffers_)
        for (const Plane& plane : buffer)
            if (plane.memory && is_mapped(inode_of(plane.memory.get()))) {
                violations_.push_back("REQBUFS with a live mapping");
                return -EBUSY;
            }
    buffers_.clear();
    queued_.clear();
    memory_ = request.memory;
    request.count = std::min(request.count, most_buffers);
    request.capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    for (std::uint32_t i = 0; i < request.count; ++i) {
        Buffer& buffer = buffers_.emplace_back(format.plane_count);
        if (memory_ == V4L2_MEMORY_MMAP)
            for (Plane& plane : buffer)
                plane.memory = fake_memory(page_rounded(format.planes[0].sizeimage));
    }
    return 0;
}

int FakeDevice::query(v4l2_buffer& buffer) const {
    if (buffer.index >= buffers_.size())
        return -EINVAL;
    if (!multi()) {
        buffer.length = page_rounded(format.sizeimage());
        buffer.m.offset = buffer.index * VIDEO_MAX_PLANES * page;
        return 0;
    }
    if (buffer.length < format.plane_count)
        return -EINVAL;
    buffer.length = format.plane_count;
    for (std::uint32_t i = 0; i < format.plane_count; ++i) {
        buffer.m.planes[i].length = page_rounded(format.planes[i].sizeimage);
        buffer.m.planes[i].m.mem_offset = (buffer.index * VIDEO_MAX_PLANES + i) * page;
    }
    return 0;
}

bool FakeDevice::is_idle(std::uint32_t index) const {
    return std::ranges::count(queued_, index) == 0 &&
           std::ranges::none_of(done_, [index](const Done& done) { return done.buffer.index == index; });
}

int FakeDevice::take_memory(Plane& plane, int fd, unsigned long address, std::uint32_t length,
                            std::uint32_t needed) {
    if (memory_ == V4L2_MEMORY_MMAP)
        return 0;
    if (imports_nothing || length < needed)
        return -EINVAL;
    if (memory_ == V4L2_MEMORY_USERPTR) {
        plane.user = reinterpret_cast<std::byte*>(address);
        return plane.user == nullptr ? -EFAULT : 0;
    }
    UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!own)
        return -EBADF;
    plane.imported = std::move(own);
    return 0;
}

int FakeDevice::queue(v4l2_buffer& buffer) {
    if (buffer.index >= buffers_.size() || buffer.memory != memory_ || buffer.type != raw_type())
        return -EINVAL;
    if (!is_idle(buffer.index)) {
        violations_.push_back("QBUF of a buffer that is queued");
        return -EINVAL;
    }
    Buffer& planes = buffers_[buffer.index];
    if (multi() && buffer.length < planes.size())
        return -EINVAL;
    for (std::uint32_t i = 0; i < planes.size(); ++i) {
        const std::uint32_t needed = format.planes[i].sizeimage;
        const v4l2_plane* const plane = multi() ? &buffer.m.planes[i] : nullptr;
        if (plane != nullptr)
            last_planes_[i] = *plane;
        const int code = plane != nullptr
                             ? take_memory(planes[i], plane->m.fd, plane->m.userptr, plane->length, needed)
                             : take_memory(planes[i], buffer.m.fd, buffer.m.userptr, buffer.length, needed);
        if (code != 0)
            return code;
    }
    last_queued_ = buffer;
    queued_.push_back(buffer.index);
    return 0;
}

int FakeDevice::dequeue(v4l2_buffer& buffer) {
    if (!streaming_)
        return -EINVAL;
    if (done_.empty())
        return -EAGAIN;
    const Done done = done_.front();
    if (!repeats)
        done_.pop_front();
    v4l2_plane* const planes = buffer.m.planes;
    buffer = done.buffer;
    buffer.bytesused = done.bytesused;
    if (!multi())
        return 0;
    buffer.m.planes = planes;
    buffer.length = format.plane_count;
    for (std::uint32_t i = 0; i < format.plane_count; ++i) {
        planes[i].bytesused = i == 0 ? done.bytesused : std::min(done.bytesused, format.planes[i].sizeimage);
        planes[i].data_offset = done.data_offset;
    }
    return 0;
}

int FakeDevice::export_buffer(v4l2_exportbuffer& request) const {
    if (!has_export)
        return -ENOTTY;
    if (request.index >= buffers_.size() || request.plane >= format.plane_count ||
        memory_ != V4L2_MEMORY_MMAP)
        return -EINVAL;
    request.fd = ::fcntl(buffers_[request.index][request.plane].memory.get(), F_DUPFD_CLOEXEC, 0);
    return request.fd < 0 ? -errno : 0;
}

int FakeDevice::stream(bool on) {
    if (on && buffers_.empty())
        return -EINVAL;
    streaming_ = on;
    if (!on) {
        queued_.clear();
        done_.clear();
    }
    return 0;
}

const UniqueFd* FakeDevice::memory_at(off_t offset) const noexcept {
    const auto cookie = static_cast<std::size_t>(offset) / page;
    const std::size_t index = cookie / VIDEO_MAX_PLANES;
    const std::size_t plane = cookie % VIDEO_MAX_PLANES;
    if (index >= buffers_.size() || plane >= buffers_[index].size())
        return nullptr;
    const UniqueFd& memory = buffers_[index][plane].memory;
    return memory ? &memory : nullptr;
}

// As vb2: to wait for a device that does not stream yet begins read() or write().
std::uint32_t FakeDevice::poll() noexcept {
    if (unplugged)
        return EPOLLERR | EPOLLHUP;
    if (!streaming_ && buffers_.empty() && has_rw)
        file_io_ = true;
    if (file_io_ && side == BufferType::capture)
        return unread_.empty() ? 0 : static_cast<std::uint32_t>(EPOLLIN);
    if (file_io_)
        return unshown_ < write_room ? static_cast<std::uint32_t>(EPOLLOUT) : 0U;
    if (!streaming_)
        return EPOLLERR;
    if (done_.empty())
        return 0;
    return side == BufferType::capture ? EPOLLIN : EPOLLOUT;
}

} // namespace v4l2dma::testing
