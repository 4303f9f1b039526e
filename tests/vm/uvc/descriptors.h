// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.h"

#include <array>

/// What the camera offers, as the USB Video Class 1.1 has it.
enum class Encoding : std::uint8_t { yuyv = 1, mjpg = 2 }; // bFormatIndex

struct Size {
    unsigned width;
    unsigned height;
};
inline constexpr std::array<Size, 2> sizes{{{320, 180}, {640, 360}}}; // bFrameIndex counts from 1
/// In units of 100 ns: 30, 15 and 5 frames a second.
inline constexpr std::array<std::uint32_t, 3> intervals{333333, 666666, 2000000};

/// Both formats: a JPEG is never larger than its picture was. The driver refuses larger frames.
[[nodiscard]] constexpr std::uint32_t max_frame_bytes(Size size) {
    return size.width * size.height * 2;
}

inline constexpr unsigned streaming_interface = 1;
inline constexpr unsigned streaming_endpoint = 1; // IN, isochronous
/// Of one isochronous packet: three transactions of 1024 bytes in a microframe, header included.
inline constexpr std::uint32_t max_packet = 3 * 1024;

[[nodiscard]] Bytes device_descriptor();
[[nodiscard]] Bytes configuration_descriptor();
/// Empty if there is no such string.
[[nodiscard]] Bytes string_descriptor(unsigned index);
