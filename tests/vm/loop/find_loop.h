// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <uapi/v4l2dma.h>

/// The loop behind @p node ("/dev/videoN"), asked of the control node that @p control is open on; empty if
/// there is none, with errno as the last question left it.
inline std::optional<v4l2dma_loop_info> find_loop(int control, const std::string& node) {
    for (v4l2dma_loop_query query{};; query.id = query.info.id + 1) {
        query.flags = V4L2DMA_QUERY_NEXT;
        if (::ioctl(control, V4L2DMA_IOC_QUERY, &query) != 0)
            return std::nullopt;
        if (node == "/dev/video" + std::to_string(query.info.video_nr) ||
            node == "/dev/video" + std::to_string(query.info.capture_nr))
            return query.info;
    }
}
