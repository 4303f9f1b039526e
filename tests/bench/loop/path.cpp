// SPDX-License-Identifier: MIT
#include "path.h"

#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
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

/// read() and write() of a whole frame.
void must_be_whole(ssize_t done, std::size_t bytes, const char* what) {
    must(done < 0 ? errno : 0, what);
    must(static_cast<std::size_t>(done) != bytes ? EMSGSIZE : 0, what);
}

} // namespace

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

Writer::Writer(const Module& module, Size size, Writing how, const Exporter& exporter)
    : client_(module.node), how_(how) {
    v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, size.width, size.height);
    must(client_.set_format(pix), "S_FMT");
    must(pix.sizeimage != size.bytes() ? EMSGSIZE : 0, "sizeimage");
    if (how == Writing::file)
        user_.resize(size.bytes() / sizeof(std::uint32_t));
    else
        start(exporter);
}

void Writer::start(const Exporter& exporter) {
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

void Writer::put(std::uint32_t number) {
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

void Writer::take_back() {
    if (how_ == Writing::file)
        return;
    v4l2_buffer buffer{};
    must(client_.dequeue(buffer), "the writer's DQBUF");
    free_.push_back(buffer.index);
}

Reader::Reader(const Module& module, Size size, Reading how)
    : client_(module.node), how_(how), bytes_(size.bytes()) {
    if (how == Reading::file) {
        user_.resize(bytes_ / sizeof(std::uint32_t));
        (void)client_.poll(POLLIN, 0); // makes it a reader: what is written from now on is for it
    } else {
        start();
    }
}

void Reader::start() {
    const auto memory = how_ == Reading::userptr ? V4L2_MEMORY_USERPTR : V4L2_MEMORY_MMAP;
    must(client_.reqbufs(capture, memory, buffers), "REQBUFS");
    for (unsigned index = 0; how_ == Reading::mapped && index < client_.count(); ++index)
        (void)client_.map(index);
    must(client_.queue_all(), "QBUF");
    must(client_.stream_on(), "STREAMON");
}

Reader::~Reader() {
    for (const auto& [inode, mapping] : mappings_)
        ::munmap(mapping.data(), mapping.size_bytes());
}

unsigned Reader::dequeue() {
    if (how_ == Reading::file) {
        must_be_whole(::read(client_.fd(), user_.data(), bytes_), bytes_, "read");
        return 0;
    }
    v4l2_buffer buffer{};
    must(client_.dequeue(buffer), "DQBUF");
    return buffer.index;
}

std::optional<std::uint32_t> Reader::look(unsigned index) {
    switch (how_) {
    case Reading::file:
        return stamped(user_);
    case Reading::exported:
        return stamped(exported(index));
    case Reading::remapped:
        return look_at_new_mapping(index);
    default:
        return stamped(words(client_.map(index), bytes_));
    }
}

int Reader::export_frame(unsigned index) const {
    const int fd = client_.export_fd(index);
    must(fd < 0 ? -fd : 0, "EXPBUF");
    return fd;
}

std::span<std::uint32_t> Reader::exported(unsigned index) {
    const int fd = export_frame(index);
    auto& mapping = mappings_[inode(fd)];
    if (mapping.empty())
        mapping = map_dmabuf(fd, bytes_);
    ::close(fd);
    return mapping;
}

std::optional<std::uint32_t> Reader::look_at_new_mapping(unsigned index) {
    const int fd = export_frame(index);
    const auto mapping = map_dmabuf(fd, bytes_);
    const auto number = stamped(mapping);
    ::munmap(mapping.data(), mapping.size_bytes());
    ::close(fd);
    return number;
}

void Reader::give_back(unsigned index) {
    if (how_ != Reading::file)
        must(client_.queue(index), "QBUF");
}

Path::Path(const Module& module, Size size, const Strategy& strategy, const Exporter& exporter,
           unsigned readers)
    : writer_(module, size, strategy.writing, exporter) {
    // Fixed bindings are there, and v4l2loopback lets anybody read, only when something was written.
    for (unsigned frame = 0; frame < buffers; ++frame) {
        writer_.put(next_number());
        writer_.take_back();
    }
    for (unsigned nr = 0; nr < readers; ++nr) {
        try {
            readers_.push_back(std::make_unique<Reader>(module, size, strategy.reading));
        } catch (const std::system_error& error) {
            throw std::runtime_error("reader " + std::to_string(nr + 1) + ": " + error.what());
        }
    }
    catch_up();
    for (unsigned frame = 0; frame < buffers; ++frame)
        pass_one();
}

// A reader of v4l2loopback is shown old frames first.
void Path::catch_up() {
    const std::uint32_t number = next_number();
    writer_.put(number);
    for (const auto& reader : readers_) {
        std::optional<std::uint32_t> seen;
        while (seen != number) {
            const unsigned index = reader->dequeue();
            seen = reader->look(index);
            reader->give_back(index);
        }
    }
    writer_.take_back();
}

void Path::pass_one() {
    const std::uint32_t number = next_number();
    writer_.put(number);
    for (const auto& reader : readers_) {
        const unsigned index = reader->dequeue();
        if (reader->look(index) != number)
            throw std::runtime_error("another frame arrived than the one that was sent");
        reader->give_back(index);
    }
    writer_.take_back();
}
