// SPDX-License-Identifier: MIT
#include "v4l2/device_identity.h"

#include <cerrno>
#include <spdlog/fmt/fmt.h>
#include <vector>

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
                            .index = 0,
                            .kernel_index = device.system().video_node_index(device.number())};
    for (const Device& other : open_all_devices(device.system())) {
        if (other.number() == device.number())
            return identity;
        if (is_of(other, identity))
            ++identity.index;
    }
    return std::nullopt;
}

Result<Device> find_device(const DeviceIdentity& identity, System& system) {
    bool all_seen = true;
    std::vector<Device> nodes;
    for (const std::string& path : system.video_nodes()) {
        Result<Device> device = Device::open(path, system);
        if (device && is_of(*device, identity))
            nodes.push_back(std::move(*device));
        all_seen = all_seen && (device || (device.error().code != EACCES && device.error().code != EPERM));
    }
    if (all_seen && identity.index < nodes.size())
        return std::move(nodes[identity.index]);
    for (Device& node : nodes)
        if (!all_seen && identity.kernel_index &&
            system.video_node_index(node.number()) == identity.kernel_index)
            return std::move(node);
    return make_error(ErrorKind::device, "open", fmt::format("{} ({})", identity.card, identity.bus_info),
                      "the device is not there");
}

} // namespace v4l2dma
