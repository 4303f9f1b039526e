// SPDX-License-Identifier: MIT
#pragma once

#include "client.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Frames in dma-bufs that the loop did not make: what a camera would hand to its writer. Nobody draws them.
class Exporter {
public:
    /// @p who: "udmabuf", "system" (the heap) or "vgem"; empty is the first of them that this kernel has.
    /// Throws std::system_error.
    Exporter(const std::string& who, unsigned count, std::size_t bytes);
    ~Exporter();
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::vector<int>& fds() const { return buffers_.fds(); }
    [[nodiscard]] std::span<std::uint32_t> frame(std::size_t index) const { return buffers_.map(index); }

private:
    std::string name_;
    int device_ = -1;
    MappedDmabufs buffers_;
};
