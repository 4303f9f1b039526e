// SPDX-License-Identifier: MIT
#include "client.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::span<std::uint32_t> words(void* start, std::size_t bytes) {
    return {static_cast<std::uint32_t*>(start), bytes / sizeof(std::uint32_t)};
}

std::string environment(const char* name, const char* fallback) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : fallback;
}

constexpr std::uint32_t mix(std::uint32_t number, std::uint32_t index) {
    return number ^ (index * 2654435761U);
}

} // namespace

std::string loop_node() {
    return environment("V4L2DMA_LOOP", "/dev/video10");
}
std::string exporter_node() {
    return environment("V4L2DMA_EXPORTER", "/dev/video0");
}

Client::Client(const std::string& node, int flags) : fd_(::open(node.c_str(), O_RDWR | O_CLOEXEC | flags)) {
    REQUIRE_MESSAGE(fd_ >= 0, node, ": ", std::strerror(errno));
}

Client::~Client() {
    close();
}

void Client::close() {
    unmap_all();
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = -1;
}

int Client::ioctl(unsigned long request, void* argument) const {
    return ::ioctl(fd_, request, argument) < 0 ? errno : 0;
}

int Client::reqbufs(v4l2_buf_type type, v4l2_memory memory, unsigned count) {
    v4l2_requestbuffers request{};
    request.type = type;
    request.memory = memory;
    request.count = count;
    const int error = ioctl(VIDIOC_REQBUFS, &request);
    if (error != 0)
        return error;
    type_ = type;
    memory_ = memory;
    count_ = request.count;
    length_ = format(type).sizeimage;
    maps_.assign(count_, {});
    user_.clear();
    if (memory == V4L2_MEMORY_USERPTR)
        user_.assign(count_, std::vector<std::uint32_t>(length_ / sizeof(std::uint32_t)));
    return 0;
}

int Client::create_bufs(v4l2_buf_type type, v4l2_memory memory, unsigned count, std::uint32_t sizeimage) {
    v4l2_create_buffers request{};
    request.memory = memory;
    request.count = count;
    request.format.type = type;
    request.format.fmt.pix = format(type);
    if (sizeimage != 0)
        request.format.fmt.pix.sizeimage = sizeimage;
    const int error = ioctl(VIDIOC_CREATE_BUFS, &request);
    if (error != 0)
        return error;
    type_ = type;
    memory_ = memory;
    count_ = request.index + request.count;
    length_ = request.format.fmt.pix.sizeimage;
    maps_.resize(count_);
    return 0;
}

std::span<std::uint32_t> Client::map(unsigned index) {
    if (memory_ == V4L2_MEMORY_USERPTR)
        return user_[index];
    if (!maps_[index].empty())
        return maps_[index];
    v4l2_buffer buffer = blank(index);
    REQUIRE(ioctl(VIDIOC_QUERYBUF, &buffer) == 0);
    void* start = ::mmap(nullptr, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_,
                         static_cast<off_t>(buffer.m.offset));
    REQUIRE_MESSAGE(start != MAP_FAILED, "mmap: ", std::strerror(errno));
    return maps_[index] = words(start, buffer.length);
}

void Client::unmap_all() {
    for (auto& mapping : maps_) {
        if (!mapping.empty())
            ::munmap(mapping.data(), mapping.size_bytes());
        mapping = {};
    }
}

v4l2_buffer Client::blank(unsigned index) const {
    v4l2_buffer buffer{};
    buffer.index = index;
    buffer.type = type_;
    buffer.memory = memory_;
    return buffer;
}

int Client::queue(unsigned index, std::uint32_t bytesused, std::int64_t microseconds) {
    v4l2_buffer buffer = blank(index);
    buffer.bytesused = bytesused != 0 ? bytesused : length_;
    buffer.field = V4L2_FIELD_NONE;
    buffer.timestamp.tv_sec = microseconds / 1000000;
    buffer.timestamp.tv_usec = microseconds % 1000000;
    if (memory_ == V4L2_MEMORY_USERPTR) {
        buffer.m.userptr = reinterpret_cast<unsigned long>(user_[index].data());
        buffer.length = length_;
    } else if (memory_ == V4L2_MEMORY_DMABUF) {
        buffer.m.fd = dmabufs_[index];
    }
    return ioctl(VIDIOC_QBUF, &buffer);
}

int Client::queue_all() {
    for (unsigned index = 0; index < count_; ++index)
        if (const int error = queue(index); error != 0)
            return error;
    return 0;
}

int Client::dequeue(v4l2_buffer& buffer) const {
    buffer = blank(0);
    return ioctl(VIDIOC_DQBUF, &buffer);
}

int Client::export_fd(unsigned index) const {
    v4l2_exportbuffer request{};
    request.type = type_;
    request.index = index;
    request.flags = O_RDWR | O_CLOEXEC;
    const int error = ioctl(VIDIOC_EXPBUF, &request);
    return error != 0 ? -error : request.fd;
}

int Client::stream_on() const {
    int type = type_;
    return ioctl(VIDIOC_STREAMON, &type);
}

int Client::stream_off() const {
    int type = type_;
    return ioctl(VIDIOC_STREAMOFF, &type);
}

short Client::poll(short events, int milliseconds) const {
    pollfd entry{fd_, events, 0};
    REQUIRE(::poll(&entry, 1, milliseconds) >= 0);
    return entry.revents;
}

v4l2_pix_format Client::format(v4l2_buf_type type) const {
    v4l2_format format{};
    format.type = type;
    REQUIRE(ioctl(VIDIOC_G_FMT, &format) == 0);
    return format.fmt.pix;
}

int Client::set_format(v4l2_pix_format& pix, v4l2_buf_type type) const {
    v4l2_format format{};
    format.type = type;
    format.fmt.pix = pix;
    const int error = ioctl(VIDIOC_S_FMT, &format);
    pix = format.fmt.pix;
    return error;
}

int Client::subscribe(std::uint32_t type, std::uint32_t flags, std::uint32_t id) const {
    v4l2_event_subscription subscription{};
    subscription.type = type;
    subscription.id = id;
    subscription.flags = flags;
    return ioctl(VIDIOC_SUBSCRIBE_EVENT, &subscription);
}

int Client::control(std::uint32_t id) const {
    v4l2_control control{.id = id, .value = -1};
    REQUIRE(ioctl(VIDIOC_G_CTRL, &control) == 0);
    return control.value;
}

int Client::set_control(std::uint32_t id, int value) const {
    v4l2_control control{.id = id, .value = value};
    return ioctl(VIDIOC_S_CTRL, &control);
}

void start_reading(Client& reader, unsigned buffers) {
    REQUIRE(reader.reqbufs(capture, V4L2_MEMORY_MMAP, buffers) == 0);
    REQUIRE(reader.queue_all() == 0);
    REQUIRE(reader.stream_on() == 0);
}

void start_writing(Client& writer, unsigned buffers) {
    REQUIRE(writer.reqbufs(output, V4L2_MEMORY_MMAP, buffers) == 0);
    REQUIRE(writer.stream_on() == 0);
}

ForeignBuffers::ForeignBuffers(unsigned count, std::uint32_t bytes) : exporter_(exporter_node()) {
    v4l2_pix_format pix = exporter_.format(capture);
    pix.pixelformat = V4L2_PIX_FMT_YUYV;
    pix.width = 1280;
    pix.height = 720;
    REQUIRE(exporter_.set_format(pix, capture) == 0);
    REQUIRE(pix.sizeimage >= bytes);
    REQUIRE(exporter_.reqbufs(capture, V4L2_MEMORY_MMAP, count) == 0);
    REQUIRE(exporter_.count() >= count);
    for (unsigned index = 0; index < count; ++index) {
        fds_.push_back(exporter_.export_fd(index));
        REQUIRE(fds_.back() >= 0);
        maps_.push_back(map_dmabuf(fds_.back(), bytes));
    }
}

ForeignBuffers::~ForeignBuffers() {
    for (const auto& mapping : maps_)
        ::munmap(mapping.data(), mapping.size_bytes());
    for (const int fd : fds_)
        ::close(fd);
}

std::span<std::uint32_t> map_dmabuf(int fd, std::size_t bytes) {
    void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REQUIRE_MESSAGE(start != MAP_FAILED, "mmap of a dma-buf: ", std::strerror(errno));
    return words(start, bytes);
}

ino_t inode(int fd) {
    struct stat status {};
    REQUIRE(::fstat(fd, &status) == 0);
    return status.st_ino;
}

void paint(std::span<std::uint32_t> frame, std::uint32_t number) {
    for (std::uint32_t index = 0; index < frame.size(); ++index)
        frame[index] = mix(number, index);
}

std::optional<std::uint32_t> painted(std::span<const std::uint32_t> frame) {
    const std::uint32_t number = mix(frame[0], 0);
    for (std::uint32_t index = 0; index < frame.size(); ++index)
        if (frame[index] != mix(number, index))
            return std::nullopt;
    return number;
}
