// SPDX-License-Identifier: MIT
#include "flow/stamp_verifier.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

bool StampVerifier::is_next(const FrameStamp& stamp) const noexcept {
    if (!previous_ || stamp.frame_number > previous_->frame_number)
        return true;
    return stamp.frame_number < previous_->frame_number && stamp.timestamp > previous_->timestamp;
}

Status StampVerifier::observe(const Frame& frame) {
    if (frame.metadata.no_signal)
        return {};
    if (!format_ || !(*format_ == *frame.format)) {
        format_ = *frame.format;
        previous_.reset();
        stream_ = Canvas::supports(format_->fourcc) ? Stream::begins : Stream::plain;
    }
    if (stream_ == Stream::plain)
        return {};
    const Result<FrameBytes> payload = FrameBytes::of(frame);
    if (!payload)
        return std::unexpected(payload.error());
    const std::optional<FrameStamp> stamp = read_stamp(*frame.format, payload->planes());
    if (!stamp && stream_ == Stream::begins) {
        stream_ = Stream::plain;
        return {};
    }
    stream_ = Stream::stamped;
    if (stamp && is_next(*stamp))
        ++verified_;
    else
        ++faults_;
    if (stamp)
        previous_ = stamp;
    return {};
}

Status StampVerifier::verdict(std::string_view source) const {
    if (faults_ == 0)
        return {};
    return make_error(
        ErrorKind::system, "verify", source,
        fmt::format("{} frames with a stamp that is damaged or was there before, {} with a right one",
                    faults_, verified_));
}

} // namespace v4l2dma
