// SPDX-License-Identifier: MIT
// v4l2dma_input_probe DEV [NAME=VALUE]... - sets the controls, and prints which events that made, one a line,
// and what is at the input then: "input HDMI 000-0 timings", "signal there is no signal at the input". Asks
// for the timings of the wire and sets them, if there are any.
#include "v4l2/control_settings.h"
#include "v4l2/event.h"
#include "v4l2/timings.h"

#include <cstdio>
#include <spdlog/fmt/fmt.h>

using namespace v4l2dma;

namespace {

int fail(const Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return 1;
}

Status print_events(const Device& device) {
    while (true) {
        const Result<std::optional<Event>> event = dequeue_event(device);
        if (!event)
            return std::unexpected(event.error());
        if (!*event)
            return {};
        if (const auto* change = std::get_if<SourceChange>(&(*event)->what))
            fmt::print("source change, input {}, {}\n", change->input,
                       change->resolution ? "resolution" : "same resolution");
        else if (const auto* control = std::get_if<ControlChange>(&(*event)->what))
            fmt::print("control {:#x} is {}\n", control->id, control->value);
    }
}

Status print_timings(const Device& device) {
    const Result<DetectedTimings> detected = detect_timings(device);
    if (!detected)
        return std::unexpected(detected.error());
    fmt::print("signal {}\n", to_sentence(detected->signal));
    if (detected->signal != Signal::locked)
        return {};
    if (Status status = set_timings(device, detected->timings); !status)
        return status;
    const Result<std::optional<DvTimings>> now = get_timings(device);
    if (!now)
        return std::unexpected(now.error());
    fmt::print("timings {}\n", *now ? (*now)->text() : "none");
    return {};
}

Status print_standard(const Device& device) {
    const Result<DetectedStandard> detected = detect_standard(device);
    if (!detected)
        return std::unexpected(detected.error());
    fmt::print("signal {}\n", to_sentence(detected->signal));
    if (detected->signal == Signal::locked)
        fmt::print("standard {}\n", standard_text(detected->standard));
    return {};
}

Status probe(const Device& device, const std::vector<std::string>& wishes) {
    const Result<std::optional<VideoInput>> input = current_input(device);
    if (!input)
        return std::unexpected(input.error());
    const std::uint32_t index = *input ? (*input)->index : 0;
    const Result<bool> subscribed = subscribe(device, {.kind = EventKind::source_change, .id = index});
    if (!subscribed)
        return std::unexpected(subscribed.error());
    const Result<bool> brightness =
        subscribe(device, {.kind = EventKind::control, .id = V4L2_CID_BRIGHTNESS, .initial = true});
    if (!brightness)
        return std::unexpected(brightness.error());
    fmt::print("events {} {}\n", *subscribed, *brightness);
    if (Status status = apply_controls(device, wishes); !status)
        return status;
    if (Status status = print_events(device); !status)
        return status;
    if (!*input)
        return {};
    fmt::print("input {}{}{}\n", (*input)->name, (*input)->has_timings ? " timings" : "",
               (*input)->has_standards ? " standards" : "");
    if ((*input)->has_timings)
        return print_timings(device);
    return (*input)->has_standards ? print_standard(device) : Status{};
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: v4l2dma_input_probe DEV [NAME=VALUE]...\n", stderr);
        return 2;
    }
    const Result<Device> device = Device::open(argv[1]);
    if (!device)
        return fail(device.error());
    const Status status = probe(*device, std::vector<std::string>(argv + 2, argv + argc));
    return status ? 0 : fail(status.error());
}
