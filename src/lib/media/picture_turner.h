// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_objects.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace v4l2dma {

/// How a picture has to be turned to be upright, as a camera that was held otherwise notes it.
enum class Turn { clockwise, half, counterclockwise, mirrored, mirrored_half };

/// What a display matrix (nine numbers, 16.16) asks for; empty: nothing, or something between.
[[nodiscard]] std::optional<Turn> turn_of(const std::int32_t (&matrix)[9]);

struct FreeFilterGraph {
    void operator()(AVFilterGraph* graph) const noexcept { ffmpeg_filters().avfilter_graph_free(&graph); }
};

/// Turns pictures. libavfilter does it.
class PictureTurner {
public:
    /// For pictures like this one. Errors: (unsupported) no libavfilter; (system) what FFmpeg says.
    [[nodiscard]] static Result<PictureTurner> create(Turn turn, const AVFrame& like);

    /// The upright picture; @p picture is used up. Errors: (system) what FFmpeg says, for example of no
    /// memory.
    [[nodiscard]] Result<AvFrame> run(AvFrame picture);

private:
    explicit PictureTurner(Turn turn) noexcept : turn_(turn) {}
    [[nodiscard]] bool fits(const AVFrame& picture) const noexcept;

    Turn turn_;
    AVPixelFormat pixel_format_ = AV_PIX_FMT_NONE; ///< of what comes in, as are the sides
    int width_ = 0;
    int height_ = 0;
    std::unique_ptr<AVFilterGraph, FreeFilterGraph> graph_;
    AVFilterContext* source_ = nullptr; ///< owned by graph_
    AVFilterContext* sink_ = nullptr;   ///< likewise
};

} // namespace v4l2dma
