// SPDX-License-Identifier: MIT
#include "control.h"

#include "client.h"
#include "find_loop.h"

#include <cerrno>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fstream>
#include <sys/ioctl.h>
#include <unistd.h>

ControlNode::ControlNode() : fd_(::open(V4L2DMA_CONTROL_NODE, O_RDWR | O_CLOEXEC)) {
    REQUIRE(fd_ >= 0);
}

ControlNode::~ControlNode() {
    ::close(fd_);
}

int ControlNode::ioctl(unsigned long request, void* argument) const {
    return ::ioctl(fd_, request, argument) < 0 ? errno : 0;
}

v4l2dma_loop_config any_loop() {
    v4l2dma_loop_config config{};
    config.video_nr = -1;
    config.capture_nr = -1;
    return config;
}

std::size_t count_loops() {
    const ControlNode control;
    v4l2dma_loop_query query{};
    std::size_t count = 0;
    for (query.flags = V4L2DMA_QUERY_NEXT; control.ioctl(V4L2DMA_IOC_QUERY, &query) == 0;
         query.id = query.info.id + 1)
        ++count;
    return count;
}

unsigned module_references() {
    unsigned count = 0;
    std::ifstream file("/sys/module/v4l2dma/refcnt");
    must(file >> count ? 0 : ENOENT, "the module's number of references");
    return count;
}

bool is_placeholder(const v4l2_buffer& buffer) {
    return (buffer.flags & V4L2_BUF_FLAG_TIMECODE) != 0 &&
           buffer.timecode.flags == V4L2_TC_USERBITS_8BITCHARS &&
           std::memcmp(buffer.timecode.userbits, V4L2DMA_NO_SIGNAL_USERBITS, 4) == 0;
}

AddedLoop::AddedLoop(const v4l2dma_loop_config& config) {
    v4l2dma_loop_add request{};
    request.config = config;
    REQUIRE(ControlNode().ioctl(V4L2DMA_IOC_ADD, &request) == 0);
    id_ = request.id;
    node_ = "/dev/video" + std::to_string(info().video_nr);
    capture_node_ = "/dev/video" + std::to_string(info().capture_nr);
}

AddedLoop::~AddedLoop() {
    if (!removed_)
        remove(V4L2DMA_REMOVE_FORCE);
}

int AddedLoop::remove(std::uint32_t flags) {
    v4l2dma_loop_remove request{.id = id_, .flags = flags};
    const int error = ControlNode().ioctl(V4L2DMA_IOC_REMOVE, &request);
    removed_ = error == 0;
    return error;
}

int AddedLoop::set(const v4l2dma_loop_config& config, std::uint32_t which) const {
    v4l2dma_loop_set request{.id = id_, .which = which, .config = config};
    return ControlNode().ioctl(V4L2DMA_IOC_SET, &request);
}

v4l2dma_loop_info AddedLoop::info() const {
    v4l2dma_loop_query query{};
    query.id = id_;
    REQUIRE(ControlNode().ioctl(V4L2DMA_IOC_QUERY, &query) == 0);
    return query.info;
}

v4l2dma_loop_stats AddedLoop::stats() const {
    v4l2dma_loop_stats stats{};
    stats.id = id_;
    REQUIRE(ControlNode().ioctl(V4L2DMA_IOC_STATS, &stats) == 0);
    return stats;
}

v4l2dma_loop_info loop_info() {
    const ControlNode control;
    const std::optional<v4l2dma_loop_info> info = find_loop(control.fd(), loop_node());
    REQUIRE(info);
    return *info;
}

v4l2dma_loop_stats loop_stats() {
    v4l2dma_loop_stats stats{};
    stats.id = loop_info().id;
    REQUIRE(ControlNode().ioctl(V4L2DMA_IOC_STATS, &stats) == 0);
    return stats;
}

v4l2dma_reader_stats reader_stats(unsigned index) {
    v4l2dma_reader_stats stats{};
    stats.loop_id = loop_info().id;
    stats.index = index;
    REQUIRE(ControlNode().ioctl(V4L2DMA_IOC_READER_STATS, &stats) == 0);
    return stats;
}
