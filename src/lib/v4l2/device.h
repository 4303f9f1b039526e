// SPDX-License-Identifier: MIT
#pragma once

#include "base/system.h"
#include "base/unique_fd.h"
#include "v4l2/capability.h"

#include "base/error.h"

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace v4l2dma {

/// An open V4L2 node.
///
/// Owns the file descriptor; queues on it borrow the Device and must go first. One thread at a time.
/// Logs nothing: errors name the operation and the node, the caller knows what they mean.
class Device {
public:
    /// Opens by path ("/dev/video0"), by number ("0"), by card label ("Front door") or by bus info
    /// ("usb-0000:00:14.0-1"), both exactly as QUERYCAP has them: the first node in order of number that has
    /// this label, or else this bus info. Non-blocking, close-on-exec.
    /// Errors (device): no such node (with what is near), no permission, not a V4L2 device.
    [[nodiscard]] static Result<Device> open(std::string_view name, System& system = real_system());

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const Capability& capability() const noexcept { return capability_; }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] System& system() const noexcept { return *system_; }
    /// Device number: the same for every handle of one node.
    [[nodiscard]] dev_t number() const noexcept { return number_; }

    /// enum v4l2_buf_type of a side, by the API that it has.
    [[nodiscard]] std::uint32_t raw_type(BufferType type) const noexcept {
        return raw(type, capability_.plane_api(type));
    }

    /// QUERYCAP again: a loop with exclusive_caps announces other sides once its writer streams.
    [[nodiscard]] Status refresh_capability();

    /// The bare ioctl: >= 0, or -errno. For calls whose failure is an answer (enumeration, EAGAIN).
    int try_ioctl(unsigned long request, void* argument) const {
        return system_->ioctl(fd_.get(), request, argument);
    }
    /// The ioctl with an Error that names @p name and the node, for everything else.
    [[nodiscard]] Status ioctl(unsigned long request, void* argument, std::string_view name) const;

    /// The bytes that read() or write() moved, or -errno; -EAGAIN without waiting.
    [[nodiscard]] ssize_t try_read(std::span<std::byte> bytes) const {
        return system_->read(fd_.get(), bytes);
    }
    [[nodiscard]] ssize_t try_write(std::span<const std::byte> bytes) const {
        return system_->write(fd_.get(), bytes);
    }
    /// Lets go of the node; only path() and capability() are of use then.
    void close() noexcept { fd_.reset(); }
    /// A new open file of the same node in place of the old one: the only way to end read() and write(),
    /// which keep the queue until the file is closed. fd() changes.
    [[nodiscard]] Status reopen();

    /// Fails (device) unless this side is there, and moves frames.
    [[nodiscard]] Status require(BufferType type) const;

private:
    Device(System& system, UniqueFd fd, std::string path) noexcept
        : system_(&system), fd_(std::move(fd)), path_(std::move(path)) {}
    static Result<Device> open_path(const std::string& path, System& system);
    static Result<Device> open_by_capability(std::string_view name, System& system);

    System* system_;
    UniqueFd fd_;
    std::string path_;
    Capability capability_;
    dev_t number_ = 0;
};

/// Every video node that can be opened now, in order of number.
[[nodiscard]] std::vector<Device> open_all_devices(System& system = real_system());

} // namespace v4l2dma
