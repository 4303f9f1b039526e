// SPDX-License-Identifier: MIT
#include "media/stream_codec.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace v4l2dma {

namespace {

// Of two names the first is the one that packets get.
constexpr StreamCodec table[] = {
    {FourCC("MJPG"), AV_CODEC_ID_MJPEG},
    {FourCC("JPEG"), AV_CODEC_ID_MJPEG},
    {FourCC("MPG1"), AV_CODEC_ID_MPEG1VIDEO},
    {FourCC("MPG2"), AV_CODEC_ID_MPEG2VIDEO},
    {FourCC("MPG4"), AV_CODEC_ID_MPEG4, "dump_extra"},
    {FourCC("H264"), AV_CODEC_ID_H264, "h264_mp4toannexb"},
    {FourCC("HEVC"), AV_CODEC_ID_HEVC, "hevc_mp4toannexb"},
    {FourCC("VP80"), AV_CODEC_ID_VP8},
    {FourCC("VP90"), AV_CODEC_ID_VP9},
    {FourCC("AV01"), AV_CODEC_ID_AV1},
};

/// 0 beyond the end.
unsigned number_at(std::span<const std::byte> bytes, std::size_t position) {
    return position < bytes.size() ? std::to_integer<unsigned>(bytes[position]) : 0;
}

/// Calls @p visit with what follows each start code up to the next, until it answers true.
template <typename Visit> bool any_unit(std::span<const std::byte> payload, Visit visit) {
    constexpr std::array start_code{std::byte{0}, std::byte{0}, std::byte{1}};
    auto code = std::ranges::search(payload, start_code);
    while (!code.empty()) {
        const auto next =
            std::ranges::search(code.end(), payload.end(), start_code.begin(), start_code.end());
        if (visit(std::span(code.end(), next.begin())))
            return true;
        code = next;
    }
    return false;
}

/// Whether H.264's supplemental information says that decoding can begin here, though this is no IDR picture.
/// It is messages, each with a type and a length, both in bytes of which 255 goes on.
bool announces_recovery(std::span<const std::byte> sei) {
    constexpr unsigned recovery_point = 6;
    constexpr unsigned end_of_unit = 0x80;
    constexpr unsigned more = 255;
    std::size_t position = 0;
    const auto number = [&] {
        unsigned sum = 0;
        while (number_at(sei, position) == more)
            sum += number_at(sei, position++);
        return sum + number_at(sei, position++);
    };
    while (position + 1 < sei.size() && number_at(sei, position) != end_of_unit) {
        if (number() == recovery_point)
            return true;
        const unsigned length = number();
        position += length;
    }
    return false;
}

/// The first bits of a frame: a marker, the profile, whether it only shows another one, whether it is no key.
bool is_vp9_key(std::span<const std::byte> payload) {
    const unsigned head = number_at(payload, 0);
    const bool reserved_bit = (head >> 4 & 3) == 3; // of profile 3
    const unsigned rest = reserved_bit ? head << 1 : head;
    return head >> 6 == 2 && (rest >> 3 & 1) == 0 && (rest >> 2 & 1) == 0;
}

/// AV1's units have a type in their first byte, and all but the last their length: seven bits a byte, the
/// lowest first. A sequence header begins what can be read by itself.
bool begins_av1_sequence(std::span<const std::byte> payload) {
    constexpr unsigned sequence_header = 1;
    constexpr unsigned extended = 4;
    constexpr unsigned sized = 2;
    std::size_t position = 0;
    while (position < payload.size()) {
        const unsigned head = number_at(payload, position);
        if ((head >> 3 & 0xf) == sequence_header)
            return true;
        if ((head & sized) == 0)
            return false;
        position += (head & extended) != 0 ? 2 : 1;
        std::uint64_t length = 0;
        unsigned bits = 0;
        do
            length |= std::uint64_t{number_at(payload, position) & 0x7f} << bits;
        while ((number_at(payload, position++) & 0x80) != 0 && (bits += 7) < 35);
        position += length;
    }
    return false;
}

} // namespace

const StreamCodec* find_stream_codec(AVCodecID codec) {
    const auto* entry = std::ranges::find(table, codec, &StreamCodec::codec);
    return entry == std::end(table) ? nullptr : entry;
}

AVCodecID codec_of_packets(FourCC fourcc) {
    const auto* entry = std::ranges::find(table, fourcc, &StreamCodec::fourcc);
    return entry == std::end(table) ? AV_CODEC_ID_NONE : entry->codec;
}

bool is_key_frame(AVCodecID codec, std::span<const std::byte> payload) {
    if (codec == AV_CODEC_ID_H264)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            constexpr unsigned idr_slice = 5;
            constexpr unsigned sei = 6;
            const unsigned type = number_at(unit, 0) & 0x1f;
            return type == idr_slice || (type == sei && announces_recovery(unit.subspan(1)));
        });
    if (codec == AV_CODEC_ID_HEVC)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            const unsigned type = number_at(unit, 0) >> 1 & 0x3f;
            return type >= 16 && type <= 21; // BLA, IDR, CRA
        });
    if (codec == AV_CODEC_ID_VP8)
        return !payload.empty() && (payload[0] & std::byte{1}) == std::byte{0};
    if (codec == AV_CODEC_ID_VP9)
        return is_vp9_key(payload);
    if (codec == AV_CODEC_ID_MPEG4)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            return number_at(unit, 0) == 0xb0 || number_at(unit, 0) == 0x20; // VOS, VOL
        });
    if (codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO)
        return any_unit(payload, [](std::span<const std::byte> unit) {
            return number_at(unit, 0) == 0xb3; // sequence header
        });
    return codec != AV_CODEC_ID_AV1 || begins_av1_sequence(payload);
}

bool is_intra_only(AVCodecID codec) {
    const AVCodecDescriptor* descriptor = ffmpeg().avcodec_descriptor_get(codec);
    return descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
}

} // namespace v4l2dma
