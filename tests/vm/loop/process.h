// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/// A process of the test's own that runs @p work and ends; killed with this. What the test has open, it has.
/// No doctest in there: it would report twice.
class Process {
public:
    template <typename Work> explicit Process(Work&& work) : pid_(::fork()) {
        if (pid_ != 0)
            return;
        try {
            work();
        } catch (...) { // doctest's are not of std
            ::_exit(1); // what failed is the parent's to find out
        }
        ::_exit(0);
    }
    ~Process() { kill(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// Until it ends by itself: its exit code, or -1 if a signal ended it.
    int wait() {
        int status = 0;
        const bool ended = pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_ && WIFEXITED(status);
        pid_ = 0;
        return ended ? WEXITSTATUS(status) : -1;
    }
    /// Whether there was something to kill.
    bool kill() {
        const bool killed = pid_ > 0 && ::kill(pid_, SIGKILL) == 0 && ::waitpid(pid_, nullptr, 0) == pid_;
        pid_ = 0;
        return killed;
    }

private:
    pid_t pid_;
};

/// One process says that it is so far, another waits for that.
class Signpost {
public:
    Signpost() {
        if (::pipe(ends_) != 0)
            ends_[0] = ends_[1] = -1;
    }
    ~Signpost() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Signpost(const Signpost&) = delete;
    Signpost& operator=(const Signpost&) = delete;

    /// For the process that waits: await() answers false when all others are gone.
    void only_wait() {
        ::close(ends_[1]);
        ends_[1] = -1;
    }
    bool reach() { return ::write(ends_[1], "", 1) == 1; }
    bool await() {
        char byte = 0;
        return ::read(ends_[0], &byte, 1) == 1;
    }

private:
    int ends_[2];
};
