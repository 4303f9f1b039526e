// SPDX-License-Identifier: MIT
#include "writer.h"

#include <cerrno>
#include <uapi/v4l2dma.h>
#include <unistd.h>

namespace {

v4l2_memory memory_of(Writing how) {
    switch (how) {
    case Writing::import:
    case Writing::fixed:
        return V4L2_MEMORY_DMABUF;
    case Writing::userptr:
        return V4L2_MEMORY_USERPTR;
    default:
        return V4L2_MEMORY_MMAP;
    }
}

std::span<std::uint32_t> words(std::span<std::uint32_t> memory, std::size_t bytes) {
    return memory.first(bytes / sizeof(std::uint32_t));
}

} // namespace

void must_be_whole(ssize_t done, std::size_t bytes, const char* what) {
    must(done < 0 ? errno : 0, what);
    must(static_cast<std::size_t>(done) != bytes ? EMSGSIZE : 0, what);
}

void set_format(Client& writer, Size size) {
    v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, size.width, size.height);
    must(writer.set_format(pix), "S_FMT");
    must(pix.sizeimage != size.bytes() ? EMSGSIZE : 0, "sizeimage");
}

void stamp(std::span<std::uint32_t> frame, std::uint32_t number) {
    frame.front() = number;
    frame.back() = number;
}

std::optional<std::uint32_t> stamped(std::span<const std::uint32_t> frame) {
    const volatile std::uint32_t* first = &frame.front();
    const volatile std::uint32_t* last = &frame.back();
    const std::uint32_t number = *first;
    return number == *last ? std::optional(number) : std::nullopt;
}

ReadyFrames::ReadyFrames(const Module& module, Size size, Writing how, const Exporter& exporter)
    : client_(module.node), how_(how) {
    set_format(client_, size);
    if (how == Writing::file)
        user_.resize(size.bytes() / sizeof(std::uint32_t));
    else
        start(exporter);
}

void ReadyFrames::start(const Exporter& exporter) {
    must(client_.reqbufs(output, memory_of(how_), buffers), "the writer's REQBUFS");
    must(client_.count() != buffers ? ENOMEM : 0, "the writer's number of buffers");
    if (how_ == Writing::fixed)
        must(client_.set_control(V4L2DMA_CID_FIXED_BINDINGS, 1), "FIXED_BINDINGS");
    const bool imports = memory_of(how_) == V4L2_MEMORY_DMABUF;
    if (imports)
        client_.use(exporter.fds());
    for (unsigned index = 0; index < buffers; ++index) {
        frames_.push_back(words(imports ? exporter.frame(index) : client_.map(index), client_.length()));
        free_.push_back(index);
    }
    must(client_.stream_on(), "the writer's STREAMON");
}

void ReadyFrames::put(std::uint32_t number) {
    if (how_ == Writing::file) {
        stamp(user_, number);
        const std::size_t bytes = user_.size() * sizeof(std::uint32_t);
        must_be_whole(::write(client_.fd(), user_.data(), bytes), bytes, "write");
        return;
    }
    const unsigned index = free_.front();
    free_.pop_front();
    stamp(frames_[index], number);
    must(client_.queue(index), "the writer's QBUF");
}

void ReadyFrames::take_back() {
    if (how_ == Writing::file)
        return;
    v4l2_buffer buffer{};
    must(client_.dequeue(buffer), "the writer's DQBUF");
    free_.push_back(buffer.index);
}
