// SPDX-License-Identifier: MIT
#include "client.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
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

std::vector<std::uint32_t> lengths_of(const v4l2_format& format) {
    if (!V4L2_TYPE_IS_MULTIPLANAR(format.type))
        return {format.fmt.pix.sizeimage};
    std::vector<std::uint32_t> lengths;
    for (unsigned plane = 0; plane < format.fmt.pix_mp.num_planes; ++plane)
        lengths.push_back(format.fmt.pix_mp.plane_fmt[plane].sizeimage);
    return lengths;
}

using Formats = decltype(v4l2_format::fmt);

/// S_FMT by either of the two APIs.
template <typename Pix>
int set_member(const Client& client, Pix Formats::*member, Pix& pix, v4l2_buf_type type) {
    v4l2_format format{};
    format.type = type;
    format.fmt.*member = pix;
    const int error = client.ioctl(VIDIOC_S_FMT, &format);
    pix = format.fmt.*member;
    return error;
}

} // namespace

void must(int error, const std::string& what) {
    if (error != 0)
        throw std::system_error(error, std::generic_category(), what);
}

std::string loop_node() {
    return environment("V4L2DMA_LOOP", "/dev/video10");
}
std::string exporter_node() {
    return environment("V4L2DMA_EXPORTER", "/dev/video0");
}

Client::Client(const std::string& node, int flags) : fd_(::open(node.c_str(), O_RDWR | O_CLOEXEC | flags)) {
    must(fd_ < 0 ? errno : 0, node);
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
    lengths_ = lengths_of(any_format(type));
    maps_.assign(at(count_, 0), {});
    user_.clear();
    for (unsigned index = 0; memory == V4L2_MEMORY_USERPTR && index < count_; ++index)
        for (const std::uint32_t length : lengths_)
            user_.emplace_back((length + sizeof(std::uint32_t) - 1) / sizeof(std::uint32_t));
    return 0;
}

int Client::create_bufs(v4l2_buf_type type, v4l2_memory memory, unsigned count, std::uint32_t sizeimage) {
    v4l2_create_buffers request{};
    request.memory = memory;
    request.count = count;
    request.format = any_format(type);
    if (sizeimage != 0 && V4L2_TYPE_IS_MULTIPLANAR(type))
        request.format.fmt.pix_mp.plane_fmt[0].sizeimage = sizeimage;
    else if (sizeimage != 0)
        request.format.fmt.pix.sizeimage = sizeimage;
    const int error = ioctl(VIDIOC_CREATE_BUFS, &request);
    if (error != 0)
        return error;
    type_ = type;
    memory_ = memory;
    count_ = request.index + request.count;
    lengths_ = lengths_of(request.format);
    maps_.resize(at(count_, 0));
    return 0;
}

std::span<std::uint32_t> Client::map(unsigned index, unsigned plane) {
    if (memory_ == V4L2_MEMORY_USERPTR)
        return user_[at(index, plane)];
    auto& mapping = maps_[at(index, plane)];
    if (!mapping.empty())
        return mapping;
    PlanarBuffer planar{.buffer = blank(index)};
    const v4l2_buffer& buffer = planar.buffer;
    must(ioctl(VIDIOC_QUERYBUF, V4L2_TYPE_IS_MULTIPLANAR(type_) ? planar.connect() : &planar.buffer),
         "QUERYBUF");
    const bool several = V4L2_TYPE_IS_MULTIPLANAR(type_);
    const auto length = several ? planar.planes[plane].length : buffer.length;
    const auto offset = several ? planar.planes[plane].m.mem_offset : buffer.m.offset;
    void* start =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, static_cast<off_t>(offset));
    must(start == MAP_FAILED ? errno : 0, "mmap");
    return mapping = words(start, length);
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
    if (V4L2_TYPE_IS_MULTIPLANAR(type_))
        buffer.length = planes();
    return buffer;
}

PlanarBuffer Client::filled_in(unsigned index) {
    PlanarBuffer planar{.buffer = blank(index)};
    planar.buffer.field = V4L2_FIELD_NONE;
    for (unsigned plane = 0; plane < planes(); ++plane) {
        v4l2_plane& each = planar.planes[plane];
        each.bytesused = lengths_[plane];
        if (memory_ == V4L2_MEMORY_USERPTR) {
            each.m.userptr = reinterpret_cast<unsigned long>(user_[at(index, plane)].data());
            each.length = lengths_[plane];
        } else if (memory_ == V4L2_MEMORY_DMABUF) {
            each.m.fd = dmabufs_[at(index, plane)];
            each.length = lengths_[plane];
        }
    }
    return planar;
}

int Client::queue(unsigned index, std::uint32_t bytesused, std::int64_t microseconds) {
    if (V4L2_TYPE_IS_MULTIPLANAR(type_)) {
        PlanarBuffer planar = filled_in(index);
        planar.buffer.timestamp.tv_sec = microseconds / 1000000;
        planar.buffer.timestamp.tv_usec = microseconds % 1000000;
        return ioctl(VIDIOC_QBUF, planar.connect());
    }
    v4l2_buffer buffer = blank(index);
    buffer.bytesused = bytesused != 0 ? bytesused : length();
    buffer.field = V4L2_FIELD_NONE;
    buffer.timestamp.tv_sec = microseconds / 1000000;
    buffer.timestamp.tv_usec = microseconds % 1000000;
    if (memory_ == V4L2_MEMORY_USERPTR) {
        buffer.m.userptr = reinterpret_cast<unsigned long>(user_[index].data());
        buffer.length = length();
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
    if (V4L2_TYPE_IS_MULTIPLANAR(type_)) {
        PlanarBuffer planar;
        const int error = dequeue(planar);
        buffer = planar.buffer;
        buffer.m.planes = nullptr;
        return error;
    }
    buffer = blank(0);
    return ioctl(VIDIOC_DQBUF, &buffer);
}

int Client::dequeue(PlanarBuffer& planar) const {
    planar.buffer = blank(0);
    return ioctl(VIDIOC_DQBUF, planar.connect());
}

int Client::export_fd(unsigned index, unsigned plane) const {
    v4l2_exportbuffer request{};
    request.type = type_;
    request.index = index;
    request.plane = plane;
    request.flags = O_RDWR | O_CLOEXEC;
    const int error = ioctl(VIDIOC_EXPBUF, &request);
    return error != 0 ? -error : request.fd;
}

int Client::must_export(unsigned index) const {
    const int fd = export_fd(index);
    must(fd < 0 ? -fd : 0, "EXPBUF");
    return fd;
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
    must(::poll(&entry, 1, milliseconds) < 0 ? errno : 0, "poll");
    return entry.revents;
}

v4l2_format Client::any_format(v4l2_buf_type type) const {
    v4l2_format format{};
    format.type = type;
    must(ioctl(VIDIOC_G_FMT, &format), "G_FMT");
    return format;
}

v4l2_pix_format Client::format(v4l2_buf_type type) const {
    return any_format(type).fmt.pix;
}

v4l2_pix_format_mplane Client::planar_format(v4l2_buf_type type) const {
    return any_format(type).fmt.pix_mp;
}

int Client::set_format(v4l2_pix_format& pix, v4l2_buf_type type) const {
    return set_member(*this, &Formats::pix, pix, type);
}

int Client::set_format(v4l2_pix_format_mplane& pix, v4l2_buf_type type) const {
    return set_member(*this, &Formats::pix_mp, pix, type);
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
    must(ioctl(VIDIOC_G_CTRL, &control), "G_CTRL");
    return control.value;
}

int Client::set_control(std::uint32_t id, int value) const {
    v4l2_control control{.id = id, .value = value};
    return ioctl(VIDIOC_S_CTRL, &control);
}

void start_reading(Client& reader, unsigned buffers, v4l2_buf_type type) {
    must(reader.reqbufs(type, V4L2_MEMORY_MMAP, buffers), "the reader's REQBUFS");
    must(reader.queue_all(), "the reader's QBUF");
    must(reader.stream_on(), "the reader's STREAMON");
}

void start_writing(Client& writer, unsigned buffers, v4l2_buf_type type) {
    must(writer.reqbufs(type, V4L2_MEMORY_MMAP, buffers), "the writer's REQBUFS");
    must(writer.stream_on(), "the writer's STREAMON");
}

void MappedDmabufs::add(int fd, std::size_t bytes) {
    fds_.push_back(fd);
    maps_.push_back(map_dmabuf(fd, bytes));
}

MappedDmabufs::~MappedDmabufs() {
    for (const auto& mapping : maps_)
        ::munmap(mapping.data(), mapping.size_bytes());
    for (const int fd : fds_)
        ::close(fd);
}

ForeignBuffers::ForeignBuffers(unsigned count, std::uint32_t bytes) : exporter_(exporter_node()) {
    v4l2_pix_format pix = exporter_.format(capture);
    pix.pixelformat = V4L2_PIX_FMT_YUYV;
    pix.width = 1280;
    pix.height = 720;
    must(exporter_.set_format(pix, capture), "the exporter's S_FMT");
    must(pix.sizeimage < bytes ? EMSGSIZE : 0, "the exporter's sizeimage");
    must(exporter_.reqbufs(capture, V4L2_MEMORY_MMAP, count), "the exporter's REQBUFS");
    must(exporter_.count() < count ? ENOMEM : 0, "the exporter's number of buffers");
    for (unsigned index = 0; index < count; ++index)
        buffers_.add(exporter_.must_export(index), bytes);
}

std::span<std::uint32_t> map_dmabuf(int fd, std::size_t bytes) {
    void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(start == MAP_FAILED ? errno : 0, "mmap of a dma-buf");
    return words(start, bytes);
}

ino_t inode(int fd) {
    struct stat status {};
    must(::fstat(fd, &status) < 0 ? errno : 0, "fstat");
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
