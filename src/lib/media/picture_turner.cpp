// SPDX-License-Identifier: MIT
#include "media/picture_turner.h"

#include <array>
#include <cmath>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

struct Step {
    const char* filter = nullptr; ///< nullptr: none
    const char* arguments = nullptr;
};

std::array<Step, 2> steps_of(Turn turn) {
    switch (turn) {
    case Turn::clockwise:
        return {Step{"transpose", "clock"}};
    case Turn::counterclockwise:
        return {Step{"transpose", "cclock"}};
    case Turn::half:
        return {Step{"hflip", nullptr}, Step{"vflip", nullptr}};
    case Turn::mirrored:
        return {Step{"hflip", nullptr}};
    case Turn::mirrored_half:
        return {Step{"vflip", nullptr}};
    }
    return {};
}

} // namespace

std::optional<Turn> turn_of(const std::int32_t (&matrix)[9]) {
    const double angle = ffmpeg().av_display_rotation_get(matrix);
    if (std::isnan(angle))
        return std::nullopt;
    const long quarters = ((std::lround(angle / 90) % 4) + 4) % 4; // counterclockwise
    if (std::abs(std::remainder(angle, 90)) > 1)
        return std::nullopt;
    const bool mirrored = std::int64_t{matrix[0]} * matrix[4] - std::int64_t{matrix[1]} * matrix[3] < 0;
    if (mirrored) // a mirror in a quarter turn is nothing that a camera writes
        return quarters == 0 ? std::optional(Turn::mirrored_half)
                             : (quarters == 2 ? std::optional(Turn::mirrored) : std::nullopt);
    switch (quarters) {
    case 1:
        return Turn::counterclockwise;
    case 2:
        return Turn::half;
    case 3:
        return Turn::clockwise;
    default:
        return std::nullopt;
    }
}

Result<PictureTurner> PictureTurner::create(Turn turn, const AVFrame& like) {
    if (Status status = load_ffmpeg_filters(); !status)
        return std::unexpected(std::move(status.error()));
    const FFmpegFilters& filters = ffmpeg_filters();
    PictureTurner turner(turn);
    turner.pixel_format_ = static_cast<AVPixelFormat>(like.format);
    turner.width_ = like.width;
    turner.height_ = like.height;
    turner.graph_.reset(filters.avfilter_graph_alloc());
    if (!turner.graph_)
        return system_error("turn", "picture", ENOMEM);
    const std::string shape =
        fmt::format("video_size={}x{}:pix_fmt={}:time_base=1/1000000", like.width, like.height, like.format);
    AVFilterContext* last = nullptr;
    const auto add = [&](const char* name, const char* arguments) {
        AVFilterContext* context = nullptr;
        int result = filters.avfilter_graph_create_filter(&context, filters.avfilter_get_by_name(name), name,
                                                          arguments, nullptr, turner.graph_.get());
        if (result >= 0 && last != nullptr)
            result = filters.avfilter_link(last, 0, context, 0);
        last = context;
        return result;
    };
    int result = add("buffer", shape.c_str());
    turner.source_ = last;
    for (const Step& step : steps_of(turn))
        if (step.filter != nullptr && result >= 0)
            result = add(step.filter, step.arguments);
    if (result >= 0)
        result = add("buffersink", nullptr);
    turner.sink_ = last;
    if (result >= 0)
        result = filters.avfilter_graph_config(turner.graph_.get(), nullptr);
    if (result < 0)
        return av_error("turn", "picture", result);
    return turner;
}

bool PictureTurner::fits(const AVFrame& picture) const noexcept {
    return picture.format == pixel_format_ && picture.width == width_ && picture.height == height_;
}

Result<AvFrame> PictureTurner::run(AvFrame picture) {
    if (!fits(*picture)) { // a film may change in its middle
        Result<PictureTurner> another = create(turn_, *picture);
        if (!another)
            return std::unexpected(std::move(another.error()));
        *this = std::move(*another);
    }
    Result<AvFrame> turned = make_av_frame();
    if (!turned)
        return turned;
    int result = ffmpeg_filters().av_buffersrc_add_frame_flags(source_, picture.get(), 0);
    if (result >= 0)
        result = ffmpeg_filters().av_buffersink_get_frame(sink_, turned->get());
    if (result < 0)
        return av_error("turn", "picture", result);
    return turned;
}

} // namespace v4l2dma
