// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_objects.h"

#include <memory>
#include <string_view>

namespace v4l2dma {

struct FreeAvBuffer {
    void operator()(AVBufferRef* buffer) const noexcept { ffmpeg().av_buffer_unref(&buffer); }
};
using AvBuffer = std::unique_ptr<AVBufferRef, FreeAvBuffer>;

/// Hardware that decodes, through one of FFmpeg's interfaces to such.
class DecodingDevice {
public:
    /// @p wish is the interface's name, as `ffmpeg -hwaccels` lists them, or NAME:DEVICE. load_ffmpeg() must
    /// have succeeded. Errors: (usage) no such name, and which there are; (unsupported) @p codec's decoder
    /// has no use for it; (device) there is no such device, or it does not work.
    [[nodiscard]] static Result<DecodingDevice> open(std::string_view wish, const AVCodec& codec);

    /// Makes the decoder use it. get_format of @p context is for the caller to set: to pixel_format(), where
    /// that is offered.
    void attach(AVCodecContext& context, int kept_pictures) const;
    /// Of pictures that it has decoded.
    [[nodiscard]] AVPixelFormat pixel_format() const noexcept { return pixel_format_; }

private:
    DecodingDevice(AvBuffer context, AVPixelFormat pixel_format)
        : context_(std::move(context)), pixel_format_(pixel_format) {}

    AvBuffer context_;
    AVPixelFormat pixel_format_;
};

} // namespace v4l2dma
