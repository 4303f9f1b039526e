// SPDX-License-Identifier: MIT
#include "v4l2/device_identity.h"

#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

// Two functions of one USB device differ in their card labels only.
bool is_of(const Device& device, const DeviceIdentity& identity) {
    const Capability& capability = device.capability();
    return capability.driver() == identity.driver && capability.card() == identity.card &&
           capability.bus_info() == identity.bus_info;
}

} // namespace

std::optional<DeviceIdentity> identify(const Device& device) {
    DeviceIdentity identity{.driver = device.capability().driver(),
                            .card = device.capability().card(),
                            .bus_info = device.capability().bus_info(),
                            .index = 0};
    for (const Device& other : open_all_devices(device.system())) {
        if (other.number() == device.number())
            return identity;
        if (is_of(other, identity))
            ++identity.index;
    }
    return std::nullopt;
}

Result<Device> find_device(const DeviceIdentity& identity, System& system) {
    std::size_t index = 0;
    for (Device& device : open_all_devices(system))
        if (is_of(device, identity) && index++ == identity.index)
            return std::move(device);
    return make_error(ErrorKind::device, "open", fmt::format("{} ({})", identity.card, identity.bus_info),
                      "the device is not there");
}

} // namespace v4l2dma
