// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cmath>
#include <optional>

namespace v4l2dma {

/// Where a stream is cut into pieces of one length, counted from its beginning: a piece that is longer, for
/// want of a key frame, makes the next one shorter.
class Cuts {
public:
    /// @p seconds: empty, it is never cut.
    explicit Cuts(std::optional<double> seconds)
        : length_(std::llround(seconds.value_or(0) * 1e6)), next_(length_) {}

    /// Whether @p time is the first one in another piece.
    [[nodiscard]] bool due(std::chrono::microseconds time) noexcept {
        if (length_.count() == 0 || time < next_)
            return false;
        next_ = (time / length_ + 1) * length_;
        return true;
    }

private:
    std::chrono::microseconds length_; ///< 0: never
    std::chrono::microseconds next_;
};

} // namespace v4l2dma
