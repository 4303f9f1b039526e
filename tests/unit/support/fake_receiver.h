// SPDX-License-Identifier: MIT
#pragma once

#include "support/fake_system.h"

#include <cstring>
#include <deque>
#include <linux/videodev2.h>

namespace v4l2dma::testing {

[[nodiscard]] inline v4l2_dv_timings fake_timings(std::uint32_t width, std::uint32_t height,
                                                  std::uint64_t pixelclock) {
    v4l2_dv_timings timings{};
    timings.bt.width = width;
    timings.bt.height = height;
    timings.bt.pixelclock = pixelclock;
    timings.bt.hsync = 280;
    timings.bt.vsync = 45;
    return timings;
}

/// The input of a FakeDevice, with DV timings and standards: `device.beside = std::ref(receiver)`.
struct FakeReceiver {
    v4l2_dv_timings wire = fake_timings(1920, 1080, 148'500'000);
    v4l2_dv_timings set = fake_timings(640, 480, 25'175'000);
    v4l2_std_id standard_on_wire = V4L2_STD_PAL;
    v4l2_std_id standard = V4L2_STD_NTSC;
    std::uint32_t capabilities = V4L2_IN_CAP_DV_TIMINGS;
    std::uint32_t status = 0;      ///< V4L2_IN_ST_*
    int no_signal = 0;             ///< the errno that QUERY_DV_TIMINGS answers, 0: it sees the wire
    std::deque<v4l2_event> events; ///< for DQEVENT
    bool has_events = true;
    FakeDevice* device = nullptr; ///< takes the size of the timings that are set, if it is there

    /// The wire carries something else now, and the driver says so.
    void announce() {
        v4l2_event event{};
        event.type = V4L2_EVENT_SOURCE_CHANGE;
        event.u.src_change.changes = V4L2_EVENT_SRC_CH_RESOLUTION;
        events.push_back(event);
    }

    int operator()(unsigned long request, void* argument) {
        switch (request) {
        case VIDIOC_G_INPUT:
            *static_cast<int*>(argument) = 3;
            return 0;
        case VIDIOC_ENUMINPUT:
            return describe(*static_cast<v4l2_input*>(argument));
        case VIDIOC_QUERY_DV_TIMINGS:
            *static_cast<v4l2_dv_timings*>(argument) = wire;
            return -no_signal;
        case VIDIOC_G_DV_TIMINGS:
            *static_cast<v4l2_dv_timings*>(argument) = set;
            return 0;
        case VIDIOC_S_DV_TIMINGS:
            return switch_to(*static_cast<v4l2_dv_timings*>(argument));
        case VIDIOC_QUERYSTD:
            *static_cast<v4l2_std_id*>(argument) = standard_on_wire;
            return 0;
        case VIDIOC_G_STD:
            *static_cast<v4l2_std_id*>(argument) = standard;
            return 0;
        case VIDIOC_S_STD:
            standard = *static_cast<v4l2_std_id*>(argument);
            return 0;
        case VIDIOC_SUBSCRIBE_EVENT:
            return has_events ? 0 : -EINVAL;
        case VIDIOC_DQEVENT:
            return dequeue(*static_cast<v4l2_event*>(argument));
        default:
            return -ENOTTY;
        }
    }

private:
    int describe(v4l2_input& input) const {
        if (input.index != 3)
            return -EINVAL;
        std::memcpy(input.name, "HDMI 000-0", 10);
        input.capabilities = capabilities;
        input.status = status;
        input.std = V4L2_STD_ALL;
        return 0;
    }
    int switch_to(const v4l2_dv_timings& timings) {
        set = timings;
        if (device == nullptr)
            return 0;
        if (device->allocated() > 0)
            return -EBUSY;
        device->format.width = timings.bt.width;
        device->format.height = timings.bt.height;
        device->format.planes[0] = {.bytesperline = timings.bt.width * 2,
                                    .sizeimage = timings.bt.width * 2 * timings.bt.height};
        return 0;
    }
    int dequeue(v4l2_event& event) {
        if (events.empty())
            return -ENOENT;
        event = events.front();
        events.pop_front();
        return 0;
    }
};

} // namespace v4l2dma::testing
