// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "flow/endpoint.h"
#include "flow/test_pattern.h"
#include "flow/v4l2_source.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace v4l2dma {

/// Generated pictures, drawn into the memory of the sink: a pattern, and each frame's number and time, to
/// read and as a stamp (flow/frame_stamp.h).
///
/// Comes at its frame rate; frames for which there is no buffer at their time are left out, and are missing
/// in the sequence; or, if that is wished (CaptureWishes::waits), come later.
class TestSource final : public Source {
public:
    /// @p name: "test:PATTERN[,WIDTHxHEIGHT][,FORMAT][,FPS]", the parts behind the pattern in any order, all
    /// of them optional (bars, 640x480, YUYV, 30). @p wishes go before what the name says. Errors (usage):
    /// what cannot be understood, or drawn.
    [[nodiscard]] static Result<std::unique_ptr<TestSource>>
    open(std::string_view name, const CaptureWishes& wishes, System& system = real_system());

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] const FrameFormat& format() const override { return format_; }
    [[nodiscard]] StreamProperties properties() const override;
    [[nodiscard]] std::vector<FrameFormat> other_formats() const override;
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status use(MemoryRole role, std::span<BufferMemory> memory) override;
    [[nodiscard]] Status start() override;
    [[nodiscard]] Result<std::optional<Frame>> take() override;
    [[nodiscard]] Status give_back(std::uint32_t index) override;
    [[nodiscard]] std::uint32_t available() const noexcept override;
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] int event_fd() const noexcept override { return timer_.get(); }

private:
    TestSource(std::string name, System& system, TestPattern pattern, TestPatternPainter painter,
               std::chrono::nanoseconds interval, UniqueFd timer)
        : name_(std::move(name)), system_(system), pattern_(pattern), painter_(std::move(painter)),
          interval_(interval), timer_(std::move(timer)) {}
    [[nodiscard]] Status set_timer(std::chrono::nanoseconds interval) noexcept;

    std::string name_;
    System& system_;
    TestPattern pattern_;
    FrameFormat format_{};
    bool format_wished_ = false;
    bool waits_ = false;
    TestPatternPainter painter_;
    std::chrono::nanoseconds interval_; ///< from frame to frame
    UniqueFd timer_;
    std::span<BufferMemory> memory_;
    std::vector<bool> out_;  ///< by index: taken and not given back
    std::uint64_t next_ = 0; ///< number of the next frame
};

} // namespace v4l2dma
