// SPDX-License-Identifier: MIT
#include "media/device_picture.h"

#include "media/av_format.h"

#include <algorithm>
#include <drm_fourcc.h>
#include <fcntl.h>
#include <optional>
#include <span>
#include <spdlog/fmt/fmt.h>

extern "C" {
#include <libavutil/hwcontext.h>
#include <libavutil/hwcontext_drm.h>
}

namespace v4l2dma {

namespace {

constexpr std::string_view object = "device memory";

struct DrmPlane {
    int dmabuf = 0; ///< which of the descriptor's
    std::uint64_t offset = 0;
    std::uint64_t stride = 0;

    friend bool operator==(const DrmPlane&, const DrmPlane&) = default;
};

const AVDRMFrameDescriptor& descriptor_of(const AVFrame& drm) {
    return *reinterpret_cast<const AVDRMFrameDescriptor*>(drm.data[0]);
}

/// FFmpeg's counts are plain ints.
template <typename Entry, std::size_t most>
std::span<const Entry> first(const Entry (&all)[most], int count) {
    const int entries = std::clamp(count, 0, static_cast<int>(most));
    return std::span<const Entry>(all).first(static_cast<std::size_t>(entries));
}

/// The planes in the pixel format's order: a layer has one of the format's planes, or all.
Result<std::vector<DrmPlane>> planes_of(const AVDRMFrameDescriptor& descriptor) {
    const std::size_t dmabufs = first(descriptor.objects, descriptor.nb_objects).size();
    std::vector<DrmPlane> planes;
    for (const AVDRMLayerDescriptor& layer : first(descriptor.layers, descriptor.nb_layers))
        for (const AVDRMPlaneDescriptor& plane : first(layer.planes, layer.nb_planes)) {
            if (plane.offset < 0 || plane.pitch <= 0 || plane.object_index < 0 ||
                static_cast<std::size_t>(plane.object_index) >= dmabufs)
                return make_error(ErrorKind::unsupported, "share", object, "its description makes no sense");
            planes.push_back({.dmabuf = plane.object_index,
                              .offset = static_cast<std::uint64_t>(plane.offset),
                              .stride = static_cast<std::uint64_t>(plane.pitch)});
        }
    return planes;
}

bool is_linear(const AVDRMObjectDescriptor& dmabuf) {
    return dmabuf.format_modifier == DRM_FORMAT_MOD_LINEAR ||
           dmabuf.format_modifier == DRM_FORMAT_MOD_INVALID;
}

Status check_linear(const AVDRMFrameDescriptor& descriptor) {
    for (const AVDRMObjectDescriptor& dmabuf : first(descriptor.objects, descriptor.nb_objects))
        if (!is_linear(dmabuf))
            return make_error(
                ErrorKind::unsupported, "share", object,
                fmt::format("its lines do not follow one another (modifier 0x{:x})", dmabuf.format_modifier));
    return {};
}

/// The picture as @p fourcc with these strides, if its planes lie as that format has them.
std::optional<DeviceLayout> layout_as(FourCC fourcc, const AVFrame& picture,
                                      std::span<const DrmPlane> planes) {
    const PixelFormat& entry = *find_pixel_format(fourcc);
    Result<FrameFormat> format = tight_format(fourcc, static_cast<std::uint32_t>(picture.width),
                                              static_cast<std::uint32_t>(picture.height));
    if (!format || planes.size() != entry.plane_count)
        return std::nullopt;
    for (std::uint32_t i = 0; i < format->plane_count; ++i) {
        const std::uint64_t stride = planes[i].stride; // of a frame in one piece: the first plane's
        if (stride > UINT32_MAX / static_cast<std::uint32_t>(picture.height) / 4)
            return std::nullopt;
        format->planes[i].bytesperline = static_cast<std::uint32_t>(stride);
        format->planes[i].sizeimage = UINT32_MAX; // until it is known
    }
    const Result<Layout> layout = layout_of(*format);
    if (!layout)
        return std::nullopt;
    DeviceLayout result{.format = *format};
    std::array<std::uint64_t, FrameFormat::max_planes> ends{};
    for (std::uint32_t i = 0; i < layout->plane_count; ++i) {
        const PlaneLayout& wanted = layout->planes[i];
        const DrmPlane& begin = planes[format->plane_count > 1 ? i : 0];
        const DrmPlane place{begin.dmabuf, begin.offset + wanted.offset, wanted.stride};
        if (planes[i] != place)
            return std::nullopt;
        ends[wanted.memory_plane] = std::max(ends[wanted.memory_plane], wanted.offset + wanted.size());
        result.data_offsets[wanted.memory_plane] = static_cast<std::uint32_t>(begin.offset);
    }
    for (std::uint32_t i = 0; i < format->plane_count; ++i)
        result.format.planes[i].sizeimage = static_cast<std::uint32_t>(ends[i]);
    return result;
}

const AVHWFramesContext& frames_of(const AVFrame& picture) {
    return *reinterpret_cast<const AVHWFramesContext*>(picture.hw_frames_ctx->data);
}

void unmap(AvFrame& frame, AVPixelFormat wanted) {
    ffmpeg().av_frame_unref(frame.get());
    frame->format = wanted;
}

} // namespace

bool is_in_device(const AVFrame& picture) {
    return picture.hw_frames_ctx != nullptr;
}

AVPixelFormat pixels_of(const AVFrame& picture) {
    return is_in_device(picture) ? frames_of(picture).sw_format : static_cast<AVPixelFormat>(picture.format);
}

Result<AvFrame> export_as_drm(const AVFrame& picture) {
    Result<AvFrame> drm = make_av_frame();
    if (!drm)
        return drm;
    const bool is_drm = picture.format == AV_PIX_FMT_DRM_PRIME;
    (*drm)->format = AV_PIX_FMT_DRM_PRIME;
    const int result = is_drm ? ffmpeg().av_frame_ref(drm->get(), &picture)
                              : ffmpeg().av_hwframe_map(drm->get(), &picture, AV_HWFRAME_MAP_READ);
    if (result < 0) {
        Error error = av_error("export", object, result).error();
        error.kind = ErrorKind::unsupported;
        return std::unexpected(std::move(error));
    }
    (*drm)->width = picture.width;
    (*drm)->height = picture.height;
    if ((*drm)->hw_frames_ctx == nullptr) // which a mapped one has not: it says what the pixels are
        (*drm)->hw_frames_ctx = ffmpeg().av_buffer_ref(picture.hw_frames_ctx);
    if ((*drm)->hw_frames_ctx == nullptr)
        return system_error("export", object, ENOMEM);
    return drm;
}

Result<DeviceLayout> layout_of_drm(const AVFrame& drm) {
    const AVDRMFrameDescriptor& descriptor = descriptor_of(drm);
    if (Status status = check_linear(descriptor); !status)
        return std::unexpected(std::move(status.error()));
    const Result<std::vector<DrmPlane>> planes = planes_of(descriptor);
    if (!planes)
        return std::unexpected(planes.error());
    const AVPixelFormat pixels = pixels_of(drm);
    for (const PixelFormat& entry : pixel_formats()) {
        const AvFormat* const format = find_av_format(entry.fourcc);
        if (format == nullptr || format->pixel_format != pixels || format->swapped)
            continue;
        if (std::optional<DeviceLayout> layout = layout_as(entry.fourcc, drm, *planes))
            return *layout;
    }
    const char* const name = ffmpeg().av_get_pix_fmt_name(pixels);
    return make_error(ErrorKind::unsupported, "share", object,
                      fmt::format("V4L2 has no format for {} pixels of {}x{} with its planes where they are",
                                  name == nullptr ? "unknown" : name, drm.width, drm.height));
}

Result<std::vector<DmabufBuffer>> dmabufs_of_drm(const AVFrame& drm, System& system) {
    const AVDRMFrameDescriptor& descriptor = descriptor_of(drm);
    const Result<std::vector<DrmPlane>> planes = planes_of(descriptor);
    const Result<DeviceLayout> layout = layout_of_drm(drm);
    if (!planes || !layout)
        return std::unexpected(planes ? layout.error() : planes.error());
    std::vector<DmabufBuffer> dmabufs;
    for (std::uint32_t i = 0; i < layout->format.plane_count; ++i) {
        UniqueFd fd(::fcntl(descriptor.objects[(*planes)[i].dmabuf].fd, F_DUPFD_CLOEXEC, 0));
        if (!fd)
            return system_error("fcntl", object);
        Result<DmabufBuffer> dmabuf = DmabufBuffer::adopt(std::move(fd), system);
        if (!dmabuf)
            return std::unexpected(std::move(dmabuf.error()));
        dmabufs.push_back(std::move(*dmabuf));
    }
    return dmabufs;
}

Result<AvFrame> map_device_picture(const AVFrame& picture) {
    const AVPixelFormat pixels = pixels_of(picture);
    if (picture.format == AV_PIX_FMT_DRM_PRIME)
        if (Status status = check_linear(descriptor_of(picture)); !status)
            return std::unexpected(std::move(status.error()));
    Result<AvFrame> mapped = make_av_frame();
    if (!mapped)
        return mapped;
    (*mapped)->format = pixels;
    int result = ffmpeg().av_hwframe_map(mapped->get(), &picture, AV_HWFRAME_MAP_READ);
    if (result < 0) {
        unmap(*mapped, pixels);
        result = ffmpeg().av_hwframe_transfer_data(mapped->get(), &picture, 0);
    }
    if (result < 0)
        return std::unexpected(av_error("read", object, result));
    (*mapped)->width = picture.width;
    (*mapped)->height = picture.height;
    (*mapped)->color_range = picture.color_range;
    return mapped;
}

} // namespace v4l2dma
