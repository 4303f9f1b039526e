// SPDX-License-Identifier: MIT
#include "commands/loop_json.h"

#include "loop/parameters.h"

namespace v4l2dma {

nlohmann::ordered_json settings_json(const LoopConfig& config) {
    nlohmann::ordered_json json = {
        {"nodes", (config.flags & V4L2DMA_LOOP_SPLIT_NODES) != 0 ? "split" : "single"},
        {"overrun", (config.flags & V4L2DMA_LOOP_LOSSLESS) != 0 ? "lossless" : "leaky"},
        {"exclusive_caps", (config.flags & V4L2DMA_LOOP_EXCLUSIVE_CAPS) != 0},
        {"support_dmabuf", (config.flags & V4L2DMA_LOOP_NO_DMABUF) == 0},
        {"contiguous", (config.flags & V4L2DMA_LOOP_CONTIGUOUS) != 0},
        {"allowed_gid", nullptr}};
    if ((config.flags & V4L2DMA_LOOP_ALLOWED_GID_SET) != 0)
        json["allowed_gid"] = config.allowed_gid;
    for (const LoopNumber& number : loop_numbers())
        json[number.parameter] = config.*number.config;
    return json;
}

nlohmann::ordered_json state_json(const LoopInfo& loop) {
    return {{"slots", loop.slots},
            {"openers", loop.openers},
            {"writer", memory_name(loop.writer_memory)},
            {"writer_streaming", loop.writer_streaming != 0},
            {"readers", loop.readers}};
}

} // namespace v4l2dma
