// SPDX-License-Identifier: MIT
#pragma once

#include "flow/endpoint.h"
#include "v4l2/format.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// What the user wants a capture device to deliver; what is not wished for stays as the device has it.
struct CaptureWishes {
    std::optional<std::uint32_t> width;  ///< pixels
    std::optional<std::uint32_t> height; ///< pixels
    std::optional<std::string> format;   ///< as resolve_format() takes it
    std::optional<double> fps;           ///< frames a second
    std::vector<std::string> controls{}; ///< "NAME=VALUE", as apply_controls() takes them

    [[nodiscard]] bool any_format() const noexcept { return width || height || format; }
};

/// A camera, or a loop's capture side.
class V4l2Source final : public Source {
public:
    /// Takes the device over and makes it deliver what is wished. A wish that the driver would adjust is an
    /// error that lists what there is: (usage).
    [[nodiscard]] static Result<std::unique_ptr<V4l2Source>> open(Device device, const CaptureWishes& wishes);
    ~V4l2Source() override;

    [[nodiscard]] const Device& device() const noexcept { return device_; }
    /// The device delivers another format than format() says: a loop got another writer. Open it anew.
    [[nodiscard]] bool format_changed() const;

    [[nodiscard]] std::string_view name() const override { return device_.path(); }
    [[nodiscard]] dev_t device_number() const noexcept override { return device_.number(); }
    [[nodiscard]] const FrameFormat& format() const override { return format_; }
    /// None of a loop: its writer chooses.
    [[nodiscard]] std::vector<FrameFormat> other_formats() const override;
    /// Also fails (usage) where the camera would be slower than it was, if no frame rate was wished for.
    [[nodiscard]] Status set_format(const FrameFormat& format) override;
    [[nodiscard]] std::string why_not(MemoryRole role) const override;
    [[nodiscard]] unsigned copies(MemoryRole role) const override;
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t count) override;
    [[nodiscard]] Status use(MemoryRole role, std::span<BufferMemory> memory) override;
    [[nodiscard]] Status start() override;
    [[nodiscard]] Result<std::optional<Frame>> take() override;
    [[nodiscard]] Status give_back(std::uint32_t index) override;
    [[nodiscard]] std::uint32_t available() const noexcept override;
    void stop() noexcept override;
    void release() noexcept override;
    [[nodiscard]] int event_fd() const noexcept override { return device_.fd(); }

private:
    V4l2Source(Device device, const CaptureWishes& wishes) : device_(std::move(device)), wishes_(wishes) {}
    Status apply();
    Status apply_format();
    Status apply_rate() const;
    Status keep_rate() const;
    Status check_wishes(const FrameFormat& granted, const FrameFormat& wanted) const;
    Status request(Memory memory, std::uint32_t count);
    Status export_all();
    Status refresh_export(std::uint32_t index);
    Status queue(std::uint32_t index);
    Result<std::optional<Frame>> dequeue();
    Result<std::optional<Frame>> read();
    std::unexpected<Error> explain(Error error) const;

    Device device_;
    CaptureWishes wishes_;
    std::optional<double> first_rate_; ///< before the first set_format(); frames a second
    FrameFormat format_;
    MemoryRole role_ = MemoryRole::lends;
    std::optional<Queue> queue_;
    bool late_export_ = false;    ///< a loop: each frame comes in the dma-buf its writer queued
    bool reading_ = false;        ///< read() was called: the device streams until it is closed
    std::uint32_t next_read_ = 0; ///< sequence number of the next read()
    std::vector<std::vector<DmabufBuffer>> exported_; ///< by index, then plane
    std::vector<BufferMemory> own_;                   ///< by index; of provide()
    std::span<BufferMemory> memory_;                  ///< by index; ours, or what use() was given
    std::vector<bool> out_;                           ///< by index: taken and not given back
};

} // namespace v4l2dma
