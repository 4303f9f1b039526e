// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "flow/output_format.h"
#include "flow/shared_memory.h"

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

namespace v4l2dma {

/// A video output, or a loop's writer side.
///
/// Frames that it does not take as they are, or that the user wants in another format or size, are converted
/// straight into its mapped buffers, or into memory from which they are written.
///
/// Streams from its first frame on, not earlier: what refuses a dma-buf refuses it in QBUF, and a loop that
/// announces its writer would do so for a path that is given up again.
class V4l2Sink final : public Sink {
public:
    /// Takes the device over. Errors: those of Device::require(); (usage) an unknown format, fixed bindings
    /// of what is no loop.
    [[nodiscard]] static Result<std::unique_ptr<V4l2Sink>> open(Device device,
                                                                const OutputWishes& wishes = {});
    ~V4l2Sink() override;

    [[nodiscard]] const Device& device() const noexcept { return device_; }

    [[nodiscard]] std::string_view name() const override { return device_.path(); }
    [[nodiscard]] dev_t device_number() const noexcept override { return device_.number(); }
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] unsigned copies(MemoryRole role) const override;
    [[nodiscard]] bool takes(const FrameFormat& format) const override;
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] const Conversion* conversion() const noexcept override {
        return output_.conversion ? &*output_.conversion : nullptr;
    }
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status prepare(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] bool keeps_all() const noexcept override { return true; }
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override;
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override;
    [[nodiscard]] std::uint32_t in_flight() const noexcept override { return in_flight_; }
    /// A loop tells of its readers.
    [[nodiscard]] Result<bool> watch_demand() override;
    [[nodiscard]] Result<bool> is_wanted() override;
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] EventFds event_fds() const noexcept override { return {device_.fd()}; }

private:
    struct Slot {
        bool queued = false;
        std::uint32_t frame = 0; ///< index of the source's buffer in it
    };

    /// A frame in our own memory that waits for write() to have room.
    struct Staged {
        std::uint32_t index = 0; ///< of the source's buffer
        std::uint32_t sequence = 0;
        std::chrono::microseconds timestamp{}; ///< some drivers count no frames
        std::uint64_t copied_bytes = 0;

        [[nodiscard]] bool is(const Frame& frame) const noexcept {
            return index == frame.index && sequence == frame.metadata.sequence &&
                   timestamp == frame.metadata.timestamp;
        }
    };

    V4l2Sink(Device device, const OutputWish& wish) : device_(std::move(device)), wish_(wish) {}
    Status request(Memory memory, std::uint32_t count);
    Status export_all();
    Status fix_bindings(std::uint32_t count);
    [[nodiscard]] Status allocate_staging();
    [[nodiscard]] bool works_in_own_slots() const noexcept { return provides_memory(role_); }
    [[nodiscard]] bool binds(MemoryRole role) const noexcept {
        return role == MemoryRole::imports && wish_.fixed_bindings;
    }
    [[nodiscard]] std::optional<std::uint32_t> free_slot(const Frame& frame) const noexcept;
    [[nodiscard]] Result<PutResult> queue_as_it_is(std::uint32_t slot, const Frame& frame);
    [[nodiscard]] Result<PutResult> queue_copy(std::uint32_t slot, const Frame& frame);
    [[nodiscard]] PutResult convert(const Frame& frame, ConstPlanes from, Planes to);
    [[nodiscard]] BufferMetadata converted(BufferMetadata metadata) const noexcept;
    [[nodiscard]] Result<PutResult> write(const Frame& frame);
    [[nodiscard]] Result<PutResult> write_converted(const Frame& frame);
    [[nodiscard]] Result<PutResult> write_bytes(std::span<const std::byte> bytes);
    std::unexpected<Error> explain(Error error) const;

    Device device_;
    OutputWish wish_;
    OutputFormat output_;
    Layout layout_;                       ///< of output_.format, where there is a copier
    std::optional<SharedMemory> staging_; ///< of write(): the converted frame
    std::optional<Staged> staged_;        ///< what is in it, and not written yet
    bool bad_said_ = false;
    MemoryRole role_ = MemoryRole::copies;
    std::optional<Queue> queue_;
    bool writing_ = false; ///< write() was called: the device streams until it is closed
    std::vector<std::vector<DmabufBuffer>> exported_; ///< by slot, then plane
    std::vector<BufferMemory> own_;                   ///< by slot; of provide()
    std::vector<Slot> slots_;
    std::uint32_t in_flight_ = 0;
    bool just_put_ = false; ///< no reclaim() since the last put() that took a frame
    bool demand_watched_ = false;
    std::uint32_t readers_ = 0; ///< as the loop said last
};

} // namespace v4l2dma
