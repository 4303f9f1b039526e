// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer.h"
#include "format/frame_format.h"
#include "media/av_objects.h"

#include <array>
#include <cstdint>
#include <vector>

namespace v4l2dma {

// Pictures that lie in a device's memory: of a hardware decoder, or of a screen. FFmpeg describes them as DRM
// PRIME, which is dma-bufs and where in them the planes are (libavutil/hwcontext_drm.h), or can export them
// as that. load_ffmpeg() must have succeeded.

/// Whether @p picture lies in a device's memory, so that its data[] are no addresses.
[[nodiscard]] bool is_in_device(const AVFrame& picture);
/// Its pixels, wherever it lies; AV_PIX_FMT_NONE if the device's are none that a CPU knows.
[[nodiscard]] AVPixelFormat pixels_of(const AVFrame& picture);

/// A picture's dma-bufs, as a frame of V4L2's has them.
struct DeviceLayout {
    FrameFormat format{}; ///< pixels, size, strides; neither colours nor field
    /// Bytes from the begin of each dma-buf to the first of the frame in it: V4L2's data_offset.
    std::array<std::uint32_t, FrameFormat::max_planes> data_offsets{};

    friend bool operator==(const DeviceLayout&, const DeviceLayout&) = default;
};

/// @p picture, of a device, as DRM PRIME; it holds on to what it was made of. Errors: (unsupported) the
/// device's interface cannot export it.
[[nodiscard]] Result<AvFrame> export_as_drm(const AVFrame& picture);
/// How V4L2 would say where a DRM PRIME picture lies. Memory whose modifier is not known counts as linear.
/// Errors (unsupported): its memory is tiled, or planes lie where no format of V4L2's has them.
[[nodiscard]] Result<DeviceLayout> layout_of_drm(const AVFrame& drm);
/// References of their own on a DRM PRIME picture's dma-bufs, one for each memory plane of layout_of_drm().
/// Errors: (system) what the kernel says.
[[nodiscard]] Result<std::vector<DmabufBuffer>> dmabufs_of_drm(const AVFrame& drm, System& system);

/// @p picture, of a device, for the CPU to read: mapped where that can be done, else copied by the device's
/// interface. While it lives the CPU's access to the dma-buf goes on. Errors: (unsupported) memory that the
/// CPU cannot make sense of; (system) what FFmpeg says.
[[nodiscard]] Result<AvFrame> map_device_picture(const AVFrame& picture);

} // namespace v4l2dma
