// SPDX-License-Identifier: MIT
#pragma once

#include "flow/frame.h"

#include <cstdint>
#include <string>
#include <utility>

namespace v4l2dma {

/// Writes one frame to a PNG file, atomically.
class Snapshot final : public FrameObserver {
public:
    /// @p skip: how many good frames to let pass first.
    Snapshot(std::string path, std::uint64_t skip) : path_(std::move(path)), skip_(skip) {}

    [[nodiscard]] Status observe(const Frame& frame) override;
    [[nodiscard]] bool taken() const noexcept { return taken_; }

private:
    std::string path_;
    std::uint64_t skip_;
    bool taken_ = false;
};

} // namespace v4l2dma
