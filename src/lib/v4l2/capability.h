// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/types.h"

#include <linux/videodev2.h>
#include <string>

namespace v4l2dma {

/// What VIDIOC_QUERYCAP answered, typed. "Device" capabilities: of this node, now (a loop with exclusive_caps
/// changes them).
class Capability {
public:
    Capability() = default;
    explicit Capability(const v4l2_capability& raw) noexcept : raw_(raw) {}

    [[nodiscard]] std::string driver() const { return text(raw_.driver); }
    [[nodiscard]] std::string card() const { return text(raw_.card); }
    [[nodiscard]] std::string bus_info() const { return text(raw_.bus_info); }
    /// KERNEL_VERSION() of the kernel the driver belongs to.
    [[nodiscard]] std::uint32_t version() const noexcept { return raw_.version; }
    /// V4L2_CAP_* of this node.
    [[nodiscard]] std::uint32_t device_caps() const noexcept {
        return (raw_.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? raw_.device_caps : raw_.capabilities;
    }

    [[nodiscard]] bool is_capture() const noexcept { return is(BufferType::capture); }
    [[nodiscard]] bool is_output() const noexcept { return is(BufferType::output); }
    /// With either API.
    [[nodiscard]] bool is(BufferType type) const noexcept {
        return is_singleplanar(type) || is_multiplanar(type);
    }
    [[nodiscard]] bool is_multiplanar(BufferType type) const noexcept {
        return has(type == BufferType::capture ? V4L2_CAP_VIDEO_CAPTURE_MPLANE
                                               : V4L2_CAP_VIDEO_OUTPUT_MPLANE);
    }
    /// The API to use in this direction. A device that offers both has the same formats in either.
    [[nodiscard]] PlaneApi plane_api(BufferType type) const noexcept {
        return is_multiplanar(type) && !is_singleplanar(type) ? PlaneApi::multi : PlaneApi::single;
    }
    /// A codec or scaler: both sides of one node belong to the same open file.
    [[nodiscard]] bool is_memory_to_memory() const noexcept {
        return has(V4L2_CAP_VIDEO_M2M) || has(V4L2_CAP_VIDEO_M2M_MPLANE);
    }
    /// The other node of a camera, for what belongs to its frames but is no picture.
    [[nodiscard]] bool is_metadata() const noexcept {
        return has(V4L2_CAP_META_CAPTURE) || has(V4L2_CAP_META_OUTPUT);
    }
    [[nodiscard]] bool can_stream() const noexcept { return has(V4L2_CAP_STREAMING); }
    [[nodiscard]] bool can_read_write() const noexcept { return has(V4L2_CAP_READWRITE); }
    /// A loop of v4l2dma.ko.
    [[nodiscard]] bool is_loop() const { return driver() == "v4l2dma"; }

private:
    [[nodiscard]] bool is_singleplanar(BufferType type) const noexcept {
        return has(type == BufferType::capture ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_OUTPUT);
    }
    [[nodiscard]] bool has(std::uint32_t flag) const noexcept { return (device_caps() & flag) != 0; }

    // The fields are NUL-terminated by the specification; a driver that forgot must not make us read on.
    template <std::size_t size> [[nodiscard]] static std::string text(const __u8 (&field)[size]) {
        std::string result;
        for (std::size_t i = 0; i < size && field[i] != 0; ++i)
            result.push_back(static_cast<char>(field[i]));
        return result;
    }

    v4l2_capability raw_{};
};

} // namespace v4l2dma
