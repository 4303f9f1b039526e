// SPDX-License-Identifier: MIT
#pragma once

#include "camera.h"
#include "picture.h"
#include "usbip.h"

#include <cstdio>
#include <deque>
#include <memory>

/// What is wrong with the pictures that a bad cable or a bad camera damages.
enum class Damage : std::uint8_t {
    none,
    cut,     ///< the second half of the picture is missing
    flagged, ///< the camera itself says in the headers that something went wrong
    lost,    ///< a packet never came
};

/// Puts pictures into the isochronous transfers that the host has queued. A transfer waits until there is
/// something to put in.
class Stream {
public:
    struct Options {
        std::FILE* log = nullptr; ///< one line for each picture: number, bytes, hash, ok or what is wrong
        Damage damage = Damage::none;
        unsigned damage_every = 0;
    };
    Stream(const Cable& cable, const Options& options) : cable_(cable), options_(options) {}

    void start(const Agreement& agreement);
    void stop() { painter_.reset(); }
    [[nodiscard]] bool running() const { return painter_ != nullptr; }
    /// The time for another picture; none is begun while the last one is still on its way.
    void tick();
    void queue(Command transfer);
    /// Whether that transfer was still waiting; it is not any more.
    [[nodiscard]] bool forget(std::uint32_t sequence);

private:
    void send();
    void fill(Command& transfer, Bytes& data);
    [[nodiscard]] bool sending() const { return running() && at_ < picture_.size(); }
    [[nodiscard]] Packet packet(const Packet& room, Bytes& data);
    void log_picture();

    const Cable& cable_;
    Options options_;
    std::unique_ptr<Painter> painter_;
    std::deque<Command> waiting_;
    std::uint32_t number_ = 0; ///< pictures so far, over all streams
    Bytes picture_;
    std::size_t at_ = 0; ///< of the picture is sent
    Damage damage_ = Damage::none;
    bool frame_id_ = false;
};
