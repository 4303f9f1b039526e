// SPDX-License-Identifier: MIT
#include "v4l2/control_settings.h"

#include "v4l2/control_value.h"

#include <algorithm>
#include <ranges>
#include <spdlog/fmt/fmt.h>
#include <vector>

namespace v4l2dma {

namespace {

/// A wish that was understood.
struct Plan {
    std::string text; ///< the wish as it was written
    ControlSetting setting;
};

std::string object_text(const Device& device, std::string_view wish) {
    return fmt::format("{} {}", device.path(), wish);
}

std::unexpected<Error> refuse(const Device& device, ErrorKind kind, std::string_view wish,
                              std::string_view detail, std::string_view remedy = {}) {
    return make_error(kind, "control", object_text(device, wish), detail, remedy);
}

std::unexpected<Error> inactive_error(const Device& device, const Plan& plan) {
    return refuse(device, ErrorKind::usage, plan.text,
                  "it has no effect as the device is set now: another control rules it, an automatic perhaps",
                  "Set that one, too, in the same command line");
}

Status check_settable(const Device& device, const Control& control, std::string_view wish) {
    if (control.has(V4L2_CTRL_FLAG_DISABLED))
        return refuse(device, ErrorKind::device, wish, "the driver has disabled it");
    if (control.has(V4L2_CTRL_FLAG_READ_ONLY))
        return refuse(device, ErrorKind::usage, wish, "it can only be read");
    if (control.has(V4L2_CTRL_FLAG_GRABBED))
        return refuse(device, ErrorKind::device, wish,
                      "it is in use and cannot change now, usually because the device streams",
                      "Stop the program that streams first");
    return {};
}

Result<Plan> plan_wish(const Device& device, std::span<const Control> controls, const std::string& text) {
    const Result<ControlWish> wish = parse_control_wish(text);
    if (!wish)
        return std::unexpected(wish.error());
    Result<Control> control = find_control(device, controls, wish->name);
    if (!control)
        return std::unexpected(std::move(control.error()));
    if (Status status = check_settable(device, *control, text); !status)
        return std::unexpected(std::move(status.error()));
    std::expected<ControlValue, std::string> value =
        parse_value(*control, menu_items(device, *control), wish->value);
    if (!value)
        return refuse(device, ErrorKind::usage, text, value.error());
    return Plan{.text = text, .setting = {.control = std::move(*control), .value = std::move(*value)}};
}

Result<std::vector<Plan>> plan_wishes(const Device& device, std::span<const std::string> wishes) {
    const Result<std::vector<Control>> controls = enumerate_controls(device);
    if (!controls)
        return std::unexpected(controls.error());
    std::vector<Plan> plans;
    for (const std::string& wish : wishes) {
        Result<Plan> plan = plan_wish(device, *controls, wish);
        if (!plan)
            return std::unexpected(std::move(plan.error()));
        const std::uint32_t id = plan->setting.control.id;
        if (std::ranges::any_of(plans, [id](const Plan& other) { return other.setting.control.id == id; }))
            return refuse(device, ErrorKind::usage, wish, "the control is given more than once");
        plans.push_back(std::move(*plan));
    }
    return plans;
}

/// Sets in steps, and knows the way back.
class Transaction {
public:
    explicit Transaction(const Device& device) : device_(device) {}

    /// All of @p plans, or an error after which nothing of the whole transaction is set.
    Status set(std::span<const Plan> plans) {
        std::vector<ControlSetting> settings;
        for (const Plan& plan : plans)
            settings.push_back(plan.setting);
        if (const SetAnswer refusal = try_controls(device_, settings); refusal.code != 0)
            return fail(refusal, plans, "TRY_EXT_CTRLS");
        remember(settings);
        if (const SetAnswer refusal = set_controls(device_, settings); refusal.code != 0)
            return fail(refusal, plans, "S_EXT_CTRLS");
        return {};
    }
    /// As well as it goes: each for itself, because one that cannot go back must not hold up the others; the
    /// last first, as long as what activated it is still set.
    void undo() noexcept {
        for (const ControlSetting& setting : previous_ | std::views::reverse)
            static_cast<void>(set_controls(device_, {&setting, 1}));
        previous_.clear();
    }

private:
    void remember(std::span<const ControlSetting> settings) {
        for (const ControlSetting& setting : settings)
            if (Result<ControlValue> value = get_control(device_, setting.control))
                previous_.push_back({.control = setting.control, .value = std::move(*value)});
    }
    Status fail(const SetAnswer& refusal, std::span<const Plan> plans, std::string_view call) {
        undo();
        const std::string object =
            refusal.culprit ? object_text(device_, plans[*refusal.culprit].text) : device_.path();
        Error error = system_error(call, object, refusal.code).error();
        if (refusal.code == EINVAL || refusal.code == ERANGE) {
            error.kind = ErrorKind::usage;
            error.detail = "the driver refuses this value";
        } else if (refusal.code == EBUSY) {
            error.kind = ErrorKind::device;
            error.detail = "it cannot change while the device is in use";
        } else if (refusal.code == EACCES) {
            error.kind = ErrorKind::device;
            error.detail = "the driver does not let it be set now";
        }
        return std::unexpected(std::move(error));
    }

    const Device& device_;
    std::vector<ControlSetting> previous_;
};

Status check_activated(const Device& device, std::span<const Plan> plans) {
    for (const Plan& plan : plans) {
        const Result<Control> now = query_control(device, plan.setting.control.id);
        if (!now)
            return std::unexpected(now.error());
        if (now->has(V4L2_CTRL_FLAG_INACTIVE))
            return inactive_error(device, plan);
    }
    return {};
}

} // namespace

Result<ControlWish> parse_control_wish(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return make_error(ErrorKind::usage, "control", text, "it is not NAME=VALUE");
    return ControlWish{.name = text.substr(0, equals), .value = text.substr(equals + 1)};
}

Status apply_controls(const Device& device, std::span<const std::string> wishes) {
    if (wishes.empty())
        return {};
    Result<std::vector<Plan>> plans = plan_wishes(device, wishes);
    if (!plans)
        return std::unexpected(std::move(plans.error()));
    const auto late = std::ranges::stable_partition(
        *plans, [](const Plan& plan) { return !plan.setting.control.has(V4L2_CTRL_FLAG_INACTIVE); });
    const std::span<const Plan> active(plans->begin(), late.begin());
    const std::span<const Plan> inactive(late.begin(), late.end());
    if (active.empty())
        return inactive_error(device, inactive.front());
    Transaction transaction(device);
    if (Status status = transaction.set(active); !status || inactive.empty())
        return status;
    if (Status status = check_activated(device, inactive); !status) {
        transaction.undo();
        return status;
    }
    return transaction.set(inactive);
}

} // namespace v4l2dma
