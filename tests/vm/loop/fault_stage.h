// SPDX-License-Identifier: MIT
// A writer and a reader of a loop, for the operations that fault_test.cpp tries.
#pragma once

#include "fault.h"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

inline constexpr std::array memories = {V4L2_MEMORY_MMAP, V4L2_MEMORY_USERPTR, V4L2_MEMORY_DMABUF};
std::string name_of(v4l2_memory memory);

/// dma-bufs of the kernel's system heap, each large enough for any plane of a frame.
class HeapBuffers {
public:
    explicit HeapBuffers(unsigned count);
    [[nodiscard]] const std::vector<int>& fds() const { return buffers_.fds(); }
    [[nodiscard]] std::span<std::uint32_t> map(unsigned index) const { return buffers_.map(index); }

private:
    MappedDmabufs buffers_;
};

/// One end of the loop, and its memory.
class Side {
public:
    Side(std::unique_ptr<Client> client, v4l2_buf_type type, const HeapBuffers& heap);
    [[nodiscard]] v4l2_buf_type type() const { return type_; }
    [[nodiscard]] Client& client() const { return *client_; }
    [[nodiscard]] const v4l2_format& format() const { return format_; }
    void close() { client_.reset(); }

    void reqbufs(v4l2_memory memory);
    /// For a reader, all of its buffers are queued then.
    void start(v4l2_memory memory);
    /// An ioctl that takes a buffer, with buffer 0.
    [[nodiscard]] int hand_over(unsigned long what) const;
    /// mmap() of buffer 0 and munmap(): 0 or the errno.
    [[nodiscard]] int map_and_unmap() const;
    [[nodiscard]] std::span<std::uint32_t> pixels(unsigned index, unsigned plane) const;
    void paint(unsigned index, std::uint32_t number) const;
    [[nodiscard]] bool shows(unsigned index, std::uint32_t number) const;

private:
    std::unique_ptr<Client> client_;
    v4l2_buf_type type_;
    const HeapBuffers* heap_;
    v4l2_format format_{};
    v4l2_memory memory_ = V4L2_MEMORY_MMAP;
    off_t offset_ = 0; ///< of buffer 0
};

struct Stage {
    Side writer;
    Side reader;
    void start(v4l2_memory writers, v4l2_memory readers);
    /// A frame in slot 0.
    void send(std::uint32_t number) const;
    /// The reader has it.
    void take() const;
};

/// Where all operations on a loop are set up.
class Workshop {
public:
    explicit Workshop(const TestedLoop& loop)
        : loop_(&loop), writers_(2 * few_buffers), readers_(2 * few_buffers) {}
    [[nodiscard]] const TestedLoop& loop() const { return *loop_; }
    [[nodiscard]] std::shared_ptr<Stage> open() const;
    [[nodiscard]] std::shared_ptr<Stage> start(v4l2_memory writers, v4l2_memory readers) const;
    [[nodiscard]] const HeapBuffers& writers() const { return writers_; }
    [[nodiscard]] std::size_t frame_bytes() const { return loop_->info().sizeimage; }

private:
    const TestedLoop* loop_;
    HeapBuffers writers_;
    HeapBuffers readers_;
};
