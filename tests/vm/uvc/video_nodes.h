// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"

#include <optional>
#include <string>

/// A video node that came or went.
struct NodeEvent {
    bool added = false;
    std::string device; ///< "/dev/video0"
    bool metadata = false;
};

/// Tells when the nodes of the camera come and go, by the kernel's own messages (no udev is needed).
class VideoNodes {
public:
    /// Of devices whose path has @p controller in it. Ends the program if the messages cannot be had.
    explicit VideoNodes(std::string controller);

    [[nodiscard]] int fd() const { return socket_.get(); }
    /// The next message; nothing if it was about something else.
    [[nodiscard]] std::optional<NodeEvent> receive() const;

private:
    std::string controller_;
    v4l2dma::UniqueFd socket_;
};
