// SPDX-License-Identifier: MIT
#pragma once

#include "base/error.h"
#include "base/system.h"
#include "base/unique_fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <uapi/v4l2dma.h>
#include <vector>

namespace v4l2dma {

/// The structures of include/uapi/v4l2dma.h are plain values with documented members, so they are what this
/// client hands out; only their character arrays and flags have an accessor here.
using LoopConfig = v4l2dma_loop_config;
using LoopInfo = v4l2dma_loop_info;
using LoopStats = v4l2dma_loop_stats;
using ReaderStats = v4l2dma_reader_stats;

/// "/dev/video4": the node, or with split nodes the writer's.
[[nodiscard]] std::string device_path(const LoopInfo& loop);
/// The node that readers use: the same, or with split nodes theirs.
[[nodiscard]] std::string capture_path(const LoopInfo& loop);
[[nodiscard]] std::string card_label(const LoopInfo& loop);
[[nodiscard]] std::string command_name(const ReaderStats& reader);
/// LoopInfo::writer_memory or ReaderStats::memory: "mmap", "userptr", "dmabuf", "read/write", "none".
[[nodiscard]] std::string memory_name(std::uint32_t memory);

/// The control node of the kernel module, /dev/v4l2dma.
///
/// An open control node pins the module: let it go before unloading. Owns its descriptor; one thread at a
/// time.
class ControlNode {
public:
    /// Errors, all of ErrorKind::device, told apart by Error::code: ENOENT, ENXIO or ENODEV (the module is
    /// not loaded), EACCES or EPERM (not root).
    [[nodiscard]] static Result<ControlNode> open(System& system = real_system());

    /// Every loop, in the order of their ids.
    [[nodiscard]] Result<std::vector<LoopInfo>> loops() const;
    /// The loop with this id. ENOENT if it is gone.
    [[nodiscard]] Result<LoopInfo> loop(std::uint32_t loop_id) const;
    /// The loop whose node has this device number; empty if that is no loop of ours.
    [[nodiscard]] Result<std::optional<LoopInfo>> find(dev_t number) const;
    /// Makes a loop. Members that are 0 become the module's defaults.
    /// Errors: (device) what is wanted cannot be.
    [[nodiscard]] Result<LoopInfo> add(const LoopConfig& config) const;
    /// Removes a loop. @p force: also if somebody has it open, who then gets ENODEV. EBUSY without it.
    [[nodiscard]] Status remove(std::uint32_t loop_id, bool force) const;
    /// Changes what @p which (V4L2DMA_SET_*) names of it.
    [[nodiscard]] Status set(std::uint32_t loop_id, const LoopConfig& config, std::uint32_t which) const;
    /// Counters since the loop exists.
    [[nodiscard]] Result<LoopStats> stats(std::uint32_t loop_id) const;
    /// The loop's readers now. They may come and go between the calls this is made of.
    [[nodiscard]] Result<std::vector<ReaderStats>> readers(std::uint32_t loop_id) const;

private:
    ControlNode(System& system, UniqueFd fd) noexcept : system_(&system), fd_(std::move(fd)) {}

    System* system_;
    UniqueFd fd_;
};

/// Whether @p error of ControlNode::open() means that the module is not loaded.
[[nodiscard]] bool is_not_loaded(const Error& error) noexcept;
/// Whether @p error of ControlNode::open() means that root is needed.
[[nodiscard]] bool is_not_permitted(const Error& error) noexcept;

} // namespace v4l2dma
