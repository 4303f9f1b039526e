// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <linux/videodev2.h>
#include <string>
#include <uapi/v4l2dma.h>

/// The counters and the state of the loop under test, from /dev/v4l2dma.
v4l2dma_loop_stats loop_stats();
v4l2dma_loop_info loop_info();
/// The index-th reader now.
v4l2dma_reader_stats reader_stats(unsigned index);

/// /dev/v4l2dma, opened for as long as this lives. A call returns 0 or the errno.
class ControlNode {
public:
    ControlNode();
    ~ControlNode();
    ControlNode(const ControlNode&) = delete;
    ControlNode& operator=(const ControlNode&) = delete;
    [[nodiscard]] int fd() const { return fd_; }
    int ioctl(unsigned long request, void* argument) const;

private:
    int fd_;
};

/// What the module makes of nothing but zeroes: its defaults, and any node.
v4l2dma_loop_config any_loop();

/// How many loops there are.
std::size_t count_loops();
/// What keeps the module from being unloaded: open nodes, and memory of it that is in use.
unsigned module_references();
/// A picture of the loop's own.
bool is_placeholder(const v4l2_buffer& buffer);

/// A loop of the test's own; removed, by force, with this.
class AddedLoop {
public:
    explicit AddedLoop(const v4l2dma_loop_config& config = any_loop());
    ~AddedLoop();
    AddedLoop(const AddedLoop&) = delete;
    AddedLoop& operator=(const AddedLoop&) = delete;

    /// Errors: the errno.
    int remove(std::uint32_t flags = 0);
    int set(const v4l2dma_loop_config& config, std::uint32_t which) const;
    [[nodiscard]] v4l2dma_loop_info info() const;
    [[nodiscard]] v4l2dma_loop_stats stats() const;
    /// The node, or with split nodes the writer's; the one that readers use.
    [[nodiscard]] std::string node() const { return node_; }
    [[nodiscard]] std::string capture_node() const { return capture_node_; }

private:
    std::uint32_t id_ = 0;
    bool removed_ = false;
    std::string node_;
    std::string capture_node_;
};

/// How far the counters moved since it was made.
class Counting {
public:
    Counting() : start_(loop_stats()) {}
    [[nodiscard]] auto copies() const { return loop_stats().copies - start_.copies; }
    [[nodiscard]] auto copied_bytes() const { return loop_stats().copied_bytes - start_.copied_bytes; }
    [[nodiscard]] auto frames() const { return loop_stats().frames - start_.frames; }
    [[nodiscard]] auto delivered() const { return loop_stats().delivered - start_.delivered; }
    [[nodiscard]] auto dropped() const { return loop_stats().dropped - start_.dropped; }
    [[nodiscard]] auto reclaimed() const { return loop_stats().reclaimed - start_.reclaimed; }
    [[nodiscard]] auto orphaned() const { return loop_stats().orphaned - start_.orphaned; }

private:
    v4l2dma_loop_stats start_;
};
