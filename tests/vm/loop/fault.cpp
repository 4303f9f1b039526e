// SPDX-License-Identifier: MIT
#include "fault.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr unsigned most_faults = 5000;

/// /proc/thread-self/fail-nth: the n-th possible fault from now on comes true, once. What the kernel does to
/// read and to write the file can fail, too, and counts.
class NthFault {
public:
    NthFault() : file_(::open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)) {
        REQUIRE_MESSAGE(file_.get() >= 0, "this kernel has no fault injection");
    }
    void arm(unsigned nth) {
        char text[16];
        const int length = std::snprintf(text, sizeof text, "%u", nth);
        REQUIRE(::pwrite(file_.get(), text, static_cast<std::size_t>(length), 0) == length);
    }
    /// Whether it came true.
    bool disarm() {
        char text[16] = {};
        const bool was_last = ::pread(file_.get(), text, sizeof text - 1, 0) < 0;
        while (::pwrite(file_.get(), "0", 1, 0) != 1)
            ;
        return !was_last && std::strtoul(text, nullptr, 10) == 0;
    }

private:
    Fd file_;
};

enum class Kind { memory, copy };

/// From now on, faults of one kind are possible.
void choose(Kind kind) {
    const std::pair<const char*, Kind> all[] = {
        {"failslab", Kind::memory}, {"fail_page_alloc", Kind::memory}, {"fail_usercopy", Kind::copy}};
    for (const auto& [name, its_kind] : all) {
        const std::filesystem::path folder = std::filesystem::path("/sys/kernel/debug") / name;
        // Possible is what has a caller at such an address: any, or, with an empty list of callers, none.
        std::ofstream depth(folder / "stacktrace-depth"), start(folder / "require-start");
        depth << 0 << std::flush;
        start << (its_kind == kind ? 0 : 1) << std::flush;
        REQUIRE_MESSAGE((depth && start), "cannot choose faults in ", folder.string());
    }
}

/// Caller's memory that cannot be reached has one errno, and a want of memory has others.
bool is_right(const Operation& operation, Kind kind, int result) {
    return operation.errors.contains(result) && (kind == Kind::copy) == (result == EFAULT);
}

/// What may be left behind, beyond the loop itself.
struct Things {
    std::size_t files = 0;
    std::size_t loops = 0;
    std::size_t dma_bufs = 0;
    long references = 0; ///< to all of them
    bool operator==(const Things&) const = default;
};

/// In debugfs, each dma-buf has a line that begins with its size, flags, mode, and how many hold it.
void count_dma_bufs(Things& things) {
    std::ifstream file("/sys/kernel/debug/dma_buf/bufinfo");
    REQUIRE(file);
    for (std::string line; std::getline(file, line);) {
        long references = 0;
        if (std::sscanf(line.c_str(), "%*8u\t%*x\t%*x\t%ld", &references) != 1)
            continue;
        ++things.dma_bufs;
        things.references += references;
    }
}

Things look_around() {
    using Entries = std::filesystem::directory_iterator;
    Things things;
    things.files = static_cast<std::size_t>(std::distance(Entries("/proc/self/fd"), Entries()));
    things.loops = count_loops();
    count_dma_bufs(things);
    return things;
}

/// The loop's picture is put by a worker of the kernel: soon, not at once. What is left behind is complained
/// of once.
void check_same(Things& before) {
    Things now = look_around();
    for (unsigned tries = 0; now != before && tries < 1000; ++tries) {
        std::this_thread::yield();
        now = look_around();
    }
    CHECK(now.files == before.files);
    CHECK(now.loops == before.loops);
    CHECK(now.dma_bufs == before.dma_bufs);
    CHECK(now.references == before.references);
    before = now;
}

/// Returns its result, and whether there was a fault.
std::pair<int, bool> try_once(const Operation& operation, Kind kind, NthFault& fault, unsigned nth) {
    const Call call = operation.prepare();
    fault.arm(nth);
    const int result = call.run();
    const bool failed = fault.disarm();
    if (!failed || result == wrong)
        CHECK(result == 0);
    else if (result != 0)
        CHECK_MESSAGE(is_right(operation, kind, result), "errno ", result);
    int last = result;
    if (result > 0) {
        last = call.run();
        CHECK_MESSAGE((last == 0 || operation.again.contains({result, last})), "once more, errno ", last);
    }
    if (last == 0)
        call.check();
    return {result, failed};
}

v4l2dma_loop_config for_faults(v4l2dma_loop_config config) {
    config.min_buffers = few_buffers;
    config.reclaim_ms = 60000; // no reader is too slow here
    return config;
}

v4l2_buffer next_written(Client& reader) {
    v4l2_buffer buffer{};
    while (true) {
        REQUIRE((reader.poll(POLLIN, -1) & POLLIN) != 0);
        REQUIRE(reader.dequeue(buffer) == 0);
        if (!is_placeholder(buffer))
            return buffer;
        REQUIRE(reader.queue(buffer.index) == 0);
    }
}

void send_one(Client& writer, Client& reader, std::uint32_t number) {
    const unsigned index = number % writer.count();
    for (unsigned plane = 0; plane < writer.planes(); ++plane)
        paint(writer.map(index, plane), number + plane);
    REQUIRE(writer.queue(index) == 0);
    const v4l2_buffer buffer = next_written(reader);
    CHECK((buffer.flags & V4L2_BUF_FLAG_ERROR) == 0);
    for (unsigned plane = 0; plane < reader.planes(); ++plane)
        CHECK(painted(reader.map(buffer.index, plane)) == number + plane);
    REQUIRE(reader.queue(buffer.index) == 0);
    v4l2_buffer back{};
    REQUIRE(writer.dequeue(back) == 0);
    CHECK(back.index == index);
}

struct Count {
    unsigned faults = 0;
    unsigned failures = 0;
};

Count step_through_kind(const TestedLoop& loop, const Operation& operation, Kind kind, NthFault& fault,
                        Things& before) {
    CAPTURE((kind == Kind::memory ? "memory" : "copies"));
    choose(kind);
    Count count;
    bool failed = true;
    for (unsigned nth = 1; failed; nth += nth < operation.dense ? 1 : 50) {
        CAPTURE(nth);
        REQUIRE(nth < most_faults);
        int result = 0;
        std::tie(result, failed) = try_once(operation, kind, fault, nth);
        loop.check_works();
        check_same(before);
        count.faults += failed ? 1 : 0;
        count.failures += result != 0 ? 1 : 0;
    }
    return count;
}

void step_through_one(const TestedLoop& loop, const Operation& operation, NthFault& fault, Things& before) {
    CAPTURE(operation.name);
    const Count memory = step_through_kind(loop, operation, Kind::memory, fault, before);
    const Count copies = step_through_kind(loop, operation, Kind::copy, fault, before);
    std::printf("%4u of %4u allocations, %2u of %2u copies: %s\n", memory.failures, memory.faults,
                copies.failures, copies.faults, operation.name.c_str());
    std::fflush(stdout);
    CHECK((memory.faults + copies.faults > 0 || !operation.has_faults));
}

} // namespace

Fd::~Fd() {
    if (fd_ >= 0)
        ::close(fd_);
}

TestedLoop::TestedLoop(v4l2dma_loop_config config)
    : AddedLoop(for_faults(config)), planar_((config.flags & V4L2DMA_LOOP_MULTIPLANAR) != 0),
      silent_(config.timeout_ms != 0) {
    set_format(*open_writer());
}

std::unique_ptr<Client> TestedLoop::open_writer() const {
    return std::make_unique<Client>(node(), O_NONBLOCK);
}

std::unique_ptr<Client> TestedLoop::open_reader() const {
    return std::make_unique<Client>(capture_node(), O_NONBLOCK);
}

void TestedLoop::set_format(const Client& writer, std::uint32_t height) const {
    auto planar = wish<v4l2_pix_format_mplane>(V4L2_PIX_FMT_NV12M, 64, height);
    v4l2_pix_format pix = wish(V4L2_PIX_FMT_YUYV, 64, height);
    REQUIRE((planar_ ? writer.set_format(planar) : writer.set_format(pix)) == 0);
}

void TestedLoop::set_timeout(std::uint32_t milliseconds) const {
    v4l2dma_loop_config wanted{};
    wanted.timeout_ms = milliseconds;
    REQUIRE(set(wanted, V4L2DMA_SET_TIMEOUT) == 0);
}

void TestedLoop::check_idle() const {
    const v4l2dma_loop_info now = info();
    CHECK(now.slots == 0);
    CHECK(now.readers == 0);
    CHECK(now.openers == 0);
    CHECK(now.writer_memory == V4L2DMA_WRITER_NONE);
    CHECK(now.writer_streaming == 0);
}

void TestedLoop::check_works() const {
    constexpr unsigned frames = 3;
    check_idle();
    if (silent_)
        set_timeout(3600000);
    {
        const auto writer = open_writer(), reader = open_reader();
        set_format(*writer);
        start_reading(*reader, few_buffers, out());
        start_writing(*writer, few_buffers, in());
        const v4l2dma_loop_stats before = stats();
        for (std::uint32_t number = 0; number < frames; ++number)
            send_one(*writer, *reader, static_cast<std::uint32_t>(before.frames) + number);
        const v4l2dma_loop_stats after = stats();
        CHECK(after.frames == before.frames + frames);
        CHECK(after.dropped == before.dropped);
        CHECK(after.copied_bytes == before.copied_bytes);
        if (!silent_)
            CHECK(after.delivered == before.delivered + frames);
    }
    check_idle();
}

void step_through(const TestedLoop& loop, const std::vector<Operation>& operations) {
    NthFault fault;
    Things before = look_around();
    loop.check_works();
    for (const Operation& operation : operations)
        step_through_one(loop, operation, fault, before);
}
