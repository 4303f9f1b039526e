// SPDX-License-Identifier: MIT
#include "media/stream_codec.h"

#include <doctest/doctest.h>
#include <initializer_list>
#include <vector>

using namespace v4l2dma;

namespace {

bool is_key(AVCodecID codec, std::initializer_list<unsigned> bytes) {
    std::vector<std::byte> payload;
    for (const unsigned byte : bytes)
        payload.push_back(static_cast<std::byte>(byte));
    return is_key_frame(codec, payload);
}

} // namespace

TEST_CASE("a frame's bits say whether it is a key frame") {
    CHECK(is_key(AV_CODEC_ID_H264, {0, 0, 1, 0x65, 0x88}));                         // IDR
    CHECK(!is_key(AV_CODEC_ID_H264, {0, 0, 1, 0x41, 0x9a}));                        // another slice
    CHECK(is_key(AV_CODEC_ID_H264, {0, 0, 1, 6, 6, 1, 0x84, 0x80, 0, 0, 1, 0x41})); // recovery point
    CHECK(is_key(AV_CODEC_ID_H264, {0, 0, 1, 6, 1, 2, 9, 9, 6, 1, 0x84, 0x80}));    // as the second message
    CHECK(!is_key(AV_CODEC_ID_H264, {0, 0, 1, 6, 1, 2, 6, 1, 0x80, 0, 0, 1, 0x41}));
    CHECK(!is_key(AV_CODEC_ID_H264, {0, 0, 1, 6, 5, 3, 9, 0, 0, 1, 0x41, 6, 1})); // a message that is cut off
    CHECK(is_key(AV_CODEC_ID_H264, {0, 0, 1, 0, 0, 1, 0x65}));                    // behind an empty unit
    CHECK(!is_key(AV_CODEC_ID_H264, {0x65, 0, 0, 1}));
    CHECK(is_key(AV_CODEC_ID_VP9, {0x82, 0x49, 0x83, 0x42}));
    CHECK(!is_key(AV_CODEC_ID_VP9, {0x86, 0x00}));
    CHECK(is_key(AV_CODEC_ID_VP9, {0xb0, 0x49}));  // profile 3
    CHECK(!is_key(AV_CODEC_ID_VP9, {0xb2, 0x00})); // likewise
    CHECK(!is_key(AV_CODEC_ID_VP9, {0x88}));       // shows another one
    CHECK(is_key(AV_CODEC_ID_MPEG1VIDEO, {0, 0, 1, 0xb3, 0x06}));
    CHECK(!is_key(AV_CODEC_ID_MPEG1VIDEO, {0, 0, 1, 0x00, 0x06}));
    CHECK(is_key(AV_CODEC_ID_AV1, {0x12, 0x00, 0x0a, 0x0b, 0x00}));              // delimiter, sequence header
    CHECK(is_key(AV_CODEC_ID_AV1, {0x16, 0x20, 0x01, 0xff, 0x0a, 0x00}));        // extended, with a byte
    CHECK(!is_key(AV_CODEC_ID_AV1, {0x12, 0x00, 0x32, 0x03, 0x08, 0x08, 0x08})); // delimiter, frame
    CHECK(!is_key(AV_CODEC_ID_AV1, {0x30, 0x08, 0x08}));                         // a frame up to the end
}

TEST_CASE("what is cut off, or speaks of more than is there, is no key frame and no end without one") {
    for (const AVCodecID codec : {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VP9, AV_CODEC_ID_MPEG4,
                                  AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_AV1}) {
        CAPTURE(codec);
        CHECK_FALSE(is_key(codec, {}));
        CHECK_FALSE(is_key(codec, {0x32}));
        CHECK_FALSE(is_key(codec, {0x32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
    }
}

// Read up to the end of the frame for each of them, these would take hours.
TEST_CASE("a frame full of messages is read once") {
    std::vector<std::byte> payload;
    for (unsigned i = 0; i < 4'000'000; ++i)
        for (const int byte : {0, 0, 1, 6})
            payload.push_back(static_cast<std::byte>(byte));
    CHECK(!is_key_frame(AV_CODEC_ID_H264, payload));
}

TEST_CASE("packets and pixel formats are called alike") {
    CHECK(find_stream_codec(AV_CODEC_ID_MJPEG)->fourcc == FourCC("MJPG"));
    CHECK(codec_of_packets(FourCC("JPEG")) == AV_CODEC_ID_MJPEG);
    CHECK(codec_of_packets(FourCC("NV12")) == AV_CODEC_ID_NONE);
    CHECK(find_stream_codec(AV_CODEC_ID_FFV1) == nullptr);
    for (const FourCC name : {FourCC("MPG1"), FourCC("MPG2"), FourCC("MPG4"), FourCC("H264"), FourCC("HEVC"),
                              FourCC("VP80"), FourCC("VP90"), FourCC("AV01")})
        CHECK(find_stream_codec(codec_of_packets(name))->fourcc == name);
}
