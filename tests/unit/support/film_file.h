// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/frame.h>
}

namespace v4l2dma::testing {

/// A film as FFmpeg's own encoders and muxers make it.
struct FilmSpec {
    std::string codec = "ffv1"; ///< lossless, whatever the codec: what comes out is what film_picture() drew
    AVPixelFormat pixel_format = AV_PIX_FMT_YUV420P;
    int width = 64;
    int height = 48;
    std::vector<std::int64_t> times_ms{0, 40, 80, 120, 160, 200, 240, 280}; ///< of each picture
    int rotation = 0;        ///< degrees clockwise, to be upright
    AVRational aspect{1, 1}; ///< of a pixel
    AVColorRange range = AVCOL_RANGE_MPEG;
    AVColorSpace matrix = AVCOL_SPC_BT709;
    int width_from = -1;     ///< picture from which on they are half as wide and high; -1: none
    bool audio = false;      ///< and a stream of silence
    bool interlaced = false; ///< two fields in each picture
    bool lossless = true;    ///< where the codec has the choice
};

/// Writes it; the container follows from the path's ending.
void make_film(const std::string& path, const FilmSpec& spec);

/// Every pixel's value depends on its place and on the picture's number.
struct FreePicture {
    void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
using FilmFrame = std::unique_ptr<AVFrame, FreePicture>;
[[nodiscard]] FilmFrame film_picture(const FilmSpec& spec, int number);

/// Whether the two have the same pixels.
[[nodiscard]] bool same_pixels(const AVFrame& a, const AVFrame& b);

} // namespace v4l2dma::testing
