// SPDX-License-Identifier: MIT
#include "usbip.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <endian.h>
#include <fcntl.h>
#include <sys/socket.h>

namespace {

// Documentation/usb/usbip_protocol.rst of the kernel: 48 bytes each way, big-endian.
enum class Operation : std::uint32_t { submit = 1, unlink = 2, submitted = 3, unlinked = 4 };
constexpr std::size_t words = 12;
constexpr std::size_t setup_word = 10;
using Header = std::array<std::uint32_t, words>;

constexpr std::size_t packet_words = 4;

std::span<std::uint8_t> bytes_of(auto& words_of_wire) {
    return {reinterpret_cast<std::uint8_t*>(words_of_wire.data()),
            words_of_wire.size() * sizeof(std::uint32_t)};
}

/// The kernel's own file of the controller takes: port, socket, device id, speed.
bool attach(unsigned port, int socket) {
    const v4l2dma::UniqueFd file(::open("/sys/devices/platform/vhci_hcd.0/attach", O_WRONLY | O_CLOEXEC));
    std::array<char, 64> line{};
    const int length =
        std::snprintf(line.data(), line.size(), "%u %d %u %u", port, socket, port + 1, USB_SPEED_HIGH);
    return file && ::write(file.get(), line.data(), static_cast<std::size_t>(length)) == length;
}

} // namespace

std::optional<Cable> Cable::plug_in() {
    constexpr unsigned ports = 8;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return std::nullopt;
    v4l2dma::UniqueFd ours(ends[0]);
    const v4l2dma::UniqueFd controllers(ends[1]); // it has its own reference once attached
    for (unsigned port = 0; port < ports; ++port)
        if (attach(port, controllers.get()))
            return Cable(std::move(ours));
    return std::nullopt;
}

bool Cable::receive_all(std::span<std::uint8_t> bytes) const {
    while (!bytes.empty()) {
        const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

// A host that is gone shows when something is received next.
void Cable::send_all(ByteView bytes) const {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            return;
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
}

std::optional<Command> Cable::receive() const {
    Header header{};
    if (!receive_all(bytes_of(header)))
        return std::nullopt;
    Command command;
    const auto word = [&](std::size_t index) { return be32toh(header[index]); };
    command.unlink = word(0) == static_cast<std::uint32_t>(Operation::unlink);
    command.sequence = word(1);
    command.in = word(3) == 1;
    command.endpoint = word(4);
    if (command.unlink) {
        command.unlinked = word(5);
        return command;
    }
    command.length = word(6);
    std::memcpy(&command.setup, &header[setup_word], sizeof command.setup);
    if (!command.in) {
        command.data.resize(command.length);
        if (!receive_all(command.data))
            return std::nullopt;
    }
    const bool isochronous = command.endpoint != 0;
    command.packets.resize(isochronous ? word(8) : 0);
    for (Packet& packet : command.packets) {
        std::array<std::uint32_t, packet_words> raw{};
        if (!receive_all(bytes_of(raw)))
            return std::nullopt;
        packet = {.offset = be32toh(raw[0]), .length = be32toh(raw[1])};
    }
    return command;
}

void Cable::complete(const Command& command, std::int32_t status, ByteView data) const {
    Header header{};
    std::uint32_t errors = 0;
    for (const Packet& packet : command.packets)
        errors += packet.status != 0 ? 1U : 0U;
    header[0] = htobe32(static_cast<std::uint32_t>(Operation::submitted));
    header[1] = htobe32(command.sequence);
    header[5] = htobe32(static_cast<std::uint32_t>(status));
    header[6] = htobe32(static_cast<std::uint32_t>(command.in ? data.size() : command.length));
    header[8] = htobe32(static_cast<std::uint32_t>(command.packets.size()));
    header[9] = htobe32(errors);
    const auto raw = bytes_of(header);
    Bytes message(raw.begin(), raw.end());
    if (command.in)
        message.insert(message.end(), data.begin(), data.end());
    for (const Packet& packet : command.packets) {
        std::array<std::uint32_t, packet_words> wire{htobe32(packet.offset), htobe32(packet.length),
                                                     htobe32(packet.actual_length),
                                                     htobe32(static_cast<std::uint32_t>(packet.status))};
        const auto more = bytes_of(wire);
        message.insert(message.end(), more.begin(), more.end());
    }
    send_all(message);
}

void Cable::unlinked(const Command& command, bool found) const {
    Header header{};
    header[0] = htobe32(static_cast<std::uint32_t>(Operation::unlinked));
    header[1] = htobe32(command.sequence);
    header[5] = htobe32(static_cast<std::uint32_t>(found ? -ECONNRESET : 0));
    send_all(bytes_of(header));
}
