// SPDX-License-Identifier: MIT
#include "media/decoding_device.h"

#include "base/suggest.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/hwcontext.h>
}

namespace v4l2dma {

namespace {

Result<AVHWDeviceType> find_type(const std::string& name) {
    const AVHWDeviceType type = ffmpeg().av_hwdevice_find_type_by_name(name.c_str());
    if (type != AV_HWDEVICE_TYPE_NONE)
        return type;
    std::vector<std::string_view> names;
    for (AVHWDeviceType next = ffmpeg().av_hwdevice_iterate_types(AV_HWDEVICE_TYPE_NONE);
         next != AV_HWDEVICE_TYPE_NONE; next = ffmpeg().av_hwdevice_iterate_types(next))
        names.emplace_back(ffmpeg().av_hwdevice_get_type_name(next));
    return make_error(ErrorKind::usage, "--hwaccel", name, "FFmpeg has no such interface to hardware",
                      fmt::format("It has {}", fmt::join(names, ", ")));
}

/// The pictures that a decoder hands out with a device of this type; AV_PIX_FMT_NONE: it has no use for one.
AVPixelFormat pictures_with(const AVCodec& codec, AVHWDeviceType type) {
    for (int i = 0;; ++i) {
        const AVCodecHWConfig* const config = ffmpeg().avcodec_get_hw_config(&codec, i);
        if (config == nullptr)
            return AV_PIX_FMT_NONE;
        if (config->device_type == type && (config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) != 0)
            return config->pix_fmt;
    }
}

} // namespace

Result<DecodingDevice> DecodingDevice::open(std::string_view wish, const AVCodec& codec) {
    const std::size_t colon = std::min(wish.find(':'), wish.size());
    const std::string name(wish.substr(0, colon));
    const std::string device(wish.substr(std::min(colon + 1, wish.size())));
    const Result<AVHWDeviceType> type = find_type(name);
    if (!type)
        return std::unexpected(type.error());
    const AVPixelFormat pixel_format = pictures_with(codec, *type);
    if (pixel_format == AV_PIX_FMT_NONE)
        return make_error(ErrorKind::unsupported, "--hwaccel", name,
                          fmt::format("FFmpeg's decoder {} cannot use it", codec.name),
                          "Leave --hwaccel away to decode by the CPU");
    AVBufferRef* context = nullptr;
    const int result = ffmpeg().av_hwdevice_ctx_create(&context, *type,
                                                       device.empty() ? nullptr : device.c_str(), nullptr, 0);
    if (result < 0) {
        Error error = av_error("open hardware", wish, result).error();
        error.kind = ErrorKind::device;
        error.remedy = "Name the device, as in vaapi:/dev/dri/renderD128, or leave --hwaccel away to decode "
                       "by the CPU";
        return std::unexpected(std::move(error));
    }
    return DecodingDevice(AvBuffer(context), pixel_format);
}

void DecodingDevice::attach(AVCodecContext& context, int kept_pictures) const {
    context.hw_device_ctx = ffmpeg().av_buffer_ref(context_.get());
    context.extra_hw_frames = kept_pictures; // some devices allocate all they will have in advance
}

} // namespace v4l2dma
