// SPDX-License-Identifier: MIT
#include "descriptors.h"

#include <linux/usb/ch9.h>
#include <linux/usb/video.h>
#include <string_view>

namespace {

constexpr unsigned camera_terminal = 1;
constexpr unsigned output_terminal = 2;
constexpr unsigned uvc_version = 0x0110;
constexpr unsigned clock_frequency = 48'000'000;

/// bLength first, then what follows it.
Bytes with_length(Writer& rest) {
    const Bytes body = rest.take();
    return Writer().u8({static_cast<unsigned>(body.size() + 1)}).add(body).take();
}

Bytes interface_descriptor(unsigned number, unsigned alternate, unsigned endpoints, unsigned subclass) {
    return with_length(
        Writer().u8({USB_DT_INTERFACE, number, alternate, endpoints, USB_CLASS_VIDEO, subclass, 0, 0}));
}

Bytes control_interface() {
    const Bytes terminals =
        Writer()
            .add(with_length(Writer()
                                 .u8({USB_DT_CS_INTERFACE, UVC_VC_INPUT_TERMINAL, camera_terminal})
                                 .u16(UVC_ITT_CAMERA)
                                 .u8({0, 0}) // no associated terminal, no name
                                 .u16(0)     // no zoom
                                 .u16(0)
                                 .u16(0)
                                 .u8({3, 0, 0, 0}))) // no controls
            .add(with_length(Writer()
                                 .u8({USB_DT_CS_INTERFACE, UVC_VC_OUTPUT_TERMINAL, output_terminal})
                                 .u16(UVC_TT_STREAMING)
                                 .u8({0, camera_terminal, 0})))
            .take();
    return Writer()
        .add(interface_descriptor(0, 0, 0, UVC_SC_VIDEOCONTROL))
        .add(with_length(Writer()
                             .u8({USB_DT_CS_INTERFACE, UVC_VC_HEADER})
                             .u16(uvc_version)
                             .u16(static_cast<unsigned>(UVC_DT_HEADER_SIZE(1) + terminals.size()))
                             .u32(clock_frequency)
                             .u8({1, streaming_interface})))
        .add(terminals)
        .take();
}

Bytes frame_descriptor(unsigned subtype, unsigned index) {
    const Size size = sizes[index - 1];
    const std::uint32_t bytes = max_frame_bytes(size);
    Writer body;
    body.u8({USB_DT_CS_INTERFACE, subtype, index, 0})
        .u16(size.width)
        .u16(size.height)
        .u32(bytes * 8 * 5) // bits a second: at 5 frames, at 30
        .u32(bytes * 8 * 30)
        .u32(bytes)
        .u32(intervals.front())
        .u8({static_cast<unsigned>(intervals.size())});
    for (const std::uint32_t interval : intervals)
        body.u32(interval);
    return with_length(body);
}

/// The format's own descriptor, its frames, its colours (sRGB primaries, BT.709, SMPTE 170M).
Bytes format(Writer& descriptor, unsigned frame_subtype) {
    Writer all;
    all.add(with_length(descriptor));
    for (unsigned index = 1; index <= sizes.size(); ++index)
        all.add(frame_descriptor(frame_subtype, index));
    return all.add(with_length(Writer().u8({USB_DT_CS_INTERFACE, UVC_VS_COLORFORMAT, 1, 1, 4}))).take();
}

Bytes formats() {
    constexpr unsigned frames = sizes.size();
    constexpr std::array<std::uint8_t, 16> yuy2{'Y',  'U',  'Y',  '2',  0x00, 0x00, 0x10, 0x00,
                                                0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};
    return Writer()
        .add(format(Writer()
                        .u8({USB_DT_CS_INTERFACE, UVC_VS_FORMAT_UNCOMPRESSED,
                             static_cast<unsigned>(Encoding::yuyv), frames})
                        .add(yuy2)
                        .u8({16, 1, 0, 0, 0, 0}),
                    UVC_VS_FRAME_UNCOMPRESSED))
        .add(format(Writer().u8({USB_DT_CS_INTERFACE, UVC_VS_FORMAT_MJPEG,
                                 static_cast<unsigned>(Encoding::mjpg), frames, 0, 1, 0, 0, 0, 0}),
                    UVC_VS_FRAME_MJPEG))
        .take();
}

Bytes streaming_interfaces() {
    constexpr unsigned header_size = 15;
    constexpr unsigned bits_per_transaction_count = 11;
    const Bytes all_formats = formats();
    return Writer()
        .add(interface_descriptor(streaming_interface, 0, 0, UVC_SC_VIDEOSTREAMING))
        .add(with_length(Writer()
                             .u8({USB_DT_CS_INTERFACE, UVC_VS_INPUT_HEADER, 2})
                             .u16(static_cast<unsigned>(header_size + all_formats.size()))
                             .u8({USB_DIR_IN | streaming_endpoint, 0, output_terminal, 0, 0, 0, 1, 0, 0})))
        .add(all_formats)
        .add(interface_descriptor(streaming_interface, 1, 1, UVC_SC_VIDEOSTREAMING))
        .add(with_length(Writer()
                             .u8({USB_DT_ENDPOINT, USB_DIR_IN | streaming_endpoint,
                                  USB_ENDPOINT_XFER_ISOC | USB_ENDPOINT_SYNC_ASYNC})
                             .u16(max_packet / 3 | 2U << bits_per_transaction_count)
                             .u8({1})))
        .take();
}

} // namespace

Bytes device_descriptor() {
    constexpr unsigned linux_foundation = 0x1d6b;
    constexpr unsigned webcam_gadget = 0x0102;
    return with_length(Writer()
                           .u8({USB_DT_DEVICE})
                           .u16(0x0200)
                           .u8({USB_CLASS_MISC, 2, 1, 64}) // made of associated interfaces
                           .u16(linux_foundation)
                           .u16(webcam_gadget)
                           .u16(0x0100)
                           .u8({1, 2, 0, 1}));
}

Bytes configuration_descriptor() {
    const Bytes body = Writer()
                           .add(with_length(Writer().u8({USB_DT_INTERFACE_ASSOCIATION, 0, 2, USB_CLASS_VIDEO,
                                                         UVC_SC_VIDEO_INTERFACE_COLLECTION, 0, 2})))
                           .add(control_interface())
                           .add(streaming_interfaces())
                           .take();
    return Writer()
        .add(with_length(Writer()
                             .u8({USB_DT_CONFIG})
                             .u16(static_cast<unsigned>(USB_DT_CONFIG_SIZE + body.size()))
                             .u8({2, 1, 0, USB_CONFIG_ATT_ONE, 250})))
        .add(body)
        .take();
}

Bytes string_descriptor(unsigned index) {
    constexpr unsigned english = 0x0409;
    constexpr std::array<std::string_view, 2> strings{"v4l2dma", "v4l2dma test camera"};
    Writer body;
    body.u8({USB_DT_STRING});
    if (index == 0)
        return with_length(body.u16(english));
    if (index > strings.size())
        return {};
    for (const char letter : strings[index - 1])
        body.u16(static_cast<unsigned char>(letter));
    return with_length(body);
}
