// SPDX-License-Identifier: MIT
#include "v4l2/device.h"

#include "base/suggest.h"

#include <algorithm>
#include <cctype>
#include <fcntl.h>
#include <span>
#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// An open() that failed is about the device, whatever the errno; the remedy depends on it.
std::unexpected<Error> open_error(const std::string& path, int code) {
    Error error = system_error("open", path, code).error();
    error.kind = ErrorKind::device;
    if (code == ENOENT || code == ENODEV || code == ENXIO)
        error.remedy = "`v4l2dma inspect` lists the devices there are";
    else if (code == EACCES || code == EPERM)
        error.remedy =
            "Run as a member of the device's group (usually video; a loop may have allowed_gid set) "
            "or as root";
    else if (code == EBUSY)
        error.detail = "another program has it open";
    return std::unexpected(std::move(error));
}

// For a name that no device has: those that were meant perhaps, or else all labels.
std::string what_there_is(std::span<const Device> devices, std::string_view name) {
    constexpr std::size_t most = 3;
    const auto add_new = [](std::vector<std::string>& texts,
                            std::string text) { // a device's nodes share them
        if (std::ranges::count(texts, text) == 0)
            texts.push_back(std::move(text));
    };
    std::vector<std::string> labels;
    std::vector<std::string> places;
    for (const Device& device : devices) {
        add_new(labels, device.capability().card());
        add_new(places, device.capability().bus_info());
    }
    std::vector<std::string_view> known(labels.begin(), labels.end());
    known.insert(known.end(), places.begin(), places.end());
    if (const auto near = near_matches(name, known, most); !near.empty())
        return fmt::format("Did you mean {}?", fmt::join(near, " or "));
    return labels.empty() ? "" : fmt::format("There are: {}", fmt::join(labels, ", "));
}

} // namespace

Result<Device> Device::open(std::string_view name, System& system) {
    if (name.empty())
        return make_error(ErrorKind::usage, "device", "", "its name is empty");
    if (is_number(name))
        return open_path("/dev/video" + std::string(name), system);
    if (name.find('/') != std::string_view::npos)
        return open_path(std::string(name), system);
    return open_by_capability(name, system);
}

Result<Device> Device::open_path(const std::string& path, System& system) {
    const int fd = system.open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return open_error(path, -fd);
    Device device(system, UniqueFd(fd), path);
    struct stat status {};
    if (const int result = system.fstat(fd, status); result < 0)
        return system_error("fstat", path, -result);
    device.number_ = status.st_rdev;
    if (Status status_of_query = device.refresh_capability(); !status_of_query)
        return std::unexpected(std::move(status_of_query.error()));
    return device;
}

Result<Device> Device::open_by_capability(std::string_view name, System& system) {
    std::vector<Device> devices = open_all_devices(system);
    for (Device& device : devices)
        if (device.capability().card() == name)
            return std::move(device);
    for (Device& device : devices)
        if (device.capability().bus_info() == name)
            return std::move(device);
    return make_error(ErrorKind::device, "open", name, "no video device has this card label or bus info",
                      what_there_is(devices, name));
}

Status Device::refresh_capability() {
    v4l2_capability raw_capability{};
    const int result = try_ioctl(VIDIOC_QUERYCAP, &raw_capability);
    if (result == -ENOTTY || result == -EINVAL)
        return make_error(ErrorKind::device, "open", path_, "it is not a V4L2 device");
    if (result < 0)
        return system_error("QUERYCAP", path_, -result);
    capability_ = Capability(raw_capability);
    return {};
}

Status Device::ioctl(unsigned long request, void* argument, std::string_view name) const {
    const int result = try_ioctl(request, argument);
    if (result < 0)
        return system_error(name, path_, -result);
    return {};
}

Status Device::require(BufferType type) const {
    const Capability& caps = capability_;
    const BufferType other = type == BufferType::capture ? BufferType::output : BufferType::capture;
    if (caps.is_memory_to_memory())
        return make_error(
            ErrorKind::device, "open", path_,
            "it is a memory-to-memory device (a codec or scaler), neither a camera nor an output");
    if (!caps.is(type) && !caps.is(other) && caps.is_metadata())
        return make_error(
            ErrorKind::device, "open", path_,
            fmt::format("it carries metadata and no pictures ({})", caps.card()),
            "The pictures are at another node of that device; `v4l2dma inspect` lists them all");
    if (!caps.is(type))
        return make_error(ErrorKind::device, "open", path_,
                          caps.is(other)
                              ? fmt::format("it is not a device for {} but for {} ({})", to_text(type),
                                            to_text(other), caps.card())
                              : fmt::format("it is not a device for {} ({})", to_text(type), caps.card()),
                          caps.is_loop() && type == BufferType::capture
                              ? "A loop with exclusive_caps becomes a capture device when its writer streams"
                              : "");
    if (!caps.can_stream() && !caps.can_read_write())
        return make_error(ErrorKind::device, "open", path_,
                          "it offers no way to move frames: neither streaming nor read and write");
    return {};
}

Status Device::reopen() {
    fd_.reset(); // first: a reader or writer of this node may be the only one that is let in
    Result<Device> again = open_path(path_, *system_);
    if (!again)
        return std::unexpected(std::move(again.error()));
    if (again->number_ != number_)
        return make_error(ErrorKind::device, "open", path_, "it is another device now");
    *this = std::move(*again);
    return {};
}

std::vector<Device> open_all_devices(System& system) {
    std::vector<Device> devices;
    for (const std::string& path : system.video_nodes())
        if (Result<Device> device = Device::open(path, system))
            devices.push_back(std::move(*device));
    return devices;
}

} // namespace v4l2dma
