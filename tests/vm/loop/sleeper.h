// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

/// A thread that makes one call which sleeps; started when the kernel says that it does.
class Sleeper {
public:
    /// @p syscall: SYS_ioctl, ..., the one that it is to sleep in.
    template <typename Call>
    Sleeper(long syscall, Call call)
        : thread_([this, call] {
              tid_ = ::gettid();
              call();
          }) {
        while (tid_ == 0)
            std::this_thread::yield();
        const std::string path = "/proc/self/task/" + std::to_string(tid_) + "/syscall";
        for (std::string number; number != std::to_string(syscall);)
            std::ifstream(path) >> number; // "running", or the call that it sleeps in
    }
    ~Sleeper() {
        if (thread_.joinable())
            thread_.join();
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;
    void join() { thread_.join(); }

private:
    std::atomic<pid_t> tid_{0};
    std::thread thread_;
};
