// SPDX-License-Identifier: MIT
#pragma once

#include "calls.h"
#include "path.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// How long a measurement goes on: for the time, but for the least number of frames at any rate, and never
/// for more than the most.
struct Effort {
    double seconds;
    unsigned least;
    unsigned most;
};

/// What the module says that it copied so far; 0 of a module that does not say.
std::uint64_t copied_bytes(const Module& module);

/// Frames that were sent one by one, the next one when all had given the last one back; writer and readers in
/// one thread, so that nothing waits and nothing is dropped.
struct Counted {
    unsigned frames = 0;
    std::uint64_t copied_bytes = 0;
    std::uint64_t faults = 0; ///< page faults of this process
    std::map<std::string, std::uint64_t> calls;
};
Counted count(Path& path, const Module& module, const Calls& calls, unsigned frames);

struct Timed {
    double cpu_us = 0; ///< of this process, in user space and the kernel, for each frame
    double frames_per_second = 0;
};
/// The median of batches of some milliseconds: what else the machine does hits a few of them.
Timed time_cost(Path& path, const Effort& effort);

/// A writer and a reader in a thread each, on a processor each, as fast as they can.
struct Running {
    double delivered_per_second = 0;
    double written_per_second = 0;
    double cpu_us = 0; ///< of both, for each frame delivered
};
Running free_running(Path& path, double seconds);

/// From before the writer's QBUF (or write()) to when the reader, who sleeps in DQBUF (or read()), has the
/// frame; in microseconds. One frame every few milliseconds, a thread and a processor each.
std::vector<double> latencies(Path& path, const Effort& effort);
