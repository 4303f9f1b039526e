// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"
#include "bytes.h"

#include <linux/usb/ch9.h>
#include <optional>
#include <string>

/// One packet of an isochronous transfer, as it is on the wire (in host byte order here).
struct Packet {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t actual_length = 0;
    std::int32_t status = 0;
};

/// What the host wants: a transfer, or one back that it asked for before.
struct Command {
    bool unlink = false;
    std::uint32_t sequence = 0;
    std::uint32_t unlinked = 0; ///< sequence of the transfer that the host wants back
    bool in = false;
    unsigned endpoint = 0;
    std::uint32_t length = 0; ///< at most, towards the host
    usb_ctrlrequest setup{};
    Bytes data; ///< to the camera
    std::vector<Packet> packets;
};

/// The cable between a device in this program and the guest's virtual host controller (vhci_hcd): the
/// protocol of USB/IP over a socket pair, whose other end the controller gets. Closed, it is pulled out.
class Cable {
public:
    /// Plugs a high-speed device into the first free port; nothing if there is none.
    [[nodiscard]] static std::optional<Cable> plug_in();

    [[nodiscard]] int fd() const { return socket_.get(); }
    /// The bus's name of the controller's ports, in the paths of devices behind it.
    [[nodiscard]] static std::string controller() { return "/vhci_hcd."; }
    /// The next command; nothing when the host has let go of the cable.
    [[nodiscard]] std::optional<Command> receive() const;
    /// Ends a transfer: @p data is what goes to the host, that of the packets without gaps.
    void complete(const Command& command, std::int32_t status, ByteView data) const;
    /// Answers an unlink; @p found: the transfer was still waiting.
    void unlinked(const Command& command, bool found) const;
    void pull_out() { socket_.reset(); }

private:
    explicit Cable(v4l2dma::UniqueFd socket) : socket_(std::move(socket)) {}
    [[nodiscard]] bool receive_all(std::span<std::uint8_t> bytes) const;
    void send_all(ByteView bytes) const;

    v4l2dma::UniqueFd socket_;
};
