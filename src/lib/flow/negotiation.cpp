// SPDX-License-Identifier: MIT
#include "flow/negotiation.h"

#include "base/log.h"

namespace v4l2dma {

Status Negotiation::establish() {
    if (Status status = sink_.set_format(source_.format()); !status)
        return status;
    return establish_next();
}

Status Negotiation::fall_back(const Error& why) {
    attempts_.back().obstacle = why.message();
    log_obstacle();
    last_error_ = why;
    release();
    if (why.kind == ErrorKind::device)
        return std::unexpected(why);
    return establish_next();
}

Status Negotiation::establish_next() {
    for (; next_ < strategies().size(); ++next_) {
        const Strategy& strategy = strategies()[next_];
        attempts_.push_back({.strategy = &strategy, .obstacle = why_not(strategy), .tried = false});
        if (!attempts_.back().obstacle.empty()) {
            log_obstacle();
            continue;
        }
        attempts_.back().tried = true;
        Status status = strategy.establish(source_, sink_, wishes_.buffers);
        if (status) {
            ++next_;
            return {};
        }
        attempts_.back().obstacle = status.error().message();
        log_obstacle();
        last_error_ = status.error();
        release();
        // A device that is gone or busy is so on every path.
        if (status.error().kind == ErrorKind::device)
            return status;
    }
    return std::unexpected(nothing_left());
}

void Negotiation::release() noexcept {
    source_.stop();
    sink_.stop();
    // An exporter's buffers are free only when its importer let go of them.
    const bool sink_imports = !attempts_.empty() && current().sink == MemoryRole::imports;
    if (sink_imports)
        sink_.release();
    source_.release();
    sink_.release();
}

std::string Negotiation::why_not(const Strategy& strategy) const {
    if (std::string reason = source_.why_not(strategy.source); !reason.empty())
        return reason;
    if (std::string reason = sink_.why_not(strategy.sink); !reason.empty())
        return reason;
    const auto forced = [](std::optional<Memory> wish, MemoryRole role) {
        return wish && Strategy::memory_of(role) && *wish != *Strategy::memory_of(role);
    };
    if (forced(wishes_.source_memory, strategy.source) || forced(wishes_.sink_memory, strategy.sink))
        return "excluded by the memory type that was asked for";
    if (wishes_.zero_copy && !strategy.zero_copy)
        return "not zero-copy";
    return {};
}

Error Negotiation::nothing_left() const {
    std::string tried;
    std::string excluded;
    for (const Attempt& attempt : attempts_) {
        std::string& list = attempt.tried ? tried : excluded;
        list += (list.empty() ? "" : "; ") + std::string(attempt.strategy->name) + ": " + attempt.obstacle;
    }
    const bool demanded = wishes_.zero_copy || wishes_.source_memory || wishes_.sink_memory;
    if (!demanded && last_error_)
        return *last_error_;
    return make_error(ErrorKind::unsupported, wishes_.zero_copy ? "zero-copy" : "memory",
                      std::string(source_.name()) + " to " + std::string(sink_.name()),
                      tried.empty() ? "no path is possible: " + excluded : tried,
                      wishes_.zero_copy ? "Without --dmabuf the frames would be copied" : "")
        .error();
}

void Negotiation::log_obstacle() const {
    const Attempt& attempt = attempts_.back();
    spdlog::debug("path {}: {}", attempt.strategy->name, attempt.obstacle);
}

} // namespace v4l2dma
