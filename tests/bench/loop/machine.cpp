// SPDX-License-Identifier: MIT
#include "report.h"

#include <array>
#include <cpuid.h>
#include <cstring>
#include <fstream>
#include <sys/utsname.h>
#include <thread>

namespace {

std::string hypervisor() {
    unsigned a = 0;
    std::array<unsigned, 3> name{};
    if (__get_cpuid(1, &a, &name[0], &name[1], &name[2]) == 0 || (name[1] & (1U << 31)) == 0)
        return "";
    __cpuid(0x40000000, a, name[0], name[1], name[2]);
    std::array<char, sizeof name> text{};
    std::memcpy(text.data(), name.data(), sizeof name);
    // QEMU's own is "TCGTCGTCGTCG".
    return text[0] == 'T' && text[3] == 'T' ? "TCG"
                                            : std::string(text.data(), ::strnlen(text.data(), text.size()));
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

} // namespace

Machine this_machine(const std::vector<Module>& modules) {
    utsname name{};
    ::uname(&name);
    Machine machine{.kernel = name.release,
                    .hypervisor = hypervisor(),
                    .cpus = std::thread::hardware_concurrency(),
                    .modules = {}};
    for (const Module& module : modules)
        machine.modules[module.name] = first_line("/sys/module/" + module.name + "/version");
    return machine;
}
