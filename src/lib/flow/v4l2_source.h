// SPDX-License-Identifier: MIT
#pragma once

#include "base/folder_watch.h"
#include "flow/endpoint.h"
#include "media/playback_wishes.h"
#include "v4l2/device_identity.h"
#include "v4l2/format.h"
#include "v4l2/signal.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// What the user wants a source to deliver; what is not wished for stays as a device has it.
struct CaptureWishes {
    std::optional<std::uint32_t> width;  ///< pixels
    std::optional<std::uint32_t> height; ///< pixels
    std::optional<std::string> format;   ///< as resolve_format() takes it
    std::optional<double> fps;           ///< frames a second
    std::vector<std::string> controls{}; ///< "NAME=VALUE", as apply_controls() takes them
    bool reconnect = false;              ///< waits for a device that was unplugged
    bool waits = false;                  ///< generated pictures come later rather than not at all
    PlaybackWishes playback{};           ///< of films

    [[nodiscard]] bool any_format() const noexcept { return width || height || format; }
};

/// A camera, or a loop's capture side.
///
/// Survives what happens to its input: the signal's size and rate are followed (DV timings, analogue
/// standards), a lost signal is waited for, another writer of a loop too; and, if that is wished, an
/// unplugged device.
class V4l2Source final : public Source {
public:
    /// Takes the device over and makes it deliver what is wished. A wish that the driver would adjust is an
    /// error that lists what there is: (usage).
    [[nodiscard]] static Result<std::unique_ptr<V4l2Source>> open(Device device, const CaptureWishes& wishes);
    ~V4l2Source() override;

    [[nodiscard]] const Device& device() const noexcept { return device_; }

    [[nodiscard]] std::string_view name() const override { return device_.path(); }
    [[nodiscard]] dev_t device_number() const noexcept override { return device_.number(); }
    [[nodiscard]] const FrameFormat& format() const override { return format_; }
    /// The rate is the driver's word for it.
    [[nodiscard]] StreamProperties properties() const override;
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

    // Signals that change, devices that come back: v4l2_source_comeback.cpp
    [[nodiscard]] Result<bool> changed() override;
    [[nodiscard]] bool may_come_back(const Error& error) const override;
    [[nodiscard]] Result<bool> come_back() override;
    [[nodiscard]] FdEvent comeback_event() const noexcept override;
    [[nodiscard]] std::string awaited() const override;

private:
    V4l2Source(Device device, const CaptureWishes& wishes) : device_(std::move(device)), wishes_(wishes) {}
    Status set_up();
    Status apply_wishes();
    Status apply_format();
    Status apply_rate() const;
    Status keep_rate() const;
    Status check_wishes(const FrameFormat& granted, const FrameFormat& wanted) const;
    Status listen();
    Status remember_device();
    Result<bool> get_ready();
    Result<bool> find_again();
    Result<bool> announced();
    Result<bool> follow_input();
    [[nodiscard]] bool format_changed() const;
    Status request(Memory memory, std::uint32_t count);
    Status export_all();
    Status refresh_export(std::uint32_t index);
    Status queue(std::uint32_t index);
    Result<std::optional<Frame>> dequeue();
    Result<std::optional<Frame>> read();
    std::unexpected<Error> explain(Error error) const;
    [[nodiscard]] bool is_taken(const Error& error) const noexcept;

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

    bool ready_ = false;                     ///< set up for what comes in; false after each stream that ended
    InputSignal signal_;                     ///< at the input, when it was last looked at
    std::optional<DeviceIdentity> identity_; ///< of a device that is waited for when it is unplugged
    std::optional<FolderWatch> watch_;       ///< of the folder where it would come back
    bool plugged_again_ = false;             ///< and no frame came since
    bool taken_ = false;                     ///< by another program, when it was last looked at
};

} // namespace v4l2dma
