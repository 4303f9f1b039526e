// SPDX-License-Identifier: MIT
// Runs a command and says what it used, all its threads together: getrusage(2) of what was waited for. The
// shell's "time" knows neither page faults nor context switches nor the number of the process.
//
// Usage: v4l2dma_usage FILE COMMAND [ARGUMENT]...
// Writes an object of JSON into FILE. Ends as the command does; SIGINT is passed on to it.
#include <csignal>
#include <cstdio>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

pid_t child = -1;

extern "C" void pass_on(int signal) {
    if (child > 0)
        ::kill(child, signal);
}

long long microseconds(const timeval& time) {
    return time.tv_sec * 1'000'000LL + time.tv_usec;
}

bool write_usage(const char* path, const rusage& usage) {
    std::FILE* const file = std::fopen(path, "we");
    if (file == nullptr)
        return false;
    std::fprintf(file,
                 R"({"pid":%d,"user_us":%lld,"system_us":%lld,"minor_faults":%ld,"major_faults":%ld,)"
                 R"("sleeps":%ld,"preemptions":%ld})"
                 "\n",
                 child, microseconds(usage.ru_utime), microseconds(usage.ru_stime), usage.ru_minflt,
                 usage.ru_majflt, usage.ru_nvcsw, usage.ru_nivcsw);
    return std::fclose(file) == 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "Usage: v4l2dma_usage FILE COMMAND [ARGUMENT]...\n");
        return 2;
    }
    // The shell has its background jobs ignore SIGINT; a handler makes that the default again in the child.
    struct sigaction action {};
    action.sa_handler = pass_on;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, nullptr);
    if (::posix_spawnp(&child, argv[2], nullptr, nullptr, argv + 2, environ) != 0) {
        std::fprintf(stderr, "v4l2dma_usage: %s cannot be run\n", argv[2]);
        return 127;
    }
    int status = 0;
    rusage usage{};
    if (::wait4(child, &status, 0, &usage) < 0 || !write_usage(argv[1], usage)) {
        std::perror("v4l2dma_usage");
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
