// SPDX-License-Identifier: MIT
#include "media/av_objects.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace v4l2dma {

namespace {

/// What a borrowing frame's count of references stands on: one byte that nobody reads.
AVBufferRef* make_placeholder() {
    static std::uint8_t byte = 0;
    return ffmpeg().av_buffer_create(
        &byte, 1, [](void*, std::uint8_t*) {}, nullptr, 0);
}

} // namespace

std::unexpected<Error> av_error(std::string_view operation, std::string_view object, int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    ffmpeg().av_strerror(code, text.data(), text.size());
    return make_error(ErrorKind::system, operation, object, text.data());
}

Result<AvFrame> make_av_frame() {
    AvFrame frame(ffmpeg().av_frame_alloc());
    if (!frame)
        return system_error("picture", "", ENOMEM);
    return frame;
}

Result<AvFrame> copy_of(const AVFrame& picture) {
    Result<AvFrame> copy = make_av_frame();
    if (!copy)
        return copy;
    (*copy)->format = picture.format;
    (*copy)->width = picture.width;
    (*copy)->height = picture.height;
    int result = ffmpeg().av_frame_get_buffer(copy->get(), 0);
    if (result >= 0)
        result = ffmpeg().av_frame_copy(copy->get(), &picture);
    if (result < 0)
        return av_error("copy", "picture", result);
    return copy;
}

Result<AvFrame> make_borrowing_frame(AVPixelFormat format, std::uint32_t width, std::uint32_t height) {
    Result<AvFrame> frame = make_av_frame();
    if (!frame)
        return frame;
    (*frame)->format = format;
    (*frame)->width = static_cast<int>(width);
    (*frame)->height = static_cast<int>(height);
    (*frame)->buf[0] = make_placeholder();
    if ((*frame)->buf[0] == nullptr)
        return system_error("picture", "", ENOMEM);
    return frame;
}

std::uint64_t picture_bytes(const AVFrame& picture) {
    const int size = ffmpeg().av_image_get_buffer_size(static_cast<AVPixelFormat>(picture.format),
                                                       picture.width, picture.height, 1);
    return static_cast<std::uint64_t>(std::max(size, 0));
}

Result<AvPacket> make_av_packet() {
    AvPacket packet(ffmpeg().av_packet_alloc());
    if (!packet)
        return system_error("packet", "", ENOMEM);
    return packet;
}

Result<AvPacket> copy_to_packet(std::span<const std::byte> bytes) {
    AvPacket packet(ffmpeg().av_packet_alloc());
    if (!packet || bytes.size() > std::numeric_limits<int>::max() ||
        ffmpeg().av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0)
        return system_error("packet", "", ENOMEM);
    std::memcpy(packet->data, bytes.data(), bytes.size());
    return packet;
}

} // namespace v4l2dma
