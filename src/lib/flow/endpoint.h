// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"
#include "format/stream_properties.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// What an endpoint does about memory on a path.
enum class MemoryRole {
    exports, ///< has buffers of its own and hands out their dma-bufs
    lends,   ///< has buffers of its own and hands out their addresses: the other side works in them
    imports, ///< works in dma-bufs that it is given
    borrows, ///< works in memory that it is given by address (USERPTR)
    touches, ///< has no buffers: the CPU writes or reads each frame where it is told (read(), write(),
             ///< drawing)
    copies,  ///< a sink only: has buffers of its own, into which each frame is copied
};

/// Whether frames lie in the buffers of who plays it, for the other side to work in.
[[nodiscard]] constexpr bool provides_memory(MemoryRole role) noexcept {
    return role == MemoryRole::exports || role == MemoryRole::lends;
}

/// What can be waited for at a descriptor.
struct FdEvent {
    int fd = -1;              ///< borrowed; -1: nothing tells
    std::uint32_t events = 0; ///< EPOLLIN and so on
};

/// Where frames come from.
///
/// Life on a path: provide() or use(); then start(); then take() and give_back() in turns; then stop() and
/// release(), after which another path may be tried. One thread. Errors name the call that failed, so that
/// the negotiation can say it.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The device number of the node behind it, 0 if there is none.
    [[nodiscard]] virtual dev_t device_number() const noexcept { return 0; }
    /// Settled when the source is opened; set_format() alone changes it.
    [[nodiscard]] virtual const FrameFormat& format() const = 0;
    /// What else is known of the stream; may differ from one format to the other.
    [[nodiscard]] virtual StreamProperties properties() const { return {}; }
    /// What it can deliver instead in the same size, the most alike first, compressed formats last. None
    /// where the user chose the format. Changes nothing.
    [[nodiscard]] virtual std::vector<FrameFormat> other_formats() const { return {}; }
    /// Delivers another format: one of other_formats(), or the one that it had. Before provide() and use().
    /// Frame rate and controls stay what the user wanted. Errors: (usage) the frame rate cannot be had in
    /// this format; the driver's. The format is then one of the two.
    [[nodiscard]] virtual Status set_format(const FrameFormat&) {
        return make_error(ErrorKind::unsupported, "set format", name(), "it has one format only");
    }
    /// Why it cannot play this role; empty if it can be tried. The truth comes from the calls.
    [[nodiscard]] virtual std::string why_not(MemoryRole role) const = 0;
    /// How often the CPU moves a frame's bytes within this role, in the kernel or here.
    [[nodiscard]] virtual unsigned copies(MemoryRole) const { return 0; }

    /// exports, lends: buffers of its own, valid until release(). A loop's frame comes in whatever dma-buf
    /// its writer queued: there exports answers buffers without memory, and Frame::memory tells.
    [[nodiscard]] virtual Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) = 0;
    /// imports, borrows, touches: works in this memory (borrowed until release()); Frame::index is the
    /// position in it.
    [[nodiscard]] virtual Status use(MemoryRole role, std::span<BufferMemory> memory) = 0;

    [[nodiscard]] virtual Status start() = 0;
    /// The next frame, empty if none is there yet.
    [[nodiscard]] virtual Result<std::optional<Frame>> take() = 0;
    [[nodiscard]] virtual Status give_back(std::uint32_t index) = 0;
    /// Buffers that it can fill now: all less those that were taken and not given back.
    [[nodiscard]] virtual std::uint32_t available() const noexcept = 0;
    virtual void stop() noexcept = 0;
    virtual void release() noexcept = 0;
    /// Becomes readable (EPOLLIN) when take() has something; -1: nothing to wait for, take() is called again
    /// and again. Valid from start() to release(). EPOLLPRI: changed() has something to say.
    [[nodiscard]] virtual int event_fd() const noexcept = 0;

    /// Buffers that it keeps for itself beside those on their way, at most: what is asked for is so many
    /// more.
    [[nodiscard]] virtual std::uint32_t extra_buffers() const noexcept { return 0; }
    /// The sink keeps_all(): from now on, until release(), those that are the source's own do not go to it.
    /// Between use() and start().
    virtual void hold_back() noexcept {}
    /// Whether no frame will come any more, and nothing is wrong: a film is over.
    [[nodiscard]] virtual bool ended() const noexcept { return false; }
    /// What has passed of what there is, 0 to 1; empty where there is no end.
    [[nodiscard]] virtual std::optional<double> progress() const noexcept { return std::nullopt; }

    /// Whether the stream has to end because something else comes in from now on: another signal or format.
    [[nodiscard]] virtual Result<bool> changed() { return false; }
    /// Whether it is worth waiting for after @p error ended the stream.
    [[nodiscard]] virtual bool may_come_back(const Error&) const { return false; }
    /// Between two streams, and before the first: gets ready for the next, whose format() may be another one.
    /// False: not now; ask again when comeback_event() happens, or in a while. Errors: it will not come back
    /// as it was wished for.
    [[nodiscard]] virtual Result<bool> come_back() { return true; }
    /// When come_back() may have another answer.
    [[nodiscard]] virtual FdEvent comeback_event() const noexcept { return {}; }
    /// What come_back() waits for: "a signal at HDMI 0".
    [[nodiscard]] virtual std::string awaited() const { return {}; }
};

/// What to wait for at a sink, which may be several outputs. A plain value: asking allocates nothing.
class EventFds {
public:
    static constexpr std::size_t capacity = 16;

    EventFds() = default;
    EventFds(std::initializer_list<int> fds) {
        for (const int fd : fds)
            add(fd);
    }
    /// What is no fd, and what finds no room any more, is left out.
    void add(int fd) noexcept {
        if (fd >= 0 && count_ < capacity)
            fds_[count_++] = fd;
    }
    [[nodiscard]] std::span<const int> all() const& noexcept { return std::span(fds_).first(count_); }
    std::span<const int> all() const&& = delete; // it would point into what is gone
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] bool contains(int fd) const noexcept { return std::ranges::find(all(), fd) != all().end(); }

private:
    std::array<int, capacity> fds_{};
    std::size_t count_ = 0;
};

/// What put() made of a frame.
struct PutResult {
    bool taken = false;             ///< false: there is no room before the next reclaim()
    bool kept = false;              ///< the frame is the sink's until reclaim() answers its index
    bool bad = false;               ///< taken, but it could not be converted: it goes nowhere
    bool dropped = false;           ///< taken and left out, because the sink is behind: it goes nowhere
    std::uint64_t copied_bytes = 0; ///< that the CPU moved, in the kernel or here
};

/// What a sink makes of frames that do not pass as they are.
struct Conversion {
    FrameFormat to{};
    std::string why;    ///< "it was asked for"
    std::string remedy; ///< what would do without; a sentence
};

/// One output of a sink that has several.
struct SinkPart {
    std::string name;
    std::optional<MemoryRole> role;         ///< that it plays; empty: none, it has failed
    std::optional<FrameFormat> converted{}; ///< what it gets instead of the source's format
    std::uint64_t frames = 0;               ///< that it got
    std::uint64_t dropped = 0;              ///< that others got while it had no room
    std::uint64_t corrupt = 0;              ///< that could not be converted for it
    std::uint64_t copied_bytes = 0;         ///< for it, by the CPU
    std::uint64_t first_copied_bytes = 0;   ///< likewise, of its first frame in this stream
    unsigned copies = 0;                    ///< of each frame, within its role
    std::optional<Error> failure;           ///< why it gets no more frames
};

/// How much longer a sink may take with what it has, once no frame comes any more.
enum class Ending {
    patient, ///< as long as it gets on
    hurried, ///< likewise; but nobody waits for who is slow behind it
    forced,  ///< no longer: the user knows that something is missing
};

/// Where frames go.
///
/// Life on a path: set_format(); provide() or prepare(); then put() and reclaim() in turns; then stop() and
/// release(). One thread.
class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The device number of the node behind it, 0 if there is none.
    [[nodiscard]] virtual dev_t device_number() const noexcept { return 0; }
    [[nodiscard]] virtual std::string why_not(MemoryRole role) const = 0;
    /// How often the CPU moves a frame's bytes within this role, in the kernel or here.
    [[nodiscard]] virtual unsigned copies(MemoryRole role) const {
        return role == MemoryRole::copies ? 1 : 0;
    }
    /// What is known of the stream to come; said before takes() and set_format() of what comes in this way.
    virtual void set_properties(const StreamProperties&) {}
    /// Whether frames of this format would pass as they are. Changes nothing; the truth comes from
    /// set_format().
    [[nodiscard]] virtual bool takes(const FrameFormat&) const { return true; }
    /// The source's format. Sets the sink to it, or to another one with a conversion(). why_not() and
    /// copies() may answer differently afterwards.
    [[nodiscard]] virtual Status set_format(const FrameFormat& format) = 0;
    /// What becomes of frames of that format, nullptr if they pass as they are. Valid until set_format().
    [[nodiscard]] virtual const Conversion* conversion() const noexcept { return nullptr; }

    /// exports, lends, copies: buffers of its own, valid until release().
    [[nodiscard]] virtual Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) = 0;
    /// imports, borrows, touches: gets ready for the source's memory, of so many buffers.
    [[nodiscard]] virtual Status prepare(MemoryRole role, std::uint32_t count) = 0;
    /// So many of the buffers are the source's extra_buffers(), and not to be kept. Before provide() and
    /// prepare().
    virtual void leave_to_source(std::uint32_t count) noexcept { static_cast<void>(count); }
    /// Whether it keeps every frame that it gets for as long as somebody behind it likes, and so all buffers.
    /// Others leave the source some.
    [[nodiscard]] virtual bool keeps_all() const noexcept { return false; }
    /// Takes a frame on, unless there is no room.
    [[nodiscard]] virtual Result<PutResult> put(const Frame& frame) = 0;
    /// The index of a frame that the sink kept and is done with, empty if there is none now.
    [[nodiscard]] virtual Result<std::optional<std::uint32_t>> reclaim() = 0;
    /// Frames that it has not given back, and copies of frames that it is not done with.
    [[nodiscard]] virtual std::uint32_t in_flight() const noexcept = 0;
    /// Grows while it gets on with them, if that takes more than giving them back.
    [[nodiscard]] virtual std::uint64_t headway() const noexcept { return 0; }
    /// Whether it wants no frame more than it has got: a picture is written.
    [[nodiscard]] virtual bool satisfied() const noexcept { return false; }
    /// No frame comes any more: what it holds back for others to come gets done now, and in_flight() tells
    /// when that is so. May be called again with less patience. Answers how long it may take without any
    /// headway, if it is longer than for other sinks. stop() leaves out what is not done by then; unless the
    /// end was forced verdict() tells.
    [[nodiscard]] virtual std::chrono::microseconds finish(Ending ending) noexcept {
        static_cast<void>(ending);
        return {};
    }
    /// From now on event_fds() also report EPOLLPRI when somebody begins or ceases to want its frames. False:
    /// it does not know.
    [[nodiscard]] virtual Result<bool> watch_demand() { return false; }
    /// Whether somebody wants its frames; takes note of all that was announced.
    [[nodiscard]] virtual Result<bool> is_wanted() { return true; }
    /// What was wrong with the frames so far, of a sink that looks at them.
    [[nodiscard]] virtual Status verdict() const { return {}; }
    /// What became of each output, of a sink that has several. Also after release().
    [[nodiscard]] virtual std::vector<SinkPart> parts() const { return {}; }
    virtual void stop() noexcept = 0;
    virtual void release() noexcept = 0;
    /// One of them becomes writable (EPOLLOUT, edge-triggered) when reclaim() may have something, or put()
    /// may have room. None: nothing to wait for, and put() always has room. Valid once put() has answered;
    /// fewer when an output has failed meanwhile.
    [[nodiscard]] virtual EventFds event_fds() const noexcept = 0;
};

} // namespace v4l2dma
