// SPDX-License-Identifier: MIT
#pragma once

#include "writer.h"

#include <string>

/// A camera's frames, on the ways that there are from it into a loop.
class CameraFrames : public Writer {
public:
    CameraFrames(const std::string& camera, const Module& module, Size size, Writing how);
    /// Waits for the camera.
    void put(std::uint32_t number) override;
    void take_back() override;

private:
    void share_memory_of(Client& exporter, Client& importer);
    void copy_into_loop(std::span<const std::uint32_t> pixels);
    [[nodiscard]] bool shares_memory() const { return how_ == Writing::filled || how_ == Writing::handed; }

    Client camera_;
    Client loop_;
    Writing how_;
    MappedDmabufs shared_;      ///< what both ends use, by their buffers' index
    std::deque<unsigned> free_; ///< of the loop, where it has memory of its own
};
