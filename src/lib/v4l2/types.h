// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <linux/videodev2.h>
#include <string_view>

namespace v4l2dma {

/// Which way frames go through a queue: out of the device (a camera) or into it.
enum class BufferType { capture, output };

/// Whose memory a queue's buffers are. read() and write() have no queue.
enum class Memory { mmap, userptr, dmabuf };

/// Which of V4L2's two ways to speak of a frame a side of a device has: a single piece of memory, or up to
/// eight.
enum class PlaneApi { single, multi };

/// enum v4l2_buf_type
[[nodiscard]] constexpr std::uint32_t raw(BufferType type, PlaneApi api = PlaneApi::single) noexcept {
    if (api == PlaneApi::multi)
        return type == BufferType::capture ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE
                                           : V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
    return type == BufferType::capture ? V4L2_BUF_TYPE_VIDEO_CAPTURE : V4L2_BUF_TYPE_VIDEO_OUTPUT;
}

[[nodiscard]] constexpr bool is_multiplanar(std::uint32_t raw_type) noexcept {
    return raw_type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE || raw_type == V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE;
}

[[nodiscard]] constexpr std::uint32_t raw(Memory memory) noexcept {
    switch (memory) {
    case Memory::userptr:
        return V4L2_MEMORY_USERPTR;
    case Memory::dmabuf:
        return V4L2_MEMORY_DMABUF;
    case Memory::mmap:
        break;
    }
    return V4L2_MEMORY_MMAP;
}

[[nodiscard]] constexpr std::string_view to_text(BufferType type) noexcept {
    return type == BufferType::capture ? "capture" : "output";
}

[[nodiscard]] constexpr std::string_view to_text(Memory memory) noexcept {
    switch (memory) {
    case Memory::userptr:
        return "userptr";
    case Memory::dmabuf:
        return "dmabuf";
    case Memory::mmap:
        break;
    }
    return "mmap";
}

} // namespace v4l2dma
