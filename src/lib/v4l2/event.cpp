// SPDX-License-Identifier: MIT
#include "v4l2/event.h"

#include <cstring>
#include <linux/videodev2.h>
#include <uapi/v4l2dma.h>

namespace v4l2dma {

namespace {

std::uint32_t raw(EventKind kind) noexcept {
    switch (kind) {
    case EventKind::source_change:
        return V4L2_EVENT_SOURCE_CHANGE;
    case EventKind::end_of_stream:
        return V4L2_EVENT_EOS;
    case EventKind::control:
        return V4L2_EVENT_CTRL;
    case EventKind::readers:
        break;
    }
    return V4L2DMA_EVENT_READERS;
}

v4l2_event_subscription raw(const Subscription& subscription) noexcept {
    v4l2_event_subscription raw_subscription{};
    raw_subscription.type = raw(subscription.kind);
    raw_subscription.id = subscription.id;
    raw_subscription.flags = subscription.initial ? V4L2_EVENT_SUB_FL_SEND_INITIAL : 0;
    return raw_subscription;
}

ControlChange control_change(const v4l2_event& event) {
    const v4l2_event_ctrl& payload = event.u.ctrl;
    return {.id = event.id,
            .value_changed = (payload.changes & V4L2_EVENT_CTRL_CH_VALUE) != 0,
            .flags_changed = (payload.changes & V4L2_EVENT_CTRL_CH_FLAGS) != 0,
            .range_changed = (payload.changes & V4L2_EVENT_CTRL_CH_RANGE) != 0,
            .value = payload.type == V4L2_CTRL_TYPE_INTEGER64 ? payload.value64 : payload.value,
            .flags = payload.flags};
}

decltype(Event::what) what_of(const v4l2_event& event) {
    switch (event.type) {
    case V4L2_EVENT_SOURCE_CHANGE:
        return SourceChange{.input = event.id,
                            .resolution = (event.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION) != 0};
    case V4L2_EVENT_EOS:
        return EndOfStream{};
    case V4L2_EVENT_CTRL:
        return control_change(event);
    case V4L2DMA_EVENT_READERS: {
        v4l2dma_event_readers payload{};
        std::memcpy(&payload, event.u.data, sizeof payload);
        return ReadersChange{.readers = payload.readers};
    }
    default:
        return OtherEvent{.type = event.type};
    }
}

} // namespace

Result<bool> subscribe(const Device& device, const Subscription& subscription) {
    v4l2_event_subscription raw_subscription = raw(subscription);
    const int result = device.try_ioctl(VIDIOC_SUBSCRIBE_EVENT, &raw_subscription);
    if (result == -ENOTTY || result == -EINVAL)
        return false;
    if (result < 0)
        return system_error("SUBSCRIBE_EVENT", device.path(), -result);
    return true;
}

Status unsubscribe(const Device& device, const Subscription& subscription) {
    v4l2_event_subscription raw_subscription = raw(subscription);
    const int result = device.try_ioctl(VIDIOC_UNSUBSCRIBE_EVENT, &raw_subscription);
    if (result < 0 && result != -ENOTTY && result != -EINVAL)
        return system_error("UNSUBSCRIBE_EVENT", device.path(), -result);
    return {};
}

Result<std::optional<Event>> dequeue_event(const Device& device) {
    v4l2_event event{};
    const int result = device.try_ioctl(VIDIOC_DQEVENT, &event);
    if (result == -ENOENT || result == -ENOTTY || result == -EINVAL) // none waits; it never has any
        return std::nullopt;
    if (result < 0)
        return system_error("DQEVENT", device.path(), -result);
    const auto timestamp =
        std::chrono::seconds(event.timestamp.tv_sec) + std::chrono::nanoseconds(event.timestamp.tv_nsec);
    return Event{.what = what_of(event),
                 .sequence = event.sequence,
                 .pending = event.pending,
                 .timestamp = std::chrono::duration_cast<std::chrono::microseconds>(timestamp)};
}

} // namespace v4l2dma
