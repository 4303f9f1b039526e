// SPDX-License-Identifier: MIT
#include "media/ffmpeg.h"

#include <doctest/doctest.h>

using namespace v4l2dma;

TEST_CASE("FFmpeg is loaded once, with every function") {
    REQUIRE(load_ffmpeg());
    const FFmpeg* first = &ffmpeg();
    REQUIRE(load_ffmpeg());
    CHECK(&ffmpeg() == first);
#define V4L2DMA_CHECK(library, name) CHECK_MESSAGE((first->name != nullptr), #library " " #name);
    V4L2DMA_FFMPEG(V4L2DMA_CHECK)
#undef V4L2DMA_CHECK
}

TEST_CASE("the functions are those of the libraries whose headers were used") {
    REQUIRE(load_ffmpeg());
    const AVCodec* codec = ffmpeg().avcodec_find_encoder(AV_CODEC_ID_PNG);
    REQUIRE(codec != nullptr);
    CHECK(codec->id == AV_CODEC_ID_PNG);
}
