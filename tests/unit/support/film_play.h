// SPDX-License-Identifier: MIT
#pragma once

#include "flow/media_source.h"
#include "flow/shared_memory.h"

#include <memory>
#include <optional>
#include <string>

namespace v4l2dma::testing {

/// A film as a source, as fast as frames are taken.
[[nodiscard]] std::unique_ptr<MediaSource> open(const std::string& path, CaptureWishes wishes = {});

/// Begins the film, in so many buffers of ordinary memory.
[[nodiscard]] SharedMemory give_memory(MediaSource& source, std::uint32_t count);

/// Waits for the source's next frame as the pump does; empty at the end.
[[nodiscard]] std::optional<Frame> next(MediaSource& source);

/// Whether a frame of a format in one piece has these pixels.
[[nodiscard]] bool has_pixels(const Frame& frame, const AVFrame& picture);

} // namespace v4l2dma::testing
