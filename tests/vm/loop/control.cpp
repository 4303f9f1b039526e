// SPDX-License-Identifier: MIT
#include "control.h"

#include "client.h"
#include "find_loop.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

/// Opened for each question, as a program would that asks now and then.
class ControlNode {
public:
    ControlNode() : fd_(::open(V4L2DMA_CONTROL_NODE, O_RDWR | O_CLOEXEC)) { REQUIRE(fd_ >= 0); }
    ~ControlNode() { ::close(fd_); }
    ControlNode(const ControlNode&) = delete;
    ControlNode& operator=(const ControlNode&) = delete;
    [[nodiscard]] int fd() const { return fd_; }
    void ask(unsigned long request, void* argument) const { REQUIRE(::ioctl(fd_, request, argument) == 0); }

private:
    int fd_;
};

} // namespace

v4l2dma_loop_info loop_info() {
    const ControlNode control;
    const std::optional<v4l2dma_loop_info> info = find_loop(control.fd(), loop_node());
    REQUIRE(info);
    return *info;
}

v4l2dma_loop_stats loop_stats() {
    v4l2dma_loop_stats stats{};
    stats.id = loop_info().id;
    ControlNode().ask(V4L2DMA_IOC_STATS, &stats);
    return stats;
}

v4l2dma_reader_stats reader_stats(unsigned index) {
    v4l2dma_reader_stats stats{};
    stats.loop_id = loop_info().id;
    stats.index = index;
    ControlNode().ask(V4L2DMA_IOC_READER_STATS, &stats);
    return stats;
}
