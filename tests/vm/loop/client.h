// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <linux/videodev2.h>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

/// A v4l2_buffer of the multi-planar API with room for its planes. It may be copied; connect() before use.
struct PlanarBuffer {
    v4l2_buffer buffer{};
    std::array<v4l2_plane, VIDEO_MAX_PLANES> planes{};
    v4l2_buffer* connect() {
        buffer.m.planes = planes.data();
        return &buffer;
    }
};

/// What has to work does, or this throws std::system_error, which fails the test that it happens in.
void must(int error, const std::string& what);

/// A program that uses a V4L2 node, call by call. A call returns 0 or the errno; nothing is hidden or
/// retried. Buffer types of both APIs are understood; the single-planar one has plane 0 only.
class Client {
public:
    explicit Client(const std::string& node, int flags = 0);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] int fd() const { return fd_; }
    void close();

    int ioctl(unsigned long request, void* argument) const;

    /// Picks the side and the memory type, and asks for buffers. For USERPTR it allocates memory.
    int reqbufs(v4l2_buf_type type, v4l2_memory memory, unsigned count);
    int create_bufs(v4l2_buf_type type, v4l2_memory memory, unsigned count, std::uint32_t sizeimage = 0);
    [[nodiscard]] unsigned count() const { return count_; }
    [[nodiscard]] unsigned planes() const { return static_cast<unsigned>(lengths_.size()); }
    [[nodiscard]] std::uint32_t length(unsigned plane = 0) const { return lengths_[plane]; }
    /// Maps buffer @p index (MMAP), or finds its memory (USERPTR).
    std::span<std::uint32_t> map(unsigned index, unsigned plane = 0);
    void unmap_all();
    /// DMABUF: which fds (borrowed) are queued from now on, the planes of a buffer one after the other.
    void use(std::vector<int> dmabufs) { dmabufs_ = std::move(dmabufs); }

    int queue(unsigned index, std::uint32_t bytesused = 0, std::int64_t microseconds = 0);
    int queue_all();
    int dequeue(v4l2_buffer& buffer) const;
    int dequeue(PlanarBuffer& planar) const;
    /// What queue() gives to QBUF, to be changed.
    [[nodiscard]] PlanarBuffer filled_in(unsigned index);
    /// EXPBUF: the fd, or -errno.
    [[nodiscard]] int export_fd(unsigned index, unsigned plane = 0) const;
    /// EXPBUF, which has to work: the fd, or std::system_error.
    [[nodiscard]] int must_export(unsigned index) const;
    int stream_on() const;
    int stream_off() const;
    /// poll(): revents; @p milliseconds < 0 waits for ever.
    [[nodiscard]] short poll(short events, int milliseconds) const;
    [[nodiscard]] v4l2_pix_format format(v4l2_buf_type type) const;
    int set_format(v4l2_pix_format& pix, v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_OUTPUT) const;
    /// SUBSCRIBE_EVENT.
    int subscribe(std::uint32_t type, std::uint32_t flags = 0, std::uint32_t id = 0) const;
    /// A control's value.
    [[nodiscard]] int control(std::uint32_t id) const;
    int set_control(std::uint32_t id, int value) const;
    [[nodiscard]] v4l2_pix_format_mplane planar_format(v4l2_buf_type type) const;
    int set_format(v4l2_pix_format_mplane& pix, v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE) const;

private:
    [[nodiscard]] v4l2_format any_format(v4l2_buf_type type) const;
    [[nodiscard]] std::size_t at(unsigned index, unsigned plane) const {
        return index * lengths_.size() + plane;
    }
    [[nodiscard]] v4l2_buffer blank(unsigned index) const;

    int fd_ = -1;
    v4l2_buf_type type_ = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    v4l2_memory memory_ = V4L2_MEMORY_MMAP;
    unsigned count_ = 0;
    std::vector<std::uint32_t> lengths_; ///< by plane; the members below are by buffer, then by plane
    std::vector<std::span<std::uint32_t>> maps_;
    std::vector<std::vector<std::uint32_t>> user_;
    std::vector<int> dmabufs_;
};

inline constexpr auto capture = V4L2_BUF_TYPE_VIDEO_CAPTURE;
inline constexpr auto output = V4L2_BUF_TYPE_VIDEO_OUTPUT;
inline constexpr auto planar_capture = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
inline constexpr auto planar_output = V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;

// It is packed, and doctest wants references.
inline std::uint32_t fourcc_of(const v4l2_pix_format_mplane& pix) {
    return pix.pixelformat;
}
inline std::uint32_t stride_of(const v4l2_pix_format_mplane& pix, unsigned plane) {
    return pix.plane_fmt[plane].bytesperline;
}
inline std::uint32_t size_of(const v4l2_pix_format_mplane& pix, unsigned plane) {
    return pix.plane_fmt[plane].sizeimage;
}

/// The loop's node, and a foreign capture node that exports dma-bufs; from the environment.
std::string loop_node();
std::string exporter_node();

/// What a writer asks for, in either of the two APIs; all else is up to the loop.
template <typename Pix = v4l2_pix_format>
Pix wish(std::uint32_t fourcc, std::uint32_t width, std::uint32_t height) {
    Pix pix{};
    pix.pixelformat = fourcc;
    pix.width = width;
    pix.height = height;
    pix.field = V4L2_FIELD_NONE;
    return pix;
}

/// Makes a reader of it: REQBUFS(MMAP), QBUF of every buffer, STREAMON, which all must work.
void start_reading(Client& reader, unsigned buffers = 4, v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_CAPTURE);
/// Makes a writer of it: REQBUFS(MMAP), STREAMON. Likewise.
void start_writing(Client& writer, unsigned buffers = 4, v4l2_buf_type type = V4L2_BUF_TYPE_VIDEO_OUTPUT);

/// dma-bufs, mapped. Owns fds and mappings.
class MappedDmabufs {
public:
    MappedDmabufs() = default;
    ~MappedDmabufs();
    MappedDmabufs(const MappedDmabufs&) = delete;
    MappedDmabufs& operator=(const MappedDmabufs&) = delete;
    /// The fd is closed with this.
    void add(int fd, std::size_t bytes);
    [[nodiscard]] const std::vector<int>& fds() const { return fds_; }
    [[nodiscard]] std::span<std::uint32_t> map(std::size_t index) const { return maps_[index]; }

private:
    std::vector<int> fds_;
    std::vector<std::span<std::uint32_t>> maps_;
};

/// dma-bufs of another driver: its buffers, exported.
class ForeignBuffers {
public:
    /// Sized for the loop's frames. Throws std::system_error.
    ForeignBuffers(unsigned count, std::uint32_t bytes);
    [[nodiscard]] const std::vector<int>& fds() const { return buffers_.fds(); }
    [[nodiscard]] std::span<std::uint32_t> map(unsigned index) const { return buffers_.map(index); }

private:
    Client exporter_;
    MappedDmabufs buffers_; // goes before its exporter
};

/// Maps a dma-buf; the caller munmaps it.
std::span<std::uint32_t> map_dmabuf(int fd, std::size_t bytes);
ino_t inode(int fd);

/// Fills every word of a frame from one number, so that no two frames share a word at one place.
void paint(std::span<std::uint32_t> frame, std::uint32_t number);
/// The number, if every word belongs to one frame; empty if the frame is torn.
std::optional<std::uint32_t> painted(std::span<const std::uint32_t> frame);
