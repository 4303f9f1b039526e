// SPDX-License-Identifier: MIT
#include "flow/device_frames.h"

namespace v4l2dma {

void DeviceFrames::set(std::uint32_t count) {
    memory_.assign(count, {});
    dmabufs_.clear();
    dmabufs_.resize(count);
}

Status DeviceFrames::put(std::uint32_t index, const AVFrame& picture, const DeviceLayout& layout,
                         BufferMetadata& metadata) {
    const Result<AvFrame> drm = export_as_drm(picture);
    if (!drm)
        return std::unexpected(drm.error());
    if (const Result<DeviceLayout> now = layout_of_drm(**drm); !now || *now != layout)
        return make_error(ErrorKind::system, "share", "device memory",
                          "its layout is another one than at the beginning", "Begin anew");
    Result<std::vector<DmabufBuffer>> dmabufs = dmabufs_of_drm(**drm, system_);
    if (!dmabufs)
        return std::unexpected(std::move(dmabufs.error()));
    dmabufs_[index] = std::move(*dmabufs);
    BufferMemory& memory = memory_[index];
    memory.plane_count = layout.format.plane_count;
    for (std::uint32_t i = 0; i < memory.plane_count; ++i) {
        memory.planes[i] = {.dmabuf = &dmabufs_[index][i], .bytes = {}};
        metadata.planes[i] = {.bytesused = layout.data_offsets[i] + layout.format.planes[i].sizeimage,
                              .data_offset = layout.data_offsets[i]};
    }
    return {};
}

void DeviceFrames::drop(std::uint32_t index) noexcept {
    memory_[index] = {};
    dmabufs_[index].clear();
}

} // namespace v4l2dma
