// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "format/frame_format.h"
#include "v4l2/types.h"

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <linux/videodev2.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace v4l2dma::testing {

/// A memfd that the kernel lists under fake_memory_name, so that fds and mappings that stay can be counted.
inline constexpr const char* fake_memory_name = "v4l2dma-fake";
[[nodiscard]] UniqueFd fake_memory(std::size_t length);

/// What has stayed open or mapped of all fake memory, in the whole process.
[[nodiscard]] std::size_t open_fake_fds();
[[nodiscard]] std::size_t fake_mappings();

/// As much of a V4L2 device as our own code can be told apart by: one queue, with vb2's states and refusals.
/// Its memory are memfds, which pass for dma-bufs.
class FakeDevice {
public:
    FakeDevice(std::string path, BufferType side);

    // What it is. Changed before it is opened.
    std::string path;
    BufferType side;
    std::string driver = "fake";
    std::string card;
    std::string bus_info = "platform:fake";
    std::optional<unsigned> kernel_index{}; ///< System::video_node_index()
    std::uint32_t capabilities;
    FrameFormat format; ///< YUYV 16x8
    /// Beside format's, for ENUM_FMT; what is granted is adjust()'s to say.
    std::vector<FourCC> other_formats;
    /// Grants the formats that are enumerated, in any size and without padding; the first for others.
    void grant_offers();
    bool has_mmap = true;
    bool has_userptr = true;
    bool has_rw = true;
    bool has_import = true;
    bool has_export = true;
    std::uint32_t most_buffers = 32;
    /// The multi-planar API only, and a format of two planes: NM12 16x8.
    void make_multiplanar();
    std::function<void(FrameFormat&)> adjust; ///< what the driver makes of a format that is asked for

    /// Answers every ioctl that is about neither formats nor buffers (FakeControls); without it they are
    /// ENOTTY.
    std::function<int(unsigned long request, void* argument)> beside;

    // What happens to it.
    bool unplugged = false;
    bool repeats = false;         ///< DQBUF answers the same buffer again and again
    bool imports_nothing = false; ///< accepts REQBUFS(DMABUF) and refuses at QBUF, as some drivers do
    struct Captured {
        std::optional<std::uint32_t> bytesused; ///< of each plane; the whole frame if empty
        std::uint32_t data_offset = 0;          ///< of each plane, multi-planar only
        std::uint32_t flags = 0;                ///< V4L2_BUF_FLAG_*, beside the clock's
        std::optional<std::uint32_t> sequence;  ///< the next one if empty
        std::chrono::microseconds timestamp{1'000'000};
    };
    /// A camera: fills the buffer that waits longest; false if there is none.
    bool capture(const Captured& frame);
    bool capture() { return capture(Captured{}); }
    /// An output: is done with the buffer that it has longest; false if there is none.
    bool show();
    /// A loop: the slot holds another dma-buf of its writer.
    void replace_memory(std::uint32_t index);

    // What became of it.
    [[nodiscard]] bool streaming() const noexcept { return streaming_; }
    [[nodiscard]] std::uint32_t allocated() const noexcept {
        return static_cast<std::uint32_t>(buffers_.size());
    }
    [[nodiscard]] std::size_t queued() const noexcept { return queued_.size(); }
    [[nodiscard]] const std::deque<std::uint32_t>& queued_indexes() const noexcept { return queued_; }
    [[nodiscard]] bool has_done() const noexcept { return !done_.empty(); }
    /// The inode behind a buffer's plane: its own memory's, or the imported one's.
    [[nodiscard]] std::uint64_t inode(std::uint32_t index, std::uint32_t plane = 0) const;
    /// The first bytes behind a buffer's plane.
    [[nodiscard]] std::string content(std::uint32_t index, std::size_t length, std::uint32_t plane = 0) const;
    /// What write() brought, frame by frame.
    [[nodiscard]] const std::vector<std::string>& written() const noexcept { return written_; }
    std::size_t write_room = 4; ///< frames that write() takes before show() makes room
    [[nodiscard]] const v4l2_buffer& last_queued() const noexcept { return last_queued_; }
    [[nodiscard]] const std::array<v4l2_plane, VIDEO_MAX_PLANES>& last_planes() const noexcept {
        return last_planes_;
    }
    /// What no correct program does: REQBUFS with live mappings, a buffer queued twice.
    [[nodiscard]] const std::vector<std::string>& violations() const noexcept { return violations_; }
    /// How many fds the device itself keeps.
    [[nodiscard]] std::size_t own_fds() const noexcept;

    int ioctl(unsigned long request, void* argument);
    ssize_t read(std::span<std::byte> bytes);
    ssize_t write(std::span<const std::byte> bytes);
    /// A new open file: read() and write() are over.
    void opened();
    /// What mmap() of the device at this offset maps.
    [[nodiscard]] const UniqueFd* memory_at(off_t offset) const noexcept;
    [[nodiscard]] std::uint32_t poll() noexcept;

private:
    struct Plane {
        UniqueFd memory;           ///< MMAP: its own
        UniqueFd imported;         ///< DMABUF: what was queued last
        std::byte* user = nullptr; ///< USERPTR: likewise
    };
    using Buffer = std::vector<Plane>;
    struct Done {
        v4l2_buffer buffer{};
        std::uint32_t bytesused = 0;
        std::uint32_t data_offset = 0;
    };
    int query_capability(v4l2_capability& answer) const;
    int exchange_format(v4l2_format& exchanged, bool keep);
    int enumerate(v4l2_fmtdesc& entry) const;
    int request(v4l2_requestbuffers& request);
    int query(v4l2_buffer& buffer) const;
    int queue(v4l2_buffer& buffer);
    int take_memory(Plane& plane, int fd, unsigned long address, std::uint32_t length, std::uint32_t needed);
    int dequeue(v4l2_buffer& buffer);
    int export_buffer(v4l2_exportbuffer& request) const;
    int stream(bool on);
    bool is_idle(std::uint32_t index) const;
    [[nodiscard]] std::uint32_t raw_type() const noexcept;
    [[nodiscard]] bool multi() const noexcept;

    std::optional<FourCC> first_format_; ///< of grant_offers()
    std::vector<Buffer> buffers_;
    std::uint32_t memory_ = 0;
    bool streaming_ = false;
    bool file_io_ = false;             ///< read() or write() was called since the file was opened
    std::deque<std::uint32_t> unread_; ///< sequences of frames that wait for read()
    std::vector<std::string> written_;
    std::size_t unshown_ = 0; ///< written, not shown
    std::deque<std::uint32_t> queued_;
    std::deque<Done> done_;
    v4l2_buffer last_queued_{};
    std::array<v4l2_plane, VIDEO_MAX_PLANES> last_planes_{};
    std::uint32_t next_sequence_ = 0;
    std::vector<std::string> violations_;
};

} // namespace v4l2dma::testing
