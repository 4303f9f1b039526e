// SPDX-License-Identifier: MIT
#include "commands/loop_report.h"

#include "cli/table.h"
#include "loop/parameters.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

nlohmann::ordered_json settings_json(const LoopConfig& config) {
    nlohmann::ordered_json json = {
        {"nodes", (config.flags & V4L2DMA_LOOP_SPLIT_NODES) != 0 ? "split" : "single"},
        {"overrun", (config.flags & V4L2DMA_LOOP_LOSSLESS) != 0 ? "lossless" : "leaky"},
        {"exclusive_caps", (config.flags & V4L2DMA_LOOP_EXCLUSIVE_CAPS) != 0},
        {"support_dmabuf", (config.flags & V4L2DMA_LOOP_NO_DMABUF) == 0},
        {"contiguous", (config.flags & V4L2DMA_LOOP_CONTIGUOUS) != 0},
        {"multiplanar", (config.flags & V4L2DMA_LOOP_MULTIPLANAR) != 0},
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
            {"readers", loop.readers},
            {"readers_streaming", loop.readers_streaming}};
}

nlohmann::ordered_json loop_json(const LoopInfo& loop) {
    nlohmann::ordered_json json = {{"device", device_path(loop)},
                                   {"capture_device", capture_path(loop)},
                                   {"video_nr", loop.video_nr},
                                   {"card_label", card_label(loop)},
                                   {"id", loop.id}};
    json.update(settings_json(loop.config));
    json.update(state_json(loop));
    return json;
}

nlohmann::ordered_json loops_json(const std::vector<LoopInfo>& loops) {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const LoopInfo& loop : loops)
        json.push_back(loop_json(loop));
    return json;
}

std::string nodes_text(const LoopInfo& loop) {
    return loop.capture_nr == loop.video_nr ? device_path(loop)
                                            : device_path(loop) + " -> " + capture_path(loop);
}

std::string users_text(const LoopInfo& loop) {
    return fmt::format("{} of {} readers, writer {}{}", loop.readers, loop.config.max_readers,
                       memory_name(loop.writer_memory), loop.writer_streaming != 0 ? " streaming" : "");
}

std::string loop_lines(const std::vector<LoopInfo>& loops) {
    Table table;
    for (const LoopInfo& loop : loops)
        table.add({nodes_text(loop), card_label(loop)});
    return table.text();
}

} // namespace v4l2dma
