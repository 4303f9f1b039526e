// SPDX-License-Identifier: MIT
#include "cli/exit_code.h"

#include "base/log.h"
#include "cli/output.h"

namespace v4l2dma {

int report(const Error& error) {
    spdlog::error("{}", printable(error.message())); // it may quote what others named
    return to_int(exit_code_for(error.kind));
}

} // namespace v4l2dma
