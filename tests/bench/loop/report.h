// SPDX-License-Identifier: MIT
#pragma once

#include "results.h"

#include <nlohmann/json.hpp>
#include <string>

/// Where it was measured.
struct Machine {
    std::string kernel;
    std::string hypervisor; ///< as it calls itself in the CPU's name, "TCG" for QEMU without KVM; empty: none
    unsigned cpus;
    std::map<std::string, std::string> modules; ///< name, version
};
Machine this_machine(const std::vector<Module>& modules);

/// For people.
std::string text(const Machine& machine, const Results& results, const std::vector<Finding>& findings);
/// For machines.
nlohmann::ordered_json json(const Machine& machine, const Results& results,
                            const std::vector<Finding>& findings);
