// SPDX-License-Identifier: MIT
#pragma once

#include "base/log.h"

namespace v4l2dma::testing {

/// Keeps the log silent while it lives, where hundreds of provoked failures would each have their line.
class QuietLog {
public:
    QuietLog() { spdlog::set_level(spdlog::level::off); }
    QuietLog(const QuietLog&) = delete;
    QuietLog& operator=(const QuietLog&) = delete;
    ~QuietLog() { spdlog::set_level(level_); }

private:
    spdlog::level::level_enum level_ = spdlog::get_level();
};

} // namespace v4l2dma::testing
