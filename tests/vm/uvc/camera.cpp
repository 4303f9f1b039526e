// SPDX-License-Identifier: MIT
#include "camera.h"

#include <algorithm>
#include <endian.h>

namespace {

// bmHint to bMaxVersion: what version 1.1 has of struct uvc_streaming_control.
constexpr std::size_t control_size = 34;
constexpr std::size_t interval_at = 4;

Bytes to_bytes(const Agreement& agreement) {
    return Writer()
        .u16(1) // the interval is the host's wish
        .u8({static_cast<unsigned>(agreement.encoding), agreement.frame})
        .u32(agreement.interval)
        .u16(0)
        .u16(0)
        .u16(0)
        .u16(0)
        .u16(0)
        .u32(max_frame_bytes(agreement.size()))
        .u32(max_packet)
        .u32(48'000'000)
        .u8({3, 0, 0, 0}) // a frame id and an end of frame are in the headers
        .take();
}

/// The host's wish made possible, as a camera does: the nearest there is.
Agreement from_bytes(ByteView bytes) {
    Agreement agreement;
    agreement.encoding = bytes[2] == static_cast<unsigned>(Encoding::mjpg) ? Encoding::mjpg : Encoding::yuyv;
    agreement.frame = std::clamp<unsigned>(bytes[3], 1, sizes.size());
    const std::uint32_t wish = little_endian(bytes.subspan(interval_at, 4));
    const auto* const next = std::ranges::lower_bound(intervals, wish);
    agreement.interval = next == intervals.end() ? intervals.back() : *next;
    return agreement;
}

bool is_class(const usb_ctrlrequest& request) {
    return (request.bRequestType & USB_TYPE_MASK) == USB_TYPE_CLASS;
}

bool is_for_streaming(const usb_ctrlrequest& request) {
    return is_class(request) && (le16toh(request.wIndex) & 0xff) == streaming_interface;
}

unsigned selector(const usb_ctrlrequest& request) {
    return le16toh(request.wValue) >> 8;
}

} // namespace

std::optional<Bytes> Camera::answer(const usb_ctrlrequest& request) {
    std::optional<Bytes> data;
    if (is_for_streaming(request))
        data = answer_streaming(request);
    else if (!is_class(request))
        data = answer_standard(request);
    if (data && data->size() > le16toh(request.wLength))
        data->resize(le16toh(request.wLength));
    return data;
}

std::optional<Bytes> Camera::answer_standard(const usb_ctrlrequest& request) const {
    const unsigned value = le16toh(request.wValue);
    Bytes data;
    if (request.bRequest == USB_REQ_GET_STATUS)
        return Bytes{0, 0};
    if (request.bRequest == USB_REQ_GET_CONFIGURATION)
        return Bytes{1};
    if (request.bRequest == USB_REQ_GET_INTERFACE)
        return Bytes{static_cast<std::uint8_t>(streaming_ ? 1 : 0)};
    if (request.bRequest != USB_REQ_GET_DESCRIPTOR)
        return std::nullopt;
    if (value >> 8 == USB_DT_DEVICE)
        data = device_descriptor();
    else if (value >> 8 == USB_DT_CONFIG)
        data = configuration_descriptor();
    else if (value >> 8 == USB_DT_STRING)
        data = string_descriptor(value & 0xff);
    return data.empty() ? std::nullopt : std::optional(std::move(data));
}

std::optional<Bytes> Camera::answer_streaming(const usb_ctrlrequest& request) const {
    constexpr std::uint8_t get_and_set = UVC_CONTROL_CAP_GET | UVC_CONTROL_CAP_SET;
    const bool probe = selector(request) == UVC_VS_PROBE_CONTROL;
    if (!probe && selector(request) != UVC_VS_COMMIT_CONTROL)
        return std::nullopt;
    Agreement agreement = probe ? probed_ : committed_;
    switch (request.bRequest) {
    case UVC_GET_CUR:
        return to_bytes(agreement);
    case UVC_GET_MIN:
    case UVC_GET_DEF:
        agreement.interval = intervals.front();
        return to_bytes(agreement);
    case UVC_GET_MAX:
        agreement.interval = intervals.back();
        return to_bytes(agreement);
    case UVC_GET_LEN:
        return Bytes{control_size, 0};
    case UVC_GET_INFO:
        return Bytes{get_and_set};
    default:
        return std::nullopt;
    }
}

bool Camera::accept(const usb_ctrlrequest& request, ByteView data) {
    if (!is_class(request)) {
        if (request.bRequest == USB_REQ_SET_INTERFACE && le16toh(request.wIndex) == streaming_interface)
            streaming_ = le16toh(request.wValue) == 1;
        return true;
    }
    if (!is_for_streaming(request) || request.bRequest != UVC_SET_CUR || data.size() < control_size)
        return false;
    if (selector(request) == UVC_VS_PROBE_CONTROL)
        probed_ = from_bytes(data);
    else if (selector(request) == UVC_VS_COMMIT_CONTROL)
        committed_ = from_bytes(data);
    else
        return false;
    return true;
}
