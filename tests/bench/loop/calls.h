// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// How often this process calls certain functions of the kernel: what a frame costs beside copies, as numbers
/// that are the same on every machine. They are counted by kprobes, which slow the calls down, so nothing is
/// timed while this lives.
class Calls {
public:
    /// Throws std::system_error where kprobes cannot be had.
    Calls();
    ~Calls();
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    /// Since it was made, by a short name.
    [[nodiscard]] std::map<std::string, std::uint64_t> counts() const;

private:
    struct Probe {
        std::string name;
        int fd;
    };
    std::vector<Probe> probes_;
};
