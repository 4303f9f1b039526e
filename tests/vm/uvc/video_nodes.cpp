// SPDX-License-Identifier: MIT
#include "video_nodes.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/videodev2.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace {

/// The value of KEY= among a message's NUL-terminated strings.
std::string_view value(std::string_view message, std::string_view key) {
    while (!message.empty()) {
        const std::string_view entry = message.substr(0, message.find('\0'));
        if (entry.starts_with(key))
            return entry.substr(key.size());
        message.remove_prefix(std::min(entry.size() + 1, message.size()));
    }
    return {};
}

bool gives_metadata(const std::string& device) {
    const v4l2dma::UniqueFd node(::open(device.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    v4l2_capability capability{};
    return node && ::ioctl(node.get(), VIDIOC_QUERYCAP, &capability) == 0 &&
           (capability.device_caps & V4L2_CAP_META_CAPTURE) != 0;
}

} // namespace

VideoNodes::VideoNodes(std::string controller)
    : controller_(std::move(controller)),
      socket_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT)) {
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1; // the kernel's, not udev's
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        std::perror("v4l2dma_uvc_camera: uevents");
        std::exit(1);
    }
}

std::optional<NodeEvent> VideoNodes::receive() const {
    std::array<char, 8192> buffer{};
    const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0)
        return std::nullopt;
    const std::string_view message(buffer.data(), static_cast<std::size_t>(count));
    const std::string_view action = value(message, "ACTION=");
    if (value(message, "SUBSYSTEM=") != "video4linux" || (action != "add" && action != "remove") ||
        value(message, "DEVPATH=").find(controller_) == std::string_view::npos)
        return std::nullopt;
    NodeEvent event;
    event.added = action == "add";
    event.device = "/dev/" + std::string(value(message, "DEVNAME="));
    event.metadata = event.added && gives_metadata(event.device);
    return event;
}
