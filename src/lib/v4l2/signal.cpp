// SPDX-License-Identifier: MIT
#include "v4l2/signal.h"

namespace v4l2dma {

namespace {

Status look_at_timings(const Device& device, InputSignal& state) {
    const Result<DetectedTimings> detected = detect_timings(device);
    if (!detected)
        return std::unexpected(detected.error());
    state.signal = detected->signal;
    if (state.signal != Signal::locked)
        return {};
    const Result<std::optional<DvTimings>> current = get_timings(device);
    if (!current)
        return std::unexpected(current.error());
    // Measured clocks differ a little each time: what is said of them does not.
    if (*current && (*current)->text() == detected->timings.text())
        return {};
    state.other = detected->timings.text();
    state.setting = detected->timings;
    return {};
}

// Without a standard at the cable an analogue input still gives pictures: that alone is nothing to wait for.
Status look_at_standard(const Device& device, InputSignal& state) {
    const Result<DetectedStandard> detected = detect_standard(device);
    if (!detected)
        return std::unexpected(detected.error());
    if (detected->signal != Signal::locked)
        return {};
    const Result<std::optional<v4l2_std_id>> current = get_standard(device);
    if (!current)
        return std::unexpected(current.error());
    state.signal = Signal::locked;
    if (*current && (**current & detected->standard) != 0)
        return {};
    state.other = standard_text(detected->standard);
    state.setting = detected->standard;
    return {};
}

} // namespace

Result<InputSignal> look_at_signal(const Device& device) {
    const Result<std::optional<VideoInput>> input = current_input(device);
    if (!input)
        return std::unexpected(input.error());
    InputSignal state;
    if (!*input)
        return state;
    state.input = (*input)->name;
    Status status;
    if ((*input)->has_timings)
        status = look_at_timings(device, state);
    else if ((*input)->has_standards)
        status = look_at_standard(device, state);
    if (!status)
        return std::unexpected(std::move(status.error()));
    return state;
}

Status follow_signal(const Device& device, const InputSignal& signal) {
    if (const auto* timings = std::get_if<DvTimings>(&signal.setting))
        return set_timings(device, *timings);
    if (const auto* standard = std::get_if<v4l2_std_id>(&signal.setting))
        return set_standard(device, *standard);
    return {};
}

} // namespace v4l2dma
