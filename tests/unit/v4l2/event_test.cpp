// SPDX-License-Identifier: MIT
#include "v4l2/event.h"

#include "support/fake_system.h"

#include <cstring>
#include <deque>
#include <doctest/doctest.h>
#include <uapi/v4l2dma.h>

using namespace v4l2dma;
using testing::FakeSystem;

namespace {

/// A device that has the events it is told, and remembers what was subscribed.
struct Speaker {
    FakeSystem system;
    std::deque<v4l2_event> waiting;
    std::vector<v4l2_event_subscription> subscribed;
    Device device = open();

    Device open() {
        system.add("/dev/video0", BufferType::capture).beside =
            [this](unsigned long request, void* argument) { return answer(request, argument); };
        Result<Device> opened = Device::open("0", system);
        REQUIRE(opened);
        return std::move(*opened);
    }
    int answer(unsigned long request, void* argument) {
        const auto* subscription = static_cast<v4l2_event_subscription*>(argument);
        if (request == VIDIOC_SUBSCRIBE_EVENT)
            subscribed.push_back(*subscription);
        else if (request == VIDIOC_UNSUBSCRIBE_EVENT)
            std::erase_if(subscribed, [&](const auto& entry) {
                return entry.type == subscription->type && entry.id == subscription->id;
            });
        else if (request != VIDIOC_DQEVENT)
            return -ENOTTY;
        if (request != VIDIOC_DQEVENT)
            return 0;
        if (waiting.empty())
            return -ENOENT;
        *static_cast<v4l2_event*>(argument) = waiting.front();
        waiting.pop_front();
        return 0;
    }
    v4l2_event& add(std::uint32_t type) {
        v4l2_event& event = waiting.emplace_back();
        event.type = type;
        return event;
    }
    Event next() const {
        const Result<std::optional<Event>> event = dequeue_event(device);
        REQUIRE(event);
        REQUIRE(*event);
        return **event;
    }
};

} // namespace

TEST_CASE("a subscription says what, of what, and whether the state now is wanted") {
    Speaker speaker;
    CHECK(subscribe(speaker.device, {.kind = EventKind::source_change}) == true);
    CHECK(subscribe(speaker.device, {.kind = EventKind::end_of_stream}) == true);
    CHECK(subscribe(speaker.device, {.kind = EventKind::control, .id = V4L2_CID_GAIN}) == true);
    CHECK(subscribe(speaker.device, {.kind = EventKind::readers, .initial = true}) == true);
    REQUIRE(speaker.subscribed.size() == 4);
    CHECK(speaker.subscribed[0].type == V4L2_EVENT_SOURCE_CHANGE);
    CHECK(speaker.subscribed[1].type == V4L2_EVENT_EOS);
    CHECK(speaker.subscribed[2].type == V4L2_EVENT_CTRL);
    CHECK(speaker.subscribed[2].id == V4L2_CID_GAIN);
    CHECK(speaker.subscribed[2].flags == 0);
    CHECK(speaker.subscribed[3].type == V4L2DMA_EVENT_READERS);
    CHECK(speaker.subscribed[3].flags == V4L2_EVENT_SUB_FL_SEND_INITIAL);
    CHECK(unsubscribe(speaker.device, {.kind = EventKind::end_of_stream}));
    CHECK(speaker.subscribed.size() == 3);
}

TEST_CASE("a device without events is an answer") {
    for (const int code : {ENOTTY, EINVAL}) {
        Speaker speaker;
        for (const char* call : {"SUBSCRIBE_EVENT", "UNSUBSCRIBE_EVENT", "DQEVENT"})
            speaker.system.fail(call, code);
        const Result<bool> answer = subscribe(speaker.device, {.kind = EventKind::source_change});
        REQUIRE(answer);
        CHECK_FALSE(*answer);
        CHECK(unsubscribe(speaker.device, {.kind = EventKind::source_change}));
        const auto event = dequeue_event(speaker.device);
        REQUIRE(event);
        CHECK_FALSE(event->has_value());
    }
}

TEST_CASE("no event is no error") {
    Speaker speaker;
    const Result<std::optional<Event>> event = dequeue_event(speaker.device);
    REQUIRE(event);
    CHECK_FALSE(event->has_value());
}

TEST_CASE("calls that fail are named") {
    for (const int code : {EIO, ENODEV, ENOMEM, EINTR, EACCES}) {
        Speaker speaker;
        for (const char* call : {"SUBSCRIBE_EVENT", "UNSUBSCRIBE_EVENT", "DQEVENT"})
            speaker.system.fail(call, code);
        const auto check = [code](const Error& error, std::string_view call) {
            CHECK(error.code == code);
            CHECK(error.operation == call);
            CHECK(error.object == "/dev/video0");
        };
        check(subscribe(speaker.device, {.kind = EventKind::readers}).error(), "SUBSCRIBE_EVENT");
        check(unsubscribe(speaker.device, {.kind = EventKind::readers}).error(), "UNSUBSCRIBE_EVENT");
        check(dequeue_event(speaker.device).error(), "DQEVENT");
    }
}

TEST_CASE("a change of the source says whether the size is another") {
    Speaker speaker;
    v4l2_event& sized = speaker.add(V4L2_EVENT_SOURCE_CHANGE);
    sized.id = 2;
    sized.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION;
    sized.sequence = 7;
    sized.pending = 1;
    sized.timestamp = {.tv_sec = 3, .tv_nsec = 4'000};
    speaker.add(V4L2_EVENT_SOURCE_CHANGE);
    const Event event = speaker.next();
    const auto* change = std::get_if<SourceChange>(&event.what);
    REQUIRE(change != nullptr);
    CHECK(change->resolution);
    CHECK(change->input == 2);
    CHECK(event.sequence == 7);
    CHECK(event.pending == 1);
    CHECK(event.timestamp == std::chrono::microseconds(3'000'004));
    const Event other = speaker.next();
    REQUIRE(std::holds_alternative<SourceChange>(other.what));
    CHECK_FALSE(std::get<SourceChange>(other.what).resolution);
}

TEST_CASE("the end, the number of readers, and what nobody asked for") {
    Speaker speaker;
    speaker.add(V4L2_EVENT_EOS);
    const v4l2dma_event_readers payload{.readers = 3};
    std::memcpy(speaker.add(V4L2DMA_EVENT_READERS).u.data, &payload, sizeof payload);
    speaker.add(V4L2_EVENT_MOTION_DET);
    CHECK(std::holds_alternative<EndOfStream>(speaker.next().what));
    CHECK(std::get<ReadersChange>(speaker.next().what).readers == 3);
    CHECK(std::get<OtherEvent>(speaker.next().what).type == V4L2_EVENT_MOTION_DET);
}

TEST_CASE("a control tells its value, of 32 and of 64 bits") {
    Speaker speaker;
    v4l2_event& plain = speaker.add(V4L2_EVENT_CTRL);
    plain.id = V4L2_CID_GAIN;
    plain.u.ctrl.changes = V4L2_EVENT_CTRL_CH_VALUE | V4L2_EVENT_CTRL_CH_RANGE;
    plain.u.ctrl.type = V4L2_CTRL_TYPE_INTEGER;
    plain.u.ctrl.value = -5;
    v4l2_event& wide = speaker.add(V4L2_EVENT_CTRL);
    wide.u.ctrl.changes = V4L2_EVENT_CTRL_CH_FLAGS;
    wide.u.ctrl.type = V4L2_CTRL_TYPE_INTEGER64;
    wide.u.ctrl.value64 = INT64_MIN;
    wide.u.ctrl.flags = V4L2_CTRL_FLAG_INACTIVE;
    const auto first = std::get<ControlChange>(speaker.next().what);
    CHECK(first.id == V4L2_CID_GAIN);
    CHECK(first.value == -5);
    CHECK(first.value_changed);
    CHECK(first.range_changed);
    CHECK_FALSE(first.flags_changed);
    const auto second = std::get<ControlChange>(speaker.next().what);
    CHECK(second.value == INT64_MIN);
    CHECK(second.flags == V4L2_CTRL_FLAG_INACTIVE);
    CHECK(second.flags_changed);
    CHECK_FALSE(second.value_changed);
}
