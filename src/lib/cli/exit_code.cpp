// SPDX-License-Identifier: MIT
#include "cli/exit_code.h"

#include "base/log.h"

namespace v4l2dma {

int report(const Error& error) {
    spdlog::error("{}", error.message());
    return to_int(exit_code_for(error.kind));
}

} // namespace v4l2dma
