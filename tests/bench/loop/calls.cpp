// SPDX-License-Identifier: MIT
#include "calls.h"

#include "client.h"

#include <cerrno>
#include <fstream>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

struct Function {
    const char* name;
    const char* symbol;
};

// The work on a dma-buf that a frame could cost, and that would grow with its size: a device's mapping, the
// kernel's mapping, cache maintenance, a process' mapping.
const Function functions[] = {
    {"attach", "dma_buf_dynamic_attach"},
    {"map", "dma_buf_map_attachment"},
    {"vmap", "dma_buf_vmap"},
    {"cpu_access", "dma_buf_begin_cpu_access"},
    {"mmap", "dma_buf_mmap"},
    {"mmap", "dma_buf_mmap_internal"},
};

std::uint32_t kprobe_type() {
    std::ifstream file("/sys/bus/event_source/devices/kprobe/type");
    std::uint32_t type = 0;
    must(file >> type ? 0 : ENODEV, "this kernel has no kprobes for perf_event_open");
    return type;
}

int open_probe(std::uint32_t type, const char* symbol) {
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = type;
    attributes.kprobe_func = reinterpret_cast<std::uintptr_t>(symbol);
    const long fd = ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    must(fd < 0 ? errno : 0, std::string("a kprobe at ") + symbol);
    return static_cast<int>(fd);
}

} // namespace

Calls::Calls() {
    const std::uint32_t type = kprobe_type();
    for (const auto& [name, symbol] : functions)
        probes_.push_back({name, open_probe(type, symbol)});
}

Calls::~Calls() {
    for (const Probe& probe : probes_)
        ::close(probe.fd);
}

std::map<std::string, std::uint64_t> Calls::counts() const {
    std::map<std::string, std::uint64_t> counts;
    for (const Probe& probe : probes_) {
        std::uint64_t count = 0;
        must(::read(probe.fd, &count, sizeof count) == sizeof count ? 0 : EIO, "read of a kprobe's count");
        counts[probe.name] += count;
    }
    return counts;
}
