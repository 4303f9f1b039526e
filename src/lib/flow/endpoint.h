// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace v4l2dma {

/// What an endpoint does about memory on a path.
enum class MemoryRole {
    exports, ///< has buffers of its own and hands out their dma-bufs
    imports, ///< uses the other side's dma-bufs
    maps,    ///< has buffers of its own, which the CPU can reach
    reads,   ///< has no buffers: looks at the source's mapping
};

/// Where frames come from.
///
/// Life on a path: one of allocate() + map(), allocate() + export_frames(), import_buffers(); then start();
/// then take() and give_back() in turns; then stop() and release(), after which another path may be tried.
/// One thread. Errors name the call that failed, so that the negotiation can say it.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    [[nodiscard]] virtual std::string_view name() const = 0;
    /// The device number of the node behind it, 0 if there is none.
    [[nodiscard]] virtual dev_t device_number() const noexcept { return 0; }
    /// Settled when the source is opened.
    [[nodiscard]] virtual const FrameFormat& format() const = 0;
    /// Why it cannot play this role; empty if it can be tried. The truth comes from the calls.
    [[nodiscard]] virtual std::string why_not(MemoryRole role) const = 0;

    /// Buffers of its own; answers how many they became.
    [[nodiscard]] virtual Result<std::uint32_t> allocate(std::uint32_t count) = 0;
    /// Makes them reachable: Frame::mapped is set from now on.
    [[nodiscard]] virtual Status map() = 0;
    /// Hands them out as dma-bufs: Frame::dmabuf is set from now on. Never combined with map(): a loop gives
    /// a reader that has mapped a buffer a copy.
    [[nodiscard]] virtual Status export_frames() = 0;
    /// Uses these dma-bufs instead (borrowed until release()); Frame::index is the position among them.
    [[nodiscard]] virtual Status import_buffers(std::span<DmabufBuffer> buffers) = 0;

    [[nodiscard]] virtual Status start() = 0;
    /// The next frame, empty if none is there yet.
    [[nodiscard]] virtual Result<std::optional<Frame>> take() = 0;
    [[nodiscard]] virtual Status give_back(std::uint32_t index) = 0;
    virtual void stop() noexcept = 0;
    virtual void release() noexcept = 0;
    /// Becomes readable (EPOLLIN) when take() has something; -1: nothing to wait for, take() is called again
    /// and again.
    [[nodiscard]] virtual int event_fd() const noexcept = 0;
};

/// Where frames go.
///
/// Life on a path: set_format(); one of allocate() + map(), allocate() + export_buffers(), prepare_import(),
/// or nothing (reads); then put() and reclaim() in turns; then stop() and release().
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
    /// Exactly this format, or an error that says what it offers.
    [[nodiscard]] virtual Status set_format(const FrameFormat& format) = 0;

    [[nodiscard]] virtual Result<std::uint32_t> allocate(std::uint32_t count) = 0;
    [[nodiscard]] virtual Status map() = 0;
    /// Its buffers as dma-bufs, owned by the sink until release().
    [[nodiscard]] virtual Result<std::span<DmabufBuffer>> export_buffers() = 0;
    [[nodiscard]] virtual Status prepare_import(std::uint32_t count) = 0;

    /// Takes a frame on; false if there is no room before the next reclaim(). With map()ped buffers of its
    /// own the frame is copied and free at once, otherwise it is the sink's until reclaim() answers its
    /// index.
    [[nodiscard]] virtual Result<bool> put(const Frame& frame) = 0;
    /// The index of a frame that the sink is done with, empty if there is none now. Call until empty.
    [[nodiscard]] virtual Result<std::optional<std::uint32_t>> reclaim() = 0;
    /// Frames that it has not given back.
    [[nodiscard]] virtual std::uint32_t in_flight() const noexcept = 0;
    /// What was wrong with the frames so far, of a sink that looks at them.
    [[nodiscard]] virtual Status verdict() const { return {}; }
    virtual void stop() noexcept = 0;
    virtual void release() noexcept = 0;
    /// Becomes writable (EPOLLOUT, edge-triggered) when reclaim() may have something; -1: nothing to wait
    /// for, and put() always has room. Valid once put() has answered.
    [[nodiscard]] virtual int event_fd() const noexcept = 0;
};

} // namespace v4l2dma
