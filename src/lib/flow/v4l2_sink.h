// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "v4l2/format.h"

#include <memory>
#include <optional>
#include <vector>

namespace v4l2dma {

/// A video output, or a loop's writer side.
///
/// Streams from its first frame on, not earlier: what refuses a dma-buf refuses it in QBUF, and a loop that
/// announces its writer would do so for a path that is given up again.
class V4l2Sink final : public Sink {
public:
    /// Takes the device over.
    [[nodiscard]] static Result<std::unique_ptr<V4l2Sink>> open(Device device);
    ~V4l2Sink() override;

    [[nodiscard]] const Device& device() const noexcept { return device_; }

    [[nodiscard]] std::string_view name() const override { return device_.path(); }
    [[nodiscard]] dev_t device_number() const noexcept override { return device_.number(); }
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] unsigned copies(MemoryRole role) const override;
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status prepare(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override;
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override;
    [[nodiscard]] std::uint32_t in_flight() const noexcept override { return in_flight_; }
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] EventFds event_fds() const noexcept override { return {device_.fd()}; }

private:
    struct Slot {
        bool queued = false;
        std::uint32_t frame = 0; ///< index of the source's buffer in it
    };

    explicit V4l2Sink(Device device) : device_(std::move(device)) {}
    Status request(Memory memory, std::uint32_t count);
    Status export_all();
    [[nodiscard]] bool works_in_own_slots() const noexcept {
        return role_ == MemoryRole::exports || role_ == MemoryRole::lends;
    }
    [[nodiscard]] std::optional<std::uint32_t> free_slot(const Frame& frame) const noexcept;
    Result<std::uint64_t> queue_frame(std::uint32_t slot, const Frame& frame);
    Result<BufferMetadata> copy_in(std::uint32_t slot, const Frame& frame);
    Result<PutResult> write(const Frame& frame);
    std::unexpected<Error> explain(Error error) const;

    Device device_;
    FrameFormat format_;
    MemoryRole role_ = MemoryRole::copies;
    std::optional<Queue> queue_;
    bool writing_ = false; ///< write() was called: the device streams until it is closed
    std::vector<std::vector<DmabufBuffer>> exported_; ///< by slot, then plane
    std::vector<BufferMemory> own_;                   ///< by slot; of provide()
    std::vector<Slot> slots_;
    std::uint32_t in_flight_ = 0;
};

} // namespace v4l2dma
