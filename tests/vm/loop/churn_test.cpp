// SPDX-License-Identifier: MIT
// Loops that come and go while processes stream through them and are killed, 500 times.
#include "client.h"
#include "control.h"
#include "process.h"

#include <cerrno>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <memory>
#include <random>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace {

/// 500, or what V4L2DMA_ROUNDS says: on the debug kernel one takes seconds.
unsigned rounds() {
    const char* wish = std::getenv("V4L2DMA_ROUNDS");
    return wish == nullptr ? 500 : static_cast<unsigned>(std::stoul(wish));
}

/// All that is by chance, in an order that can be repeated.
class Chance {
public:
    explicit Chance(unsigned seed) : random_(seed) {}
    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    bool one_in(unsigned n) { return below(n) == 0; }

private:
    std::mt19937 random_;
};

v4l2dma_loop_config any_settings(Chance& chance) {
    v4l2dma_loop_config config = any_loop();
    config.flags = (chance.one_in(2) ? V4L2DMA_LOOP_SPLIT_NODES : 0) |
                   (chance.one_in(3) ? V4L2DMA_LOOP_LOSSLESS : 0) |
                   (chance.one_in(4) ? V4L2DMA_LOOP_CONTIGUOUS : 0);
    config.timeout_ms = chance.one_in(4) ? 1 + chance.below(50) : 0;
    config.reclaim_ms = 1 + chance.below(100);
    return config;
}

/// Streams until it is killed, or its loop is gone. Says so when the first frame has passed.
void stream(const std::string& node, v4l2_buf_type type, v4l2_memory memory, Signpost& begun) {
    Client client(node);
    if (client.reqbufs(type, memory, 4) != 0)
        return;
    if (type == output) {
        v4l2_buffer buffer{};
        if (client.queue_all() != 0 || client.stream_on() != 0)
            return;
        begun.reach();
        while (client.dequeue(buffer) == 0 && client.queue(buffer.index) == 0) {
        }
        return;
    }
    v4l2_buffer buffer{};
    if (client.queue_all() != 0 || client.stream_on() != 0)
        return;
    while (client.dequeue(buffer) == 0) {
        if (memory == V4L2_MEMORY_MMAP)
            ::close(client.export_fd(buffer.index));
        begun.reach();
        if (client.queue(buffer.index) != 0)
            return;
    }
}

/// A small format, so that 500 rounds are a matter of seconds.
void set_small_format(const std::string& node) {
    v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 64, 64);
    REQUIRE(Client(node).set_format(pix) == 0);
}

/// dma-bufs that somebody keeps although their loops are gone.
class Kept {
public:
    ~Kept() { let_go(); }
    void add(int fd) {
        REQUIRE(fd >= 0);
        if (fds_.size() > 8)
            let_go();
        fds_.push_back(fd);
        ++number_;
    }
    void let_go() {
        for (const int fd : fds_)
            ::close(fd);
        fds_.clear();
    }
    [[nodiscard]] std::size_t count() const { return fds_.size(); }
    /// In all.
    [[nodiscard]] unsigned number() const { return number_; }

private:
    std::vector<int> fds_;
    unsigned number_ = 0;
};

void live_and_die(Chance& chance, Kept& kept) {
    AddedLoop loop(any_settings(chance));
    set_small_format(loop.node());
    Signpost begun;
    std::vector<std::unique_ptr<Process>> processes;
    const unsigned readers = 1 + chance.below(3);
    for (unsigned i = 0; i < readers; ++i) {
        const auto memory = chance.one_in(3) ? V4L2_MEMORY_USERPTR : V4L2_MEMORY_MMAP;
        processes.push_back(
            std::make_unique<Process>([&] { stream(loop.capture_node(), capture, memory, begun); }));
    }
    const auto memory = chance.one_in(4) ? V4L2_MEMORY_USERPTR : V4L2_MEMORY_MMAP;
    processes.push_back(std::make_unique<Process>([&] { stream(loop.node(), output, memory, begun); }));
    begun.only_wait();
    for (unsigned frames = chance.below(6); frames > 0; --frames)
        REQUIRE(begun.await());
    if (chance.one_in(4)) {
        Client heir(loop.capture_node());
        REQUIRE(heir.reqbufs(capture, V4L2_MEMORY_MMAP, 4) == 0);
        kept.add(heir.export_fd(chance.below(4)));
    }
    while (!processes.empty() && !chance.one_in(4)) {
        processes.erase(processes.begin() + chance.below(static_cast<unsigned>(processes.size())));
    }
    if (chance.one_in(2))
        CHECK(loop.remove(V4L2DMA_REMOVE_FORCE) == 0);
}

} // namespace

TEST_SUITE("churn") {
    TEST_CASE("hundreds of loops are added, used, killed for and removed") {
        const std::size_t before = count_loops();
        Chance chance(20261121);
        Kept kept;
        for (unsigned round = 0; round < rounds(); ++round) {
            CAPTURE(round);
            live_and_die(chance, kept);
        }
        CHECK(count_loops() == before);
        CHECK(kept.number() > rounds() / 8);
        REQUIRE(kept.count() > 0);
        CHECK(module_references() > 0);
        kept.let_go();
        CHECK(module_references() == 0); // nobody holds anything of 500 loops
    }
}
