// SPDX-License-Identifier: MIT
#pragma once

#include "descriptors.h"

#include <linux/usb/ch9.h>
#include <linux/usb/video.h>
#include <optional>

/// What the host and the camera agreed on in the probe and commit controls.
struct Agreement {
    Encoding encoding = Encoding::yuyv;
    unsigned frame = 1; ///< bFrameIndex
    std::uint32_t interval = intervals.front();

    [[nodiscard]] Size size() const { return sizes[frame - 1]; }
};

/// The camera's answers to control requests. Knows nothing of how they reach it.
class Camera {
public:
    /// Of a request with data from the camera: the data. Empty optional: a stall.
    [[nodiscard]] std::optional<Bytes> answer(const usb_ctrlrequest& request);
    /// Of a request with data, possibly none, to the camera. False: a stall.
    [[nodiscard]] bool accept(const usb_ctrlrequest& request, ByteView data);

    /// The host chose the alternate setting with the endpoint.
    [[nodiscard]] bool streaming() const { return streaming_; }
    [[nodiscard]] const Agreement& committed() const { return committed_; }

private:
    [[nodiscard]] std::optional<Bytes> answer_standard(const usb_ctrlrequest& request) const;
    [[nodiscard]] std::optional<Bytes> answer_streaming(const usb_ctrlrequest& request) const;

    Agreement probed_;
    Agreement committed_;
    bool streaming_ = false;
};
