// SPDX-License-Identifier: MIT
#include "strategy.h"

#include <stdexcept>

namespace {

const Strategy strategies[] = {
    {"mmap > mmap", Writing::pool, Reading::mapped, 0, true, true},
    {"mmap > expbuf", Writing::pool, Reading::exported, 0, false, true},
    {"import > expbuf", Writing::import, Reading::exported, 0, false, true},
    {"fixed > mmap", Writing::fixed, Reading::mapped, 0, false, true},
    {"mmap > expbuf+mmap", Writing::pool, Reading::remapped, 0, false, true},
    {"import > expbuf+mmap", Writing::import, Reading::remapped, 0, false, true},
    {"import > mmap", Writing::import, Reading::mapped, 1, false, true},
    {"userptr > mmap", Writing::userptr, Reading::mapped, 1, false, true},
    {"write > mmap", Writing::file, Reading::mapped, 1, true, true},
    {"mmap > userptr", Writing::pool, Reading::userptr, 1, false, false},
    {"mmap > read", Writing::pool, Reading::file, 1, true, false},
    {"write > read", Writing::file, Reading::file, 2, true, false},
};

const Strategy with_camera[] = {
    {"camera fills > mmap", Writing::filled, Reading::mapped, 0, false, true},
    {"camera fills > expbuf", Writing::filled, Reading::exported, 0, false, true},
    {"camera's > expbuf", Writing::handed, Reading::exported, 0, false, true},
    {"camera's > mmap", Writing::handed, Reading::mapped, 1, false, true},
    {"memcpy > mmap", Writing::copied, Reading::mapped, 0, true, true, 1},
    {"write > mmap", Writing::sent, Reading::mapped, 1, true, true},
    {"write > read", Writing::sent, Reading::file, 2, true, false},
};

} // namespace

std::span<const Strategy> all_strategies() {
    return strategies;
}

std::span<const Strategy> camera_strategies() {
    return with_camera;
}

const Strategy& strategy(const std::string& name) {
    for (const Strategy& each : strategies)
        if (each.name == name)
            return each;
    throw std::invalid_argument("no strategy '" + name + "'");
}
