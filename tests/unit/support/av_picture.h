// SPDX-License-Identifier: MIT
#pragma once

#include "support/test_frame.h"

#include <array>
#include <memory>

extern "C" {
#include <libavutil/frame.h>
}

namespace v4l2dma::test {

struct FreeAvFrame {
    void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
/// FFmpeg's opinion of a picture: what ours is held against.
using AvPicture = std::unique_ptr<AVFrame, FreeAvFrame>;

/// A copy of the frame; its format must be one that av_pixel_format() knows.
[[nodiscard]] AvPicture av_picture(const TestFrame& frame);
/// Whether FFmpeg knows the format, and swscale can convert from it.
[[nodiscard]] bool av_converts(FourCC fourcc);
/// As swscale converts it, without scaling; YUV by BT.601 unless said otherwise; RGB is full range,
/// YUV that comes out is not.
[[nodiscard]] AvPicture av_convert(const AVFrame& picture, AVPixelFormat to, bool bt709 = false,
                                   bool full_range = false);
/// Compressed to JPEG by FFmpeg and decoded again. @p quality: 2 (best) to 31. @p picture must be YUV420P;
/// of which range its values are is no matter, and stays.
[[nodiscard]] AvPicture av_jpeg(const AVFrame& picture, int quality);
/// The other way round; the pixel formats must be the same.
void copy_into(TestFrame& frame, const AVFrame& picture);
/// Red, green, blue of an RGB24 picture.
[[nodiscard]] std::array<int, 3> av_pixel(const AVFrame& rgb, int x, int y);

} // namespace v4l2dma::test
