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
      capabilities(V4L2_CAP_STREAMING |
                   (side_ == BufferType::capture ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_OUTPUT)) {
    format.fourcc = FourCC("YUYV");
    format.width = 16;
    format.height = 8;
    format.field = V4L2_FIELD_NONE;
    format.planes[0] = {.bytesperline = 32, .sizeimage = 256};
}

std::uint64_t FakeDevice::inode(std::uint32_t index) const {
    const Buffer& buffer = buffers_.at(index);
    return inode_of(buffer.imported ? buffer.imported.get() : buffer.memory.get());
}

std::string FakeDevice::content(std::uint32_t index, std::size_t length) const {
    const Buffer& buffer = buffers_.at(index);
    std::string bytes(length, '\0');
    const int fd = buffer.imported ? buffer.imported.get() : buffer.memory.get();
    const ssize_t got = ::pread(fd, bytes.data(), length, 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
}

std::size_t FakeDevice::own_fds() const noexcept {
    std::size_t count = 0;
    for (const Buffer& buffer : buffers_)
        count += (buffer.memory ? 1U : 0U) + (buffer.imported ? 1U : 0U);
    return count;
}

bool FakeDevice::capture(const Captured& frame) {
    if (!streaming_ || queued_.empty())
        return false;
    const std::uint32_t index = queued_.front();
    queued_.pop_front();
    v4l2_buffer buffer{};
    buffer.index = index;
    buffer.bytesused = frame.bytesused.value_or(format.sizeimage());
    buffer.flags = frame.flags | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer.field = V4L2_FIELD_NONE;
    buffer.sequence = frame.sequence.value_or(next_sequence_);
    next_sequence_ = buffer.sequence + 1;
    buffer.timestamp.tv_sec = frame.timestamp.count() / 1'000'000;
    buffer.timestamp.tv_usec = frame.timestamp.count() % 1'000'000;
    const std::string text = "frame " + std::to_string(buffer.sequence);
    const Buffer& memory = buffers_[index];
    const int fd = memory.imported ? memory.imported.get() : memory.memory.get();
    if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        std::abort();
    done_.push_back(buffer);
    return true;
}

bool FakeDevice::show() {
    if (!streaming_ || queued_.empty())
        return false;
    v4l2_buffer buffer{};
    buffer.index = queued_.front();
    queued_.pop_front();
    done_.push_back(buffer);
    return true;
}

void FakeDevice::replace_memory(std::uint32_t index) {
    buffers_.at(index).memory = fake_memory(page);
}

int FakeDevice::ioctl(unsigned long request_code, void* argument) {
    if (unplugged)
        return -ENODEV;
    switch (request_code) {
    case VIDIOC_QUERYCAP:
        return query_capability(*static_cast<v4l2_capability*>(argument));
    case VIDIOC_G_FMT: {
        auto* answer = static_cast<v4l2_format*>(argument);
        *answer = to_raw(format, side);
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
    if (exchanged.type != raw(side))
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
    exchanged = to_raw(wanted, side);
    return 0;
}

int FakeDevice::enumerate(v4l2_fmtdesc& entry) const {
    if (entry.index > 0 || entry.type != raw(side))
        return -EINVAL;
    entry.pixelformat = format.fourcc.value();
    return 0;
}

int FakeDevice::request(v4l2_requestbuffers& request) {
    if (request.type != raw(side))
        return -EINVAL;
    const bool possible = (request.memory == V4L2_MEMORY_MMAP && has_mmap) ||
                          (request.memory == V4L2_MEMORY_DMABUF && has_import);
    if (!possible)
        return -EINVAL;
    if (streaming_) {
        violations_.push_back("REQBUFS while it streams");
        return -EBUSY;
    }
    for (const Buffer& buffer : buffers_)
        if (buffer.memory && is_mapped(inode_of(buffer.memory.get()))) {
            violations_.push_back("REQBUFS with a live mapping");
            return -EBUSY;
        }
    buffers_.clear();
    queued_.clear();
    memory_ = request.memory;
    request.count = std::min(request.count, most_buffers);
    request.capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    for (std::uint32_t i = 0; i < request.count; ++i) {
        Buffer& buffer = buffers_.emplace_back();
        if (memory_ == V4L2_MEMORY_MMAP)
            buffer.memory = fake_memory((format.sizeimage() + page - 1) / page * page);
    }
    return 0;
}

int FakeDevice::query(v4l2_buffer& buffer) const {
    if (buffer.index >= buffers_.size())
        return -EINVAL;
    buffer.length = (format.sizeimage() + page - 1) / page * page;
    buffer.m.offset = buffer.index * page;
    return 0;
}

bool FakeDevice::is_idle(std::uint32_t index) const {
    return std::ranges::count(queued_, index) == 0 &&
           std::ranges::count(done_, index, &v4l2_buffer::index) == 0;
}

int FakeDevice::queue(v4l2_buffer& buffer) {
    if (buffer.index >= buffers_.size() || buffer.memory != memory_ || buffer.type != raw(side))
        return -EINVAL;
    if (!is_idle(buffer.index)) {
        violations_.push_back("QBUF of a buffer that is queued");
        return -EINVAL;
    }
    if (memory_ == V4L2_MEMORY_DMABUF) {
        if (imports_nothing)
            return -EINVAL;
        UniqueFd own(::fcntl(buffer.m.fd, F_DUPFD_CLOEXEC, 0));
        if (!own)
            return -EBADF;
        if (buffer.length < format.sizeimage())
            return -EINVAL;
        buffers_[buffer.index].imported = std::move(own);
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
    buffer = done_.front();
    done_.pop_front();
    return 0;
}

int FakeDevice::export_buffer(v4l2_exportbuffer& request) const {
    if (!has_export)
        return -ENOTTY;
    if (request.index >= buffers_.size() || memory_ != V4L2_MEMORY_MMAP)
        return -EINVAL;
    request.fd = ::fcntl(buffers_[request.index].memory.get(), F_DUPFD_CLOEXEC, 0);
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
    const auto index = static_cast<std::size_t>(offset) / page;
    return index < buffers_.size() && buffers_[index].memory ? &buffers_[index].memory : nullptr;
}

std::uint32_t FakeDevice::poll() const noexcept {
    if (unplugged)
        return EPOLLERR | EPOLLHUP;
    if (!streaming_)
        return EPOLLERR;
    if (done_.empty())
        return 0;
    return side == BufferType::capture ? EPOLLIN : EPOLLOUT;
}

} // namespace v4l2dma::testing
