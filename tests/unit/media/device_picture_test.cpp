// SPDX-License-Identifier: MIT
#include "media/device_picture.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <drm_fourcc.h>

extern "C" {
#include <libavutil/hwcontext_drm.h>
}

using namespace v4l2dma;

namespace {

/// A picture as FFmpeg hands it out, without the dma-bufs.
struct Picture {
    AVDRMFrameDescriptor descriptor{};
    AVHWFramesContext frames{};
    AVBufferRef reference{};
    AvFrame frame;

    Picture(AVPixelFormat pixels, int width, int height) {
        REQUIRE(load_ffmpeg());
        frame = std::move(*make_av_frame());
        frames.sw_format = pixels;
        reference.data = reinterpret_cast<std::uint8_t*>(&frames);
        frame->hw_frames_ctx = &reference;
        frame->format = AV_PIX_FMT_DRM_PRIME;
        frame->width = width;
        frame->height = height;
        frame->data[0] = reinterpret_cast<std::uint8_t*>(&descriptor);
        descriptor.nb_objects = 1;
        descriptor.nb_layers = 1;
    }
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
    ~Picture() {
        frame->hw_frames_ctx = nullptr;
        frame->data[0] = nullptr;
    }
    void add(int layer, int dmabuf, std::ptrdiff_t offset, std::ptrdiff_t pitch) {
        AVDRMLayerDescriptor& entry = descriptor.layers[layer];
        entry.planes[entry.nb_planes++] = {.object_index = dmabuf, .offset = offset, .pitch = pitch};
        descriptor.nb_layers = std::max(descriptor.nb_layers, layer + 1);
        descriptor.nb_objects = std::max(descriptor.nb_objects, dmabuf + 1);
    }
};

} // namespace

TEST_SUITE("device_picture") {
    TEST_CASE("a screen's pixels keep their padded lines") {
        Picture picture(AV_PIX_FMT_BGR0, 100, 10);
        picture.add(0, 0, 0, 512);
        const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
        REQUIRE(layout);
        CHECK(layout->format.text() == "XR24 100x10");
        CHECK(layout->format.bytesperline() == 512);
        CHECK(layout->format.sizeimage() == 5120);
        CHECK(layout->data_offsets[0] == 0);
    }

    TEST_CASE("planes of one dma-buf, in one layer or in several") {
        for (const bool apart : {false, true}) {
            Picture picture(AV_PIX_FMT_NV12, 64, 32);
            picture.add(0, 0, 0, 128);
            picture.add(apart ? 1 : 0, 0, 128 * 32, 128);
            const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
            REQUIRE(layout);
            CHECK(layout->format.text() == "NV12 64x32");
            CHECK(layout->format.plane_count == 1);
            CHECK(layout->format.sizeimage() == 128 * 48);
        }
    }

    TEST_CASE("planes in dma-bufs of their own, behind something else") {
        Picture picture(AV_PIX_FMT_NV12, 64, 32);
        picture.add(0, 0, 4096, 128);
        picture.add(1, 1, 64, 128);
        const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
        REQUIRE(layout);
        CHECK(layout->format.text() == "NM12 64x32");
        CHECK(layout->format.planes[0].sizeimage == 128 * 32);
        CHECK(layout->format.planes[1].sizeimage == 128 * 16);
        CHECK(layout->data_offsets[0] == 4096);
        CHECK(layout->data_offsets[1] == 64);
    }

    // A decoder's lines are whole blocks: 1080 are 1088, which NV12 cannot say.
    TEST_CASE("chroma that does not follow at once is a memory plane of its own") {
        Picture picture(AV_PIX_FMT_NV12, 1920, 1080);
        picture.add(0, 0, 0, 1920);
        picture.add(0, 0, 1920 * 1088, 1920);
        const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
        REQUIRE(layout);
        CHECK(layout->format.text() == "NM12 1920x1080");
        CHECK(layout->format.planes[1].sizeimage == 1920 * 540);
        CHECK(layout->data_offsets[1] == 1920 * 1088);
    }

    TEST_CASE("pixels that V4L2 has no name for") {
        Picture picture(AV_PIX_FMT_P216LE, 64, 32);
        picture.add(0, 0, 0, 128);
        picture.add(0, 0, 128 * 32, 128);
        const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
        REQUIRE_FALSE(layout);
        CHECK(layout.error().kind == ErrorKind::unsupported);
        CHECK(layout.error().message().find("p216le pixels of 64x32") != std::string::npos);
    }

    TEST_CASE("tiled memory is refused, also by the CPU") {
        Picture picture(AV_PIX_FMT_BGR0, 64, 32);
        picture.add(0, 0, 0, 256);
        picture.descriptor.objects[0].format_modifier = DRM_FORMAT_MOD_INVALID;
        CHECK(layout_of_drm(*picture.frame));
        picture.descriptor.objects[0].format_modifier = I915_FORMAT_MOD_X_TILED;
        const Result<DeviceLayout> layout = layout_of_drm(*picture.frame);
        REQUIRE_FALSE(layout);
        CHECK(layout.error().message().find("modifier 0x100000000000001") != std::string::npos);
        CHECK_FALSE(map_device_picture(*picture.frame));
    }

    TEST_CASE("a description that makes no sense") {
        struct Case {
            int dmabuf;
            std::ptrdiff_t offset, pitch;
        };
        for (const Case& wrong : {Case{0, -1, 256}, Case{0, 0, 0}, Case{-1, 0, 256}, Case{0, 0, 64},
                                  Case{0, 0, std::ptrdiff_t{1} << 40}}) {
            CAPTURE(wrong.dmabuf);
            CAPTURE(wrong.offset);
            CAPTURE(wrong.pitch);
            Picture picture(AV_PIX_FMT_BGR0, 64, 32);
            picture.add(0, wrong.dmabuf, wrong.offset, wrong.pitch);
            CHECK_FALSE(layout_of_drm(*picture.frame));
        }
        Picture outside(AV_PIX_FMT_BGR0, 64, 32);
        outside.add(0, 1, 0, 256);
        outside.descriptor.nb_objects = 1;
        CHECK_FALSE(layout_of_drm(*outside.frame));
    }
}
