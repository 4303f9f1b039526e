// SPDX-License-Identifier: MIT
#pragma once

#include "dmabuf/buffer.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace v4l2dma {

/// Makes dma-bufs of memory that belongs to neither end, for a camera and an output that both import and
/// export nothing.
///
/// Owns the open node. Its buffers do not need it: they may outlive it. One thread at a time.
class DmabufAllocator {
public:
    DmabufAllocator(const DmabufAllocator&) = delete;
    DmabufAllocator& operator=(const DmabufAllocator&) = delete;
    virtual ~DmabufAllocator() = default;

    /// @p wish is a name or a node of list_allocators(); "drm" is the first card that works, and an empty one
    /// the first of all that works and is not only chosen by name. What it answers has allocated a page once.
    /// Errors: (usage) there is none of that name, and which there are; (device) it does not work, and why.
    [[nodiscard]] static Result<std::unique_ptr<DmabufAllocator>> open(std::string_view wish,
                                                                       System& system = real_system());

    /// "system" or another heap's name, "udmabuf", "drm"
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// "/dev/dma_heap/system"
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// At least @p bytes, zeroed by the kernel, in whole pages (a DRM driver may add more); can be read,
    /// written and mapped by the CPU. Errors (system): of the call that failed, with the limit it hit; ENOMEM
    /// for more than is available, without asking the kernel: a heap has no limit, and this memory is no
    /// process's, so that to get it the kernel would end other programs one by one.
    [[nodiscard]] Result<DmabufBuffer> allocate(std::size_t bytes) const;

    /// What an allocator is made from.
    struct Node {
        std::string name;
        std::string path;
        UniqueFd fd;
        System* system;
    };

protected:
    explicit DmabufAllocator(Node node) noexcept
        : name_(std::move(node.name)), path_(std::move(node.path)), fd_(std::move(node.fd)),
          system_(node.system) {}

    /// A new dma-buf, close-on-exec, for reading and writing, of @p bytes, which are whole pages.
    [[nodiscard]] virtual Result<UniqueFd> create(std::size_t bytes) const = 0;

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] System& system() const noexcept { return *system_; }
    /// Names node and size in an error.
    [[nodiscard]] std::string object(std::size_t bytes) const;

private:
    [[nodiscard]] Status check_available(std::size_t bytes) const;

    std::string name_;
    std::string path_;
    UniqueFd fd_;
    System* system_;
};

/// An allocator that this machine has or might have.
struct AllocatorState {
    std::string name;
    std::string path;          ///< its node; the folder of such nodes if there is none
    bool only_by_name = false; ///< small or special memory: never chosen by itself
    Status usable;             ///< why not, for a table: usable.error().message()
};

/// Whether there may be one of this name, without opening any. An empty name is none in particular.
/// Errors: (usage) there is none, and which there may be.
[[nodiscard]] Status check_allocator_name(std::string_view name, System& system = real_system());

/// Each kind, best first, then the heaps that are chosen by name only. Allocates a page of each.
[[nodiscard]] std::vector<AllocatorState> list_allocators(System& system = real_system());

} // namespace v4l2dma
