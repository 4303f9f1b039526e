// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

/// Where the writer's frames lie.
enum class Writing {
    pool,    ///< MMAP: the loop's own memory
    import,  ///< DMABUF
    fixed,   ///< DMABUF, each index declared to keep its dma-buf
    userptr, ///< USERPTR
    file,    ///< write()
    // A camera's, from here on:
    filled, ///< the loop's memory, which the camera imports and fills
    handed, ///< the camera's own, imported by the loop
    copied, ///< the camera's, from where the program copies into the loop's
    sent,   ///< the camera's, which the program gives to write()
};

/// How a reader looks at them.
enum class Reading {
    mapped,   ///< MMAP, mapped once
    exported, ///< EXPBUF of each frame it dequeues; mappings kept by the dma-buf's inode
    remapped, ///< EXPBUF of each frame, mapped and unmapped each time
    userptr,  ///< USERPTR
    file,     ///< read()
};

struct Strategy {
    std::string name;
    Writing writing;
    Reading reading;
    /// Of each frame, for one reader: what docs and design promise of v4l2dma, and what v4l2loopback does
    /// by its source (write() and read() copy once each, streaming does not).
    unsigned copies;
    /// v4l2loopback can do it.
    bool both;
    /// The copies stay what they are however many readers there are.
    bool shared;
    /// What the program itself copies of each frame on top.
    unsigned own_copies = 0;

    [[nodiscard]] bool has_camera() const { return writing >= Writing::filled; }
};

/// Without a camera.
std::span<const Strategy> all_strategies();
/// With one.
std::span<const Strategy> camera_strategies();
const Strategy& strategy(const std::string& name);
