// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace v4l2dma {

/// Looks at every frame, shows none: counts and verifies what a consumer may rely on.
class NullSink final : public Sink {
public:
    /// What was found wrong. All zero in a good stream; missing frames are no fault, Statistics counts them.
    struct Faults {
        std::uint64_t sequence = 0;  ///< a sequence number that did not grow
        std::uint64_t timestamp = 0; ///< a timestamp before the previous frame's
        std::uint64_t size = 0;      ///< a payload shorter than the format needs, or longer than a buffer

        [[nodiscard]] std::uint64_t sum() const noexcept { return sequence + timestamp + size; }
    };

    /// @p wants_dmabufs: takes the frames as dma-bufs, otherwise as mapped memory.
    explicit NullSink(bool wants_dmabufs) : wants_dmabufs_(wants_dmabufs) {}

    [[nodiscard]] const Faults& faults() const noexcept { return faults_; }

    [[nodiscard]] std::string_view name() const override { return "null:"; }
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status prepare(MemoryRole, std::uint32_t) override { return {}; }
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override;
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override;
    [[nodiscard]] Status verdict() const override;
    [[nodiscard]] std::uint32_t in_flight() const noexcept override { return held_ ? 1 : 0; }
    void stop() noexcept override { held_.reset(); }
    void release() noexcept override { held_.reset(); }
    [[nodiscard]] EventFds event_fds() const noexcept override { return {}; }

private:
    bool wants_dmabufs_;
    std::uint64_t least_payload_ = 0; ///< bytes
    std::uint64_t most_payload_ = 0;  ///< bytes
    std::optional<std::uint32_t> held_;
    std::optional<BufferMetadata> previous_;
    Faults faults_;
};

} // namespace v4l2dma
