// SPDX-License-Identifier: MIT
#include "measure.h"

#include "find_loop.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Of all threads, in user space and the kernel.
double cpu_seconds() {
    timespec time{};
    must(::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) < 0 ? errno : 0, "clock_gettime");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::uint64_t page_faults() {
    rusage usage{};
    must(::getrusage(RUSAGE_SELF, &usage) < 0 ? errno : 0, "getrusage");
    return static_cast<std::uint64_t>(usage.ru_minflt + usage.ru_majflt);
}

bool enough(const Effort& effort, unsigned frames, Clock::time_point start) {
    return frames >= effort.most || (frames >= effort.least && seconds_since(start) >= effort.seconds);
}

} // namespace

std::uint64_t copied_bytes(const Module& module) {
    if (!module.ours)
        return 0;
    const int control = ::open(V4L2DMA_CONTROL_NODE, O_RDWR | O_CLOEXEC);
    must(control < 0 ? errno : 0, V4L2DMA_CONTROL_NODE);
    const auto info = find_loop(control, module.node);
    v4l2dma_loop_stats stats{};
    stats.id = info ? info->id : 0;
    const bool told = info && ::ioctl(control, V4L2DMA_IOC_STATS, &stats) == 0;
    const int error = errno;
    ::close(control);
    must(told ? 0 : error, "the counters of " + module.node);
    return stats.copied_bytes;
}

Counted count(Path& path, const Module& module, const Calls& calls, unsigned frames) {
    Counted counted{};
    const auto calls_before = calls.counts();
    const std::uint64_t copied = copied_bytes(module);
    const std::uint64_t faults = page_faults();
    for (; counted.frames < frames; ++counted.frames)
        path.pass_one();
    counted.faults = page_faults() - faults;
    counted.copied_bytes = copied_bytes(module) - copied;
    counted.calls = calls.counts();
    for (auto& [name, number] : counted.calls)
        number -= calls_before.at(name);
    return counted;
}

namespace {

struct Batch {
    double cpu_us;
    double frames_per_second;
};

/// So many frames that the clocks' own grain does not show.
Batch time_batch(Path& path, unsigned& frames) {
    constexpr double shortest = 0.002;
    const auto start = Clock::now();
    const double cpu = cpu_seconds();
    unsigned passed = 0;
    do {
        path.pass_one();
        ++passed;
    } while (seconds_since(start) < shortest);
    frames += passed;
    return {(cpu_seconds() - cpu) * 1e6 / passed, passed / seconds_since(start)};
}

double median(std::vector<Batch>& batches, double Batch::*member) {
    const auto middle = batches.begin() + std::ssize(batches) / 2;
    std::ranges::nth_element(batches, middle, {}, member);
    return (*middle).*member;
}

} // namespace

Timed time_cost(Path& path, const Effort& effort) {
    const auto start = Clock::now();
    std::vector<Batch> batches;
    for (unsigned frames = 0; !enough(effort, frames, start);)
        batches.push_back(time_batch(path, frames));
    return {median(batches, &Batch::cpu_us), median(batches, &Batch::frames_per_second)};
}

namespace {

/// While it lives, the thread that made it runs on one processor, if there are several.
class Pinned {
public:
    explicit Pinned(unsigned nr) {
        ::sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(nr, &only);
        if (std::thread::hardware_concurrency() > nr)
            must(::sched_setaffinity(0, sizeof only, &only) < 0 ? errno : 0, "sched_setaffinity");
    }
    ~Pinned() { ::sched_setaffinity(0, sizeof before_, &before_); }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

private:
    cpu_set_t before_{};
};

// On one processor a writer that never sleeps lets the reader have a frame in each time slice. The scheduler
// puts them there every now and then.
constexpr unsigned writers_cpu = 0;
constexpr unsigned readers_cpu = 1;

/// A reader in a thread of its own, up to the frame that is said to be the last one, or a later one.
class Consumer {
public:
    using OnFrame = std::function<void(Clock::time_point)>;

    /// @p on_frame: called there for each frame that was given back, with the time when it came.
    Consumer(Reader& reader, OnFrame on_frame)
        : reader_(reader), on_frame_(std::move(on_frame)), thread_([this] { run(); }) {}
    void expect_end(std::uint32_t number) { last_ = number; }
    void join() {
        thread_.join();
        if (failure_)
            std::rethrow_exception(failure_);
    }

private:
    void run() {
        try {
            const Pinned pinned(readers_cpu);
            while (take_one() < last_) {
            }
        } catch (...) {
            failure_ = std::current_exception();
        }
    }
    /// Its number; 0 if the writer was at it just now, which happens with v4l2loopback.
    std::uint32_t take_one() {
        const unsigned index = reader_.dequeue();
        const auto time = Clock::now();
        const auto number = reader_.look(index);
        reader_.give_back(index);
        on_frame_(time);
        return number.value_or(0);
    }

    Reader& reader_;
    OnFrame on_frame_;
    std::atomic<std::uint32_t> last_ = UINT32_MAX;
    std::exception_ptr failure_;
    std::thread thread_; // last: it uses the others
};

/// A writer with as many frames on their way as it has buffers.
class Producer {
public:
    explicit Producer(Path& path) : path_(path) {}
    void send(std::uint32_t number) {
        for (; in_flight_ == buffers; --in_flight_)
            path_.writer().take_back();
        path_.writer().put(number);
        ++in_flight_;
    }
    void take_all_back() {
        for (; in_flight_ > 0; --in_flight_)
            path_.writer().take_back();
    }

private:
    Path& path_;
    unsigned in_flight_ = 0;
};

} // namespace

Running free_running(Path& path, double seconds) {
    const Pinned pinned(writers_cpu);
    std::atomic<unsigned> delivered = 0;
    Consumer consumer(path.reader(), [&](auto) { ++delivered; });
    Producer producer(path);
    const auto start = Clock::now();
    const double cpu = cpu_seconds();
    unsigned written = 1;
    for (; seconds_since(start) < seconds; ++written)
        producer.send(path.next_number());
    const std::uint32_t last = path.next_number();
    consumer.expect_end(last);
    producer.send(last);
    consumer.join();
    const double passed = seconds_since(start);
    const double used = cpu_seconds() - cpu;
    producer.take_all_back();
    return {delivered / passed, written / passed, used * 1e6 / delivered};
}

std::vector<double> latencies(Path& path, const Effort& effort) {
    const Pinned pinned(writers_cpu);
    std::vector<double> samples;
    std::atomic<unsigned> arrived = 0;
    Clock::time_point sent;
    Consumer consumer(path.reader(), [&](Clock::time_point time) {
        samples.push_back(std::chrono::duration<double, std::micro>(time - sent).count());
        ++arrived;
        arrived.notify_one();
    });
    const auto start = Clock::now();
    for (unsigned frames = 0, last = 0; last == 0; ++frames) {
        // By then the reader sleeps. Where it does not, the latency is that of a reader that is awake.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        const std::uint32_t number = path.next_number();
        if (enough(effort, frames + 1, start))
            consumer.expect_end(last = number);
        sent = Clock::now();
        path.writer().put(number);
        arrived.wait(frames);
        path.writer().take_back();
    }
    consumer.join();
    return samples;
}
