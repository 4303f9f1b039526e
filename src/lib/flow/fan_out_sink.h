// SPDX-License-Identifier: MIT
#pragma once

#include "flow/fan_out_plan.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace v4l2dma {

/// Several outputs as one sink: each gets every frame, in the same memory where it can, and the source gets a
/// frame back when the last of them is done with it.
///
/// On a path, where the sink plays one role, each output plays the role that copies least of those that fit
/// where the frames lie: in dma-bufs (exports, imports), at addresses (lends, borrows), or wherever the CPU
/// can read them (copies, touches). At least one plays the path's role; with exports and lends exactly one
/// does, the first that can, and the others work in its memory. An output that refuses, at the latest its
/// first frame, plays its next role, without the others noticing. The path is refused when nobody plays its
/// role any more, when no output is left, or when what the user asked for leaves an output no role.
///
/// An output without room misses that frame, alone. So does one that keeps so many buffers that the source
/// would run out: see may_keep_more(). An output that fails while others run is given up with a warning, also
/// between two streams; verdict() has its error.
class FanOutSink final : public Sink {
public:
    static constexpr std::size_t most_outputs = EventFds::capacity;

    /// @p outputs: 1 to most_outputs, in the user's order.
    FanOutSink(std::vector<std::unique_ptr<Sink>> outputs, const FanOutWishes& wishes);
    ~FanOutSink() override { release_outputs(); }

    [[nodiscard]] std::string_view name() const override { return name_; }
    [[nodiscard]] std::string why_not(MemoryRole role) const override { return plan(role).obstacle; }
    /// Of all outputs, if none of them refuses its best role.
    [[nodiscard]] unsigned copies(MemoryRole role) const override { return plan(role).copies; }
    void set_properties(const StreamProperties& properties) override;
    [[nodiscard]] bool takes(const FrameFormat& format) const override;
    /// What one of them refuses, all do, but for another stream: that goes on without it. Each may convert on
    /// its own.
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    /// Of the first output that converts.
    [[nodiscard]] const Conversion* conversion() const noexcept override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status prepare(MemoryRole role, std::uint32_t count) override;
    void leave_to_source(std::uint32_t count) noexcept override;
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override;
    /// Asks each output once, and goes on only while that brings no frame and one of them still answers.
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override;
    [[nodiscard]] std::uint32_t in_flight() const noexcept override;
    [[nodiscard]] std::uint64_t headway() const noexcept override;
    /// When none wants another frame.
    [[nodiscard]] bool satisfied() const noexcept override;
    /// As long as the slowest output.
    [[nodiscard]] std::chrono::microseconds finish(Ending ending) noexcept override;
    /// Only if all of them know.
    [[nodiscard]] Result<bool> watch_demand() override;
    /// By one of them at least.
    [[nodiscard]] Result<bool> is_wanted() override;
    /// Of the first output with something wrong.
    [[nodiscard]] Status verdict() const override;
    [[nodiscard]] std::vector<SinkPart> parts() const override;
    void stop() noexcept override;
    void release() noexcept override { release_outputs(); }
    [[nodiscard]] EventFds event_fds() const noexcept override;

private:
    using Holders = std::uint16_t; ///< a bit for each output

    struct Output {
        std::unique_ptr<Sink> sink;
        std::vector<MemoryRole> roles{}; ///< on this path, best first
        std::size_t next = 0;            ///< of roles, the one to try next
        std::optional<MemoryRole> role{};
        bool proven = false; ///< a frame went through in this role
        bool drained = false;
        bool unset = false;             ///< it refused this stream's format, after others ran
        Error refusal{};                ///< of the last role that it does not play
        std::optional<Error> failure{}; ///< it is given up
        std::uint32_t kept = 0;         ///< frames that it has not given back
        std::uint64_t frames = 0;
        std::uint64_t dropped = 0;
        std::uint64_t corrupt = 0;
        std::uint64_t copied_bytes = 0;
        std::uint64_t frames_before = 0;                   ///< this path
        std::uint64_t copied_bytes_before = 0;             ///< likewise
        std::optional<std::uint64_t> first_copied_bytes{}; ///< for the first frame on this path

        /// Its device is, or this stream is none for it; another path does not change that.
        [[nodiscard]] bool gone() const noexcept {
            return failure && (unset || failure->kind == ErrorKind::device);
        }
        [[nodiscard]] bool wants() const noexcept { return !failure && !sink->satisfied(); }
    };
    /// What became of one frame.
    struct Round {
        Holders takers = 0;
        Holders spoilt = 0;    ///< those who took it and could not convert it
        Holders holders = 0;   ///< those that keep it
        bool left_out = false; ///< by one that is behind
        std::uint64_t copied_bytes = 0;
    };
    [[nodiscard]] FanOutPlan plan(MemoryRole role) const;
    void begin(MemoryRole role, std::uint32_t count);
    [[nodiscard]] Result<std::span<BufferMemory>> find_provider(std::uint32_t count);
    [[nodiscard]] Status prepare_others();
    [[nodiscard]] Status play_next_role(Output& output);
    [[nodiscard]] Status get_ready(Sink& output, MemoryRole role) const;
    void note_refusal(Output& output, MemoryRole role, const Error& why);
    [[nodiscard]] Status offer(Output& output, const Frame& frame, Round& round);
    [[nodiscard]] Status reclaim_from(Output& output);
    [[nodiscard]] Status drain(Output& output);
    [[nodiscard]] Result<PutResult> put_to(Output& output, const Frame& frame);
    [[nodiscard]] Status on_refused(Output& output, const Error& why);
    [[nodiscard]] Status lose(Output& output, const Error& why);
    void release_outputs() noexcept;
    void gave_back(Output& output, std::uint32_t index);
    [[nodiscard]] Holders bit(const Output& output) const noexcept;
    [[nodiscard]] Holders& holders_of(std::uint32_t index);
    [[nodiscard]] bool is_played(MemoryRole role) const noexcept;
    [[nodiscard]] bool may_keep_more(const Output& output) const noexcept;

    std::vector<Output> outputs_;
    FanOutWishes wishes_;
    std::string name_;
    MemoryRole role_ = MemoryRole::copies; ///< of the path
    std::optional<std::size_t> provider_;
    std::uint32_t buffers_ = 0;       ///< that frames travel in
    std::uint32_t sources_ = 0;       ///< of them, the source's own
    bool running_ = false;            ///< a frame went through
    bool has_run_ = false;            ///< likewise, in any stream
    Error refusal_;                   ///< why an output does not play role_
    std::vector<Holders> holders_;    ///< who has the frame, by its index
    std::vector<std::uint32_t> free_; ///< frames that everybody is done with, oldest first
};

} // namespace v4l2dma
