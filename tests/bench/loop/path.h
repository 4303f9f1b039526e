// SPDX-License-Identifier: MIT
#pragma once

#include "client.h"
#include "module.h"
#include "strategy.h"
#include "writer.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

/// Reads frames, with blocking calls.
class Reader {
public:
    Reader(const Module& module, Size size, Reading how);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The index of the frame that came; 0 with read().
    unsigned dequeue();
    std::optional<std::uint32_t> look(unsigned index);
    void give_back(unsigned index);

private:
    void start();
    std::span<std::uint32_t> exported(unsigned index);
    std::optional<std::uint32_t> look_at_new_mapping(unsigned index);

    Client client_;
    Reading how_;
    std::size_t bytes_;
    std::vector<std::uint32_t> user_; ///< for read()
    std::map<ino_t, std::span<std::uint32_t>> mappings_;
};

/// A writer and its readers, who are ready: each has seen a frame in every buffer.
class Path {
public:
    Path(const Module& module, Size size, Reading how, std::unique_ptr<Writer> writer, unsigned readers = 1);

    /// One frame from the writer to all readers and back; throws if another one arrives.
    void pass_one();
    Writer& writer() { return *writer_; }
    Reader& reader() { return *readers_.front(); }
    [[nodiscard]] std::uint32_t next_number() { return ++number_; }

private:
    void catch_up();

    std::unique_ptr<Writer> writer_;
    std::vector<std::unique_ptr<Reader>> readers_;
    std::uint32_t number_ = 0;
};
