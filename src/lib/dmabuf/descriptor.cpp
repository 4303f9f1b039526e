// SPDX-License-Identifier: MIT
#include "dmabuf/descriptor.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

Result<DmabufDescriptor> describe(const DmabufBuffer& buffer, const FrameFormat& format) {
    DmabufDescriptor descriptor{.format = format};
    const PixelFormat* entry = find_pixel_format(format.fourcc);
    if (format.plane_count != 1)
        return make_error(ErrorKind::unsupported, "dma-buf", format.text(),
                          "its planes lie in several dma-bufs, one does not describe it");
    if (entry != nullptr && entry->compressed()) {
        descriptor.plane_count = 1;
        descriptor.planes[0] = {.fd = buffer.fd(), .offset = 0, .stride = 0, .size = buffer.size()};
        return descriptor;
    }
    const Result<Layout> layout = layout_of(format);
    if (!layout)
        return std::unexpected(layout.error());
    if (layout->size() > buffer.size())
        return make_error(ErrorKind::device, "dma-buf", format.text(),
                          fmt::format("it has {} bytes, the frame needs {}", buffer.size(), layout->size()));
    descriptor.plane_count = layout->plane_count;
    for (std::uint32_t i = 0; i < layout->plane_count; ++i) {
        const PlaneLayout& plane = layout->planes[i];
        descriptor.planes[i] = {
            .fd = buffer.fd(), .offset = plane.offset, .stride = plane.stride, .size = plane.size()};
    }
    return descriptor;
}

} // namespace v4l2dma
