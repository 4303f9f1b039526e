// SPDX-License-Identifier: MIT
#include "flow/fan_out_plan.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace v4l2dma {

namespace {

using enum MemoryRole;
using Roles = std::vector<MemoryRole>;

/// What fits where frames lie when the sink as a whole plays this role.
Roles fitting_roles(MemoryRole path_role) {
    switch (path_role) {
    case exports:
    case imports:
        return {imports, copies, touches};
    case lends:
    case borrows:
        return {copies, borrows, touches};
    case copies:
    case touches:
        break;
    }
    return {copies, touches};
}

Roles roles_of(const Sink& output, MemoryRole path_role, const FanOutWishes& wishes) {
    Roles roles = fitting_roles(path_role);
    std::erase_if(roles, [&](MemoryRole role) { return !obstacle_to(role, output, wishes).empty(); });
    std::ranges::stable_sort(roles, {}, [&](MemoryRole role) { return output.copies(role); });
    return roles;
}

/// The first output that can play the path's role; if there is none the obstacle says why each cannot.
std::optional<std::size_t> first_able(std::span<const Sink* const> outputs, MemoryRole role,
                                      const FanOutWishes& wishes, std::string& obstacle) {
    std::string unable;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i] == nullptr)
            continue;
        const std::string reason = obstacle_to(role, *outputs[i], wishes);
        if (reason.empty())
            return i;
        unable += (unable.empty() ? "" : ", ") + fmt::format("{}: {}", outputs[i]->name(), reason);
    }
    obstacle = std::move(unable);
    return std::nullopt;
}

} // namespace

std::string obstacle_to(MemoryRole role, const Sink& output, const FanOutWishes& wishes) {
    if (std::string reason = output.why_not(role); !reason.empty())
        return reason;
    if (wishes.method && *wishes.method != method_of(role))
        return "excluded by the memory type that was asked for";
    return wishes.zero_copy && output.copies(role) > 0 ? "not zero-copy" : "";
}

FanOutPlan plan_fan_out(std::span<const Sink* const> outputs, MemoryRole role, const FanOutWishes& wishes) {
    FanOutPlan plan;
    const std::optional<std::size_t> able = first_able(outputs, role, wishes, plan.obstacle);
    for (const Sink* output : outputs)
        plan.roles.push_back(output == nullptr ? Roles{} : roles_of(*output, role, wishes));
    if (!able)
        return plan;
    const auto is_best = [&](const Roles& roles) { return !roles.empty() && roles.front() == role; };
    if (provides_memory(role))
        plan.provider = able;
    else if (std::ranges::none_of(plan.roles, is_best)) // somebody has to play it
        std::ranges::rotate(plan.roles[*able], std::ranges::find(plan.roles[*able], role));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i] == nullptr)
            continue;
        if (plan.provider == i)
            plan.copies += outputs[i]->copies(role);
        else if (!plan.roles[i].empty())
            plan.copies += outputs[i]->copies(plan.roles[i].front());
        else if (plan.obstacle.empty())
            plan.obstacle = fmt::format("{}: {}", outputs[i]->name(),
                                        obstacle_to(fitting_roles(role).front(), *outputs[i], wishes));
    }
    return plan;
}

} // namespace v4l2dma
