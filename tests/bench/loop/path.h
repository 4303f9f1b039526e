// SPDX-License-Identifier: MIT
#pragma once

#include "client.h"
#include "exporter.h"
#include "strategy.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

struct Size {
    unsigned width;
    unsigned height;
    [[nodiscard]] std::size_t bytes() const { return std::size_t{2} * width * height; } // YUYV
    [[nodiscard]] std::string name() const { return std::to_string(width) + "x" + std::to_string(height); }
};

/// A kernel module that is measured.
struct Module {
    std::string name;
    std::string node;
    bool ours; ///< has the control node, and thus counters
};

/// Buffers on each side; with v4l2loopback max_buffers has to be this.
inline constexpr unsigned buffers = 4;

// The first and the last word of a frame are its number: they show that the frame came through, and cost the
// same whatever its size is.
void stamp(std::span<std::uint32_t> frame, std::uint32_t number);
/// Empty if the two differ.
std::optional<std::uint32_t> stamped(std::span<const std::uint32_t> frame);

/// Writes frames. Nobody draws them. Throws std::system_error, like the reader.
class Writer {
public:
    Writer(const Module& module, Size size, Writing how, const Exporter& exporter);
    /// Queues a frame.
    void put(std::uint32_t number);
    /// Waits until a frame is its own again, whichever.
    void take_back();

private:
    void start(const Exporter& exporter);

    Client client_;
    Writing how_;
    std::vector<std::uint32_t> user_; ///< for write()
    std::vector<std::span<std::uint32_t>> frames_;
    std::deque<unsigned> free_;
};

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
    [[nodiscard]] int export_frame(unsigned index) const;
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
    Path(const Module& module, Size size, const Strategy& strategy, const Exporter& exporter,
         unsigned readers = 1);

    /// One frame from the writer to all readers and back; throws if another one arrives.
    void pass_one();
    Writer& writer() { return writer_; }
    Reader& reader() { return *readers_.front(); }
    [[nodiscard]] std::uint32_t next_number() { return ++number_; }

private:
    void catch_up();

    Writer writer_;
    std::vector<std::unique_ptr<Reader>> readers_;
    std::uint32_t number_ = 0;
};
