// SPDX-License-Identifier: MIT
#pragma once

#include "cli/flow_options.h"
#include "flow/frame_log.h"
#include "flow/stamp_verifier.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace v4l2dma {

/// Who looks at the frames of a run because its options say so: --frame-log, --verify.
class RunObservers {
public:
    RunObservers() = default;
    // The pump has pointers to our members.
    RunObservers(const RunObservers&) = delete;
    RunObservers& operator=(const RunObservers&) = delete;

    /// Before the run. Errors: those of FrameLog::create().
    [[nodiscard]] Status create(const RunOptions& options);
    /// Another one, borrowed.
    void add(FrameObserver& observer) { all_.push_back(&observer); }
    [[nodiscard]] std::span<FrameObserver* const> all() const noexcept { return all_; }

    /// Whether the frames of @p source kept what their stamps promise, if that was looked at.
    [[nodiscard]] Status verdict(std::string_view source) const;
    /// What they found joins the members of an "end" event.
    void add_to(nlohmann::ordered_json& end) const;
    /// The same for people.
    void say(std::string_view command) const;

private:
    bool verifies_ = false;
    StampVerifier verifier_;
    std::unique_ptr<FrameLog> log_;
    std::vector<FrameObserver*> all_;
};

} // namespace v4l2dma
