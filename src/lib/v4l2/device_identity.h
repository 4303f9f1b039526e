// SPDX-License-Identifier: MIT
#pragma once

#include "v4l2/device.h"

#include <cstddef>
#include <optional>
#include <string>

namespace v4l2dma {

/// What stays of a device when it is unplugged and plugged in again at the same place, while the number of
/// its node may change.
struct DeviceIdentity {
    std::string driver;
    std::string card;
    std::string bus_info; ///< the place: the port of a USB camera
    /// Which of the nodes there: a camera has one for pictures and one for metadata, in order of number.
    std::size_t index = 0;
    std::optional<unsigned> kernel_index{}; ///< likewise, but among all of them: System::video_node_index()

    bool operator==(const DeviceIdentity&) const = default;
};

/// Counts the nodes that can be opened now. Empty if the device is gone already.
[[nodiscard]] std::optional<DeviceIdentity> identify(const Device& device);

/// The node that is this device now, opened. Where some nodes may not be opened, as long as udev gives out
/// the rights, the kernel's count tells which it is. Error (device): it is not there; its nodes may still
/// come.
[[nodiscard]] Result<Device> find_device(const DeviceIdentity& identity, System& system = real_system());

} // namespace v4l2dma
