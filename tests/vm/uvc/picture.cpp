// SPDX-License-Identifier: MIT
#include "picture.h"

extern "C" {
#include <libavcodec/avcodec.h>
}

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

/// A grey that tells pixels apart: bars, moved by one with every picture.
std::uint8_t grey(unsigned x, unsigned y, std::uint32_t number) {
    return static_cast<std::uint8_t>(((x + number) & 0xf8) + (y & 0x07));
}

Bytes paint_yuyv(Size size, std::uint32_t number) {
    Bytes picture(max_frame_bytes(size), 0x80); // no colour
    for (unsigned y = 0; y < size.height; ++y)
        for (unsigned x = 0; x < size.width; ++x)
            picture[(y * size.width + x) * 2] = grey(x, y, number);
    for (unsigned i = 0; i < 8; ++i) // a nibble for each pixel
        picture[i * 2] = static_cast<std::uint8_t>((number >> (28 - 4 * i) & 0xf) << 4);
    return picture;
}

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "v4l2dma_uvc_camera: %s\n", what);
    std::exit(1);
}

template <auto free> struct Free {
    void operator()(auto* thing) const noexcept { free(&thing); }
};

Bytes encode_jpeg(Size size) {
    const std::unique_ptr<AVFrame, Free<av_frame_free>> frame(av_frame_alloc());
    const std::unique_ptr<AVPacket, Free<av_packet_free>> packet(av_packet_alloc());
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    const std::unique_ptr<AVCodecContext, Free<avcodec_free_context>> context(avcodec_alloc_context3(codec));
    if (!frame || !packet || codec == nullptr || !context)
        give_up("there is no JPEG encoder");
    context->width = frame->width = static_cast<int>(size.width);
    context->height = frame->height = static_cast<int>(size.height);
    context->pix_fmt = AV_PIX_FMT_YUVJ422P;
    frame->format = AV_PIX_FMT_YUVJ422P;
    context->time_base = {.num = 1, .den = 30};
    context->thread_count = 1;
    context->flags = AV_CODEC_FLAG_BITEXACT; // without a comment of its own
    if (av_frame_get_buffer(frame.get(), 0) < 0 || avcodec_open2(context.get(), codec, nullptr) < 0)
        give_up("the JPEG encoder cannot be opened");
    for (unsigned y = 0; y < size.height; ++y) {
        for (unsigned x = 0; x < size.width; ++x) {
            const std::size_t row = std::size_t{y} * static_cast<unsigned>(frame->linesize[0]);
            frame->data[0][row + x] = grey(x, y, 0);
            for (const int plane : {1, 2}) {
                const std::size_t colours = std::size_t{y} * static_cast<unsigned>(frame->linesize[plane]);
                frame->data[plane][colours + x / 2] = static_cast<std::uint8_t>(plane == 1 ? x : y);
            }
        }
    }
    frame->pts = 0;
    if (avcodec_send_frame(context.get(), frame.get()) < 0 ||
        avcodec_receive_packet(context.get(), packet.get()) < 0)
        give_up("the JPEG encoder failed");
    return {packet->data, packet->data + packet->size};
}

/// The JPEG with a comment right behind its first marker.
Bytes stamp_jpeg(ByteView jpeg, std::uint32_t number) {
    constexpr std::size_t start_of_image = 2;
    constexpr unsigned comment = 0xfe;
    constexpr unsigned most_padding = 251;
    std::string text = "v4l2dma picture " + std::to_string(number) + " ";
    text.append(number % most_padding, '.');
    const auto length = static_cast<unsigned>(text.size() + 2);
    Writer stamped;
    stamped.add(jpeg.first(start_of_image)).u8({0xff, comment, length >> 8, length & 0xff});
    for (const char letter : text)
        stamped.u8({static_cast<unsigned char>(letter)});
    return stamped.add(jpeg.subspan(start_of_image)).take();
}

} // namespace

Painter::Painter(Encoding encoding, Size size) : encoding_(encoding), size_(size) {
    if (encoding_ == Encoding::mjpg)
        jpeg_ = encode_jpeg(size_);
}

Bytes Painter::paint(std::uint32_t number) const {
    return encoding_ == Encoding::yuyv ? paint_yuyv(size_, number) : stamp_jpeg(jpeg_, number);
}
