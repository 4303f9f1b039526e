// SPDX-License-Identifier: MIT
#pragma once

#include "client.h"
#include "exporter.h"
#include "module.h"
#include "strategy.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

// The first and the last word of a frame are its number: they show that the frame came through, and cost the
// same whatever its size is.
void stamp(std::span<std::uint32_t> frame, std::uint32_t number);
/// Empty if the two differ.
std::optional<std::uint32_t> stamped(std::span<const std::uint32_t> frame);

/// Gives frames to a loop. Throws std::system_error.
class Writer {
public:
    Writer() = default;
    virtual ~Writer() = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Queues a frame.
    virtual void put(std::uint32_t number) = 0;
    /// Waits until a frame is its own again, whichever.
    virtual void take_back() = 0;
};

/// Frames that lie ready; nobody draws them.
class ReadyFrames : public Writer {
public:
    ReadyFrames(const Module& module, Size size, Writing how, const Exporter& exporter);
    void put(std::uint32_t number) override;
    void take_back() override;

private:
    void start(const Exporter& exporter);

    Client client_;
    Writing how_;
    std::vector<std::uint32_t> user_; ///< for write()
    std::vector<std::span<std::uint32_t>> frames_;
    std::deque<unsigned> free_;
};

/// Makes the loop's format YUYV of that size. Throws if its frames are not as large as that.
void set_format(Client& writer, Size size);
/// read() and write() of a whole frame, or it throws.
void must_be_whole(ssize_t done, std::size_t bytes, const char* what);
