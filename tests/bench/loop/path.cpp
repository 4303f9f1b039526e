// SPDX-License-Identifier: MIT
#include "path.h"

#include <cerrno>
#include <poll.h>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

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
        return stamped(client_.map(index).first(bytes_ / sizeof(std::uint32_t)));
    }
}

std::span<std::uint32_t> Reader::exported(unsigned index) {
    const int fd = client_.must_export(index);
    auto& mapping = mappings_[inode(fd)];
    if (mapping.empty())
        mapping = map_dmabuf(fd, bytes_);
    ::close(fd);
    return mapping;
}

std::optional<std::uint32_t> Reader::look_at_new_mapping(unsigned index) {
    const int fd = client_.must_export(index);
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

Path::Path(const Module& module, Size size, Reading how, std::unique_ptr<Writer> writer, unsigned readers)
    : writer_(std::move(writer)) {
    // Fixed bindings are there, and v4l2loopback lets anybody read, only when something was written.
    for (unsigned frame = 0; frame < buffers; ++frame) {
        writer_->put(next_number());
        writer_->take_back();
    }
    for (unsigned nr = 0; nr < readers; ++nr) {
        try {
            readers_.push_back(std::make_unique<Reader>(module, size, how));
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
    writer_->put(number);
    for (const auto& reader : readers_) {
        std::optional<std::uint32_t> seen;
        while (seen != number) {
            const unsigned index = reader->dequeue();
            seen = reader->look(index);
            reader->give_back(index);
        }
    }
    writer_->take_back();
}

void Path::pass_one() {
    const std::uint32_t number = next_number();
    writer_->put(number);
    for (const auto& reader : readers_) {
        const unsigned index = reader->dequeue();
        if (reader->look(index) != number)
            throw std::runtime_error("another frame arrived than the one that was sent");
        reader->give_back(index);
    }
    writer_->take_back();
}
