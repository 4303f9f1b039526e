// SPDX-License-Identifier: MIT
#pragma once

#include "base/unique_fd.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace v4l2dma::testing {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            std::abort(); // nothing can be tested without
        reader.reset(ends[0]);
        writer.reset(ends[1]);
    }

    UniqueFd reader;
    UniqueFd writer;
};

} // namespace v4l2dma::testing
