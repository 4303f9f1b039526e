// SPDX-License-Identifier: MIT
#include "cli/run_observers.h"

#include "cli/run_reporter.h"

namespace v4l2dma {

Status RunObservers::create(const RunOptions& options) {
    verifies_ = options.verify;
    if (verifies_)
        all_.push_back(&verifier_);
    if (options.frame_log.empty())
        return {};
    Result<std::unique_ptr<FrameLog>> log = FrameLog::create(options.frame_log);
    if (!log)
        return std::unexpected(std::move(log.error()));
    log_ = std::move(*log);
    all_.push_back(log_.get());
    return {};
}

Status RunObservers::verdict(std::string_view source) const {
    return verifies_ ? verifier_.verdict(source) : Status{};
}

void RunObservers::add_to(nlohmann::ordered_json& end) const {
    if (verifies_)
        add_stamps(end, verifier_);
}

void RunObservers::say(std::string_view command) const {
    if (verifies_)
        say_stamps(command, verifier_);
}

} // namespace v4l2dma
