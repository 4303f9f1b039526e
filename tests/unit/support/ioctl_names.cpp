// SPDX-License-Identifier: MIT
#include "support/ioctl_names.h"

#include <linux/videodev2.h>
#include <utility>

namespace v4l2dma::testing {

std::string name_of_other(unsigned long request) {
    constexpr std::pair<unsigned long, const char*> names[] = {
        {VIDIOC_QUERY_EXT_CTRL, "QUERY_EXT_CTRL"},
        {VIDIOC_QUERYCTRL, "QUERYCTRL"},
        {VIDIOC_QUERYMENU, "QUERYMENU"},
        {VIDIOC_G_EXT_CTRLS, "G_EXT_CTRLS"},
        {VIDIOC_S_EXT_CTRLS, "S_EXT_CTRLS"},
        {VIDIOC_TRY_EXT_CTRLS, "TRY_EXT_CTRLS"},
        {VIDIOC_G_CTRL, "G_CTRL"},
        {VIDIOC_S_CTRL, "S_CTRL"},
        {VIDIOC_SUBSCRIBE_EVENT, "SUBSCRIBE_EVENT"},
        {VIDIOC_UNSUBSCRIBE_EVENT, "UNSUBSCRIBE_EVENT"},
        {VIDIOC_DQEVENT, "DQEVENT"},
        {VIDIOC_G_INPUT, "G_INPUT"},
        {VIDIOC_ENUMINPUT, "ENUMINPUT"},
        {VIDIOC_G_DV_TIMINGS, "G_DV_TIMINGS"},
        {VIDIOC_S_DV_TIMINGS, "S_DV_TIMINGS"},
        {VIDIOC_QUERY_DV_TIMINGS, "QUERY_DV_TIMINGS"},
        {VIDIOC_G_STD, "G_STD"},
        {VIDIOC_S_STD, "S_STD"},
        {VIDIOC_QUERYSTD, "QUERYSTD"},
    };
    for (const auto& [code, name] : names)
        if (code == request)
            return name;
    return "ioctl " + std::to_string(request & 0xff);
}

} // namespace v4l2dma::testing
