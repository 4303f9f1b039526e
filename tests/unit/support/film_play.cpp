// SPDX-License-Identifier: MIT
#include "support/film_play.h"

#include <cstring>
#include <doctest/doctest.h>
#include <poll.h>

namespace v4l2dma::testing {

std::unique_ptr<MediaSource> open(const std::string& path, CaptureWishes wishes) {
    wishes.playback.unpaced = true;
    Result<std::unique_ptr<MediaSource>> source = MediaSource::open(path, wishes);
    if (!source)
        FAIL(source.error().message());
    return std::move(*source);
}

SharedMemory give_memory(MediaSource& source, std::uint32_t count) {
    Result<SharedMemory> memory = SharedMemory::plain(source.format(), count);
    REQUIRE(memory);
    REQUIRE(source.use(MemoryRole::touches, memory->buffers()));
    REQUIRE(source.start());
    return std::move(*memory);
}

std::optional<Frame> next(MediaSource& source) {
    for (int wakes = 0; wakes < 100'000; ++wakes) {
        pollfd waiting{.fd = source.event_fd(), .events = POLLIN, .revents = 0};
        REQUIRE(::poll(&waiting, 1, 10'000) == 1);
        const Result<std::optional<Frame>> frame = source.take();
        REQUIRE(frame);
        if (*frame || source.ended())
            return *frame;
    }
    FAIL("a picture is there, and no place for it");
    return std::nullopt;
}

bool has_pixels(const Frame& frame, const AVFrame& picture) {
    const Result<FrameBytes> bytes = FrameBytes::of(frame);
    REQUIRE(bytes);
    const Layout layout = *layout_of(*frame.format); // its rows are whole groups of pixels
    const auto pixel_format = static_cast<AVPixelFormat>(picture.format);
    for (std::uint32_t i = 0; i < layout.plane_count; ++i)
        for (std::uint32_t y = 0; y < layout.planes[i].rows; ++y)
            if (std::memcmp(bytes->planes()[layout.planes[i].memory_plane].data() + layout.planes[i].offset +
                                std::size_t{y} * layout.planes[i].stride,
                            picture.data[i] + static_cast<std::ptrdiff_t>(y) * picture.linesize[i],
                            static_cast<std::size_t>(av_image_get_linesize(pixel_format, picture.width,
                                                                           static_cast<int>(i)))) != 0)
                return false;
    return true;
}

} // namespace v4l2dma::testing
