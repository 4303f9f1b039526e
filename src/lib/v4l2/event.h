// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/device.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

namespace v4l2dma {

/// What a device can tell between the frames. poll() announces an event with POLLPRI.
enum class EventKind {
    source_change, ///< another signal or format at the input
    end_of_stream, ///< no frame follows
    control,       ///< a control changed: its value, flags or range
    readers,       ///< of a loop of v4l2dma.ko: the number of readers
};

/// The input has another signal; with @p resolution its size or timings changed, so that the queue must be
/// made anew.
struct SourceChange {
    std::uint32_t input = 0;
    bool resolution = false;
};
struct EndOfStream {};
struct ControlChange {
    std::uint32_t id = 0; ///< V4L2_CID_*
    bool value_changed = false;
    bool flags_changed = false;
    bool range_changed = false;
    std::int64_t value = 0; ///< meaningless for strings and compound controls
    std::uint32_t flags = 0;
};
struct ReadersChange {
    std::uint32_t readers = 0; ///< how many there are
};
/// What nobody here subscribes to.
struct OtherEvent {
    std::uint32_t type = 0; ///< V4L2_EVENT_*
};

struct Event {
    std::variant<OtherEvent, SourceChange, EndOfStream, ControlChange, ReadersChange> what;
    std::uint32_t sequence = 0;            ///< of this handle's events; a gap is a loss
    std::uint32_t pending = 0;             ///< how many more wait
    std::chrono::microseconds timestamp{}; ///< CLOCK_MONOTONIC
};

/// What to hear of.
struct Subscription {
    EventKind kind{};
    std::uint32_t id = 0; ///< of the control, or the number of the input; 0 for the others
    bool initial = false; ///< the state now comes as the first event (controls and readers)
};

/// Subscribes this open file; closing it ends that. False: the device does not have such events.
[[nodiscard]] Result<bool> subscribe(const Device& device, const Subscription& subscription);
/// Without effect if it was not subscribed.
[[nodiscard]] Status unsubscribe(const Device& device, const Subscription& subscription);
/// The next event, without waiting; empty if there is none.
[[nodiscard]] Result<std::optional<Event>> dequeue_event(const Device& device);

} // namespace v4l2dma
