// SPDX-License-Identifier: MIT
#include "loop/control.h"

#include <fcntl.h>
#include <filesystem>
#include <linux/videodev2.h>
#include <span>
#include <spdlog/fmt/fmt.h>
#include <sys/sysmacros.h>

namespace v4l2dma {

namespace {

constexpr const char* node = V4L2DMA_CONTROL_NODE;

/// A name that the kernel gave us in a fixed array. It is NUL-terminated; if not, we must not read on.
std::string text(std::span<const __u8> field) {
    std::string result;
    for (const __u8 c : field) {
        if (c == 0)
            break;
        result.push_back(static_cast<char>(c));
    }
    return result;
}

/// "video4", whatever the user calls the node: sysfs links each device number to the device's name.
std::string kernel_name(dev_t number) {
    std::error_code ignored;
    const std::string link = fmt::format("/sys/dev/char/{}:{}", major(number), minor(number));
    return std::filesystem::read_symlink(link, ignored).filename();
}

std::unexpected<Error> open_error(int code) {
    auto error = system_error("open", node, code);
    error.error().kind = ErrorKind::device;
    if (is_not_permitted(error.error())) {
        error.error().remedy = "Run this as root";
    } else if (is_not_loaded(error.error())) {
        error.error().detail = "the kernel module v4l2dma is not loaded";
        error.error().remedy = "Load it with 'v4l2dma load'";
    }
    return error;
}

std::unexpected<Error> query_error(std::string_view operation, int code) {
    auto error = system_error(operation, node, code);
    error.error().kind = ErrorKind::device;
    if (code == ENOTTY) {
        error.error().detail = "the loaded module does not know this request";
        error.error().remedy = "It is older than this program: load its own one with 'v4l2dma load --reload'";
    } else if (code == ENOENT) {
        error.error().detail = "the loop is gone";
        error.error().remedy = "'v4l2dma load --list' lists those that are there";
    }
    return error;
}

/// Of what sends settings.
std::unexpected<Error> settings_error(std::string_view operation, int code) {
    auto error = query_error(operation, code);
    if (code == ENOSPC) {
        error.error().detail = "there are as many loops as the module can make";
        error.error().remedy = "'v4l2dma load --remove' removes one";
    } else if (code == EINVAL || code == E2BIG) {
        error.error().detail = "the module does not take these settings";
        error.error().remedy = "The kernel log says which";
    }
    return error;
}

} // namespace

std::string device_path(const LoopInfo& loop) {
    return "/dev/video" + std::to_string(loop.video_nr);
}

std::string capture_path(const LoopInfo& loop) {
    return "/dev/video" + std::to_string(loop.capture_nr);
}

std::string card_label(const LoopInfo& loop) {
    return text(loop.config.card_label);
}

std::string command_name(const ReaderStats& reader) {
    return text(reader.comm);
}

std::string memory_name(std::uint32_t memory) {
    switch (memory) {
    case V4L2DMA_WRITER_NONE:
        return "none";
    case V4L2DMA_WRITER_RW:
        return "read/write";
    case V4L2_MEMORY_MMAP:
        return "mmap";
    case V4L2_MEMORY_USERPTR:
        return "userptr";
    case V4L2_MEMORY_DMABUF:
        return "dmabuf";
    default: // of a newer module
        return "memory type " + std::to_string(memory);
    }
}

Result<ControlNode> ControlNode::open(System& system) {
    const int fd = system.open(node, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return open_error(-fd);
    return ControlNode(system, UniqueFd(fd));
}

Result<std::vector<LoopInfo>> ControlNode::loops() const {
    std::vector<LoopInfo> found;
    v4l2dma_loop_query query{};
    query.flags = V4L2DMA_QUERY_NEXT;
    for (;;) {
        const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_QUERY, &query);
        if (answer == -ENOENT)
            return found;
        if (answer < 0)
            return query_error("QUERY", -answer);
        found.push_back(query.info);
        const std::uint32_t id = query.info.id;
        if (id == UINT32_MAX)
            return found;
        query = {};
        query.id = id + 1;
        query.flags = V4L2DMA_QUERY_NEXT;
    }
}

Result<LoopInfo> ControlNode::loop(std::uint32_t loop_id) const {
    v4l2dma_loop_query query{};
    query.id = loop_id;
    if (const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_QUERY, &query); answer < 0)
        return query_error("QUERY", -answer);
    return query.info;
}

Result<std::optional<LoopInfo>> ControlNode::find(dev_t number) const {
    const std::string name = kernel_name(number);
    Result<std::vector<LoopInfo>> all = loops();
    if (!all)
        return std::unexpected(std::move(all.error()));
    for (const LoopInfo& loop : *all)
        if (name == "video" + std::to_string(loop.video_nr) ||
            name == "video" + std::to_string(loop.capture_nr))
            return loop;
    return std::nullopt;
}

Result<LoopInfo> ControlNode::add(const LoopConfig& config) const {
    v4l2dma_loop_add request{};
    request.config = config;
    if (const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_ADD, &request); answer < 0)
        return settings_error("ADD", -answer);
    return loop(request.id);
}

Status ControlNode::remove(std::uint32_t loop_id, bool force) const {
    v4l2dma_loop_remove request{};
    request.id = loop_id;
    request.flags = force ? V4L2DMA_REMOVE_FORCE : 0;
    if (const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_REMOVE, &request); answer < 0)
        return query_error("REMOVE", -answer);
    return {};
}

Status ControlNode::set(std::uint32_t loop_id, const LoopConfig& config, std::uint32_t which) const {
    v4l2dma_loop_set request{};
    request.id = loop_id;
    request.which = which;
    request.config = config;
    if (const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_SET, &request); answer < 0)
        return settings_error("SET", -answer);
    return {};
}

Result<LoopStats> ControlNode::stats(std::uint32_t loop_id) const {
    LoopStats stats{};
    stats.id = loop_id;
    const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_STATS, &stats);
    if (answer < 0)
        return query_error("STATS", -answer);
    return stats;
}

Result<std::vector<ReaderStats>> ControlNode::readers(std::uint32_t loop_id) const {
    std::vector<ReaderStats> found;
    for (std::uint32_t index = 0;; ++index) {
        ReaderStats reader{};
        reader.loop_id = loop_id;
        reader.index = index;
        const int answer = system_->ioctl(fd_.get(), V4L2DMA_IOC_READER_STATS, &reader);
        if (answer == -ENOENT)
            return found;
        if (answer < 0)
            return query_error("READER_STATS", -answer);
        found.push_back(reader);
    }
}

bool is_not_loaded(const Error& error) noexcept {
    return error.code == ENOENT || error.code == ENXIO || error.code == ENODEV;
}

bool is_not_permitted(const Error& error) noexcept {
    return error.code == EACCES || error.code == EPERM;
}

} // namespace v4l2dma
