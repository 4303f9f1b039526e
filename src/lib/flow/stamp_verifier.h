// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"
#include "flow/frame_stamp.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace v4l2dma {

/// Reads the stamp of every frame (flow/frame_stamp.h): one that is damaged, or that was there before, is a
/// fault. A stream whose first frame has no stamp is let pass; so are formats that cannot be read, whose
/// frames are not even mapped, and a loop's own pictures. Another format is another stream.
///
/// What it sees are the stamps alone: the rest of a picture may be altered without its notice.
class StampVerifier final : public FrameObserver {
public:
    /// Errors: those of FrameBytes::of().
    [[nodiscard]] Status observe(const Frame& frame) override;

    /// Frames whose stamp was right.
    [[nodiscard]] std::uint64_t verified() const noexcept { return verified_; }
    /// Frames whose stamp could not be read, or had a number that did not grow. A smaller number with a later
    /// time is none: another generator writes from here on.
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }
    /// An error (system) about @p source if there were faults.
    [[nodiscard]] Status verdict(std::string_view source) const;

private:
    enum class Stream { begins, stamped, plain };

    [[nodiscard]] bool is_next(const FrameStamp& stamp) const noexcept;

    Stream stream_ = Stream::begins;
    std::optional<FrameFormat> format_;
    std::optional<FrameStamp> previous_; ///< the last one that could be read, of this stream
    std::uint64_t verified_ = 0;
    std::uint64_t faults_ = 0;
};

} // namespace v4l2dma
