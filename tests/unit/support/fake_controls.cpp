// SPDX-License-Identifier: MIT
#include "support/fake_controls.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace v4l2dma::testing {

namespace {

constexpr std::uint32_t user = 0x00980900;

template <typename Char, std::size_t size> void copy_text(Char (&field)[size], const std::string& text) {
    std::memcpy(field, text.data(), std::min(text.size(), size - 1));
}

bool is_compound(const FakeControl& control) {
    return control.type >= V4L2_CTRL_COMPOUND_TYPES || control.elements > 0;
}

int check(const FakeControl& control, const v4l2_ext_control& wanted) {
    if ((control.flags & V4L2_CTRL_FLAG_READ_ONLY) != 0)
        return -EACCES;
    const bool menu = !control.items.empty() || !control.numbers.empty();
    const auto index = static_cast<std::uint32_t>(wanted.value);
    return menu && !control.items.contains(index) && !control.numbers.contains(index) ? -EINVAL : 0;
}

} // namespace

FakeControls FakeControls::of_every_type() {
    FakeControls controls;
    controls.list = {
        {.id = user + 0x00, .type = V4L2_CTRL_TYPE_CTRL_CLASS, .label = "User Controls"},
        {.id = user + 0x01, .label = "Brightness", .minimum = -10, .maximum = 10, .step = 5},
        {.id = user + 0x02,
         .type = V4L2_CTRL_TYPE_BOOLEAN,
         .label = "White Balance, Automatic",
         .maximum = 1,
         .value = 1},
        {.id = user + 0x03,
         .type = V4L2_CTRL_TYPE_MENU,
         .label = "Auto Exposure",
         .maximum = 3,
         .items = {{0, "Auto Mode"}, {1, "Manual Mode"}, {3, "Aperture Priority Mode"}}},
        {.id = user + 0x04,
         .type = V4L2_CTRL_TYPE_INTEGER_MENU,
         .label = "Link Frequency",
         .maximum = 2,
         .numbers = {{0, 1}, {1, 400}, {2, 800}}},
        {.id = user + 0x05,
         .type = V4L2_CTRL_TYPE_INTEGER64,
         .label = "Integer 64 Bits",
         .minimum = INT64_MIN,
         .maximum = INT64_MAX},
        {.id = user + 0x06,
         .type = V4L2_CTRL_TYPE_BITMASK,
         .label = "Bitmask",
         .maximum = static_cast<std::int32_t>(0x80402010U)},
        {.id = user + 0x07, .type = V4L2_CTRL_TYPE_STRING, .label = "Name", .minimum = 2, .maximum = 4},
        {.id = user + 0x08, .type = V4L2_CTRL_TYPE_BUTTON, .label = "Push", .maximum = 0},
        {.id = user + 0x09, .label = "Lamp", .flags = V4L2_CTRL_FLAG_READ_ONLY},
        {.id = user + 0x0a, .label = "Matrix", .elements = 4},
        {.id = user + 0x0b, .type = V4L2_CTRL_TYPE_AREA, .label = "Area"},
    };
    return controls;
}

FakeControl& FakeControls::at(std::string_view label) {
    const auto found = std::ranges::find(list, label, &FakeControl::label);
    if (found == list.end())
        throw std::out_of_range("no such fake control");
    return *found;
}

FakeControl* FakeControls::find(std::uint32_t id) {
    const auto found = std::ranges::find(list, id, &FakeControl::id);
    return found == list.end() ? nullptr : &*found;
}

// As VIDIOC_QUERY*CTRL asks: an id, or the next one above it of the wanted kinds.
FakeControl* FakeControls::find_asked(std::uint32_t id) {
    const std::uint32_t bare = id & V4L2_CTRL_ID_MASK;
    if (bare == id)
        return find(id);
    for (FakeControl& control : list)
        if (control.id > bare && (!is_compound(control) || (id & V4L2_CTRL_FLAG_NEXT_COMPOUND) != 0))
            return &control;
    return nullptr;
}

int FakeControls::operator()(unsigned long request, void* argument) {
    switch (request) {
    case VIDIOC_QUERYCTRL:
        return describe(*static_cast<v4l2_queryctrl*>(argument));
    case VIDIOC_QUERYMENU:
        return menu(*static_cast<v4l2_querymenu*>(argument));
    case VIDIOC_G_CTRL:
        return get_plain(*static_cast<v4l2_control*>(argument));
    case VIDIOC_S_CTRL:
        return set_plain(*static_cast<v4l2_control*>(argument));
    default:
        break;
    }
    if (!extended)
        return -ENOTTY;
    switch (request) {
    case VIDIOC_QUERY_EXT_CTRL:
        return describe(*static_cast<v4l2_query_ext_ctrl*>(argument));
    case VIDIOC_G_EXT_CTRLS:
        return get(*static_cast<v4l2_ext_controls*>(argument));
    case VIDIOC_TRY_EXT_CTRLS:
    case VIDIOC_S_EXT_CTRLS:
        return exchange(*static_cast<v4l2_ext_controls*>(argument), request == VIDIOC_S_EXT_CTRLS);
    default:
        return -ENOTTY;
    }
}

int FakeControls::describe(v4l2_query_ext_ctrl& query) {
    const FakeControl* const control = find_asked(query.id);
    if (control == nullptr)
        return -EINVAL;
    query = {};
    query.id = control->id;
    query.type = control->type;
    copy_text(query.name, control->label);
    query.minimum = control->minimum;
    query.maximum = control->maximum;
    query.step = control->step;
    query.flags = control->flags;
    query.nr_of_dims = control->elements > 0 ? 1 : 0;
    return 0;
}

int FakeControls::describe(v4l2_queryctrl& query) {
    const FakeControl* const control = find_asked(query.id);
    if (control == nullptr || is_compound(*control))
        return -EINVAL;
    query = {};
    query.id = control->id;
    query.type = control->type;
    copy_text(query.name, control->label);
    query.minimum = static_cast<__s32>(control->minimum);
    query.maximum = static_cast<__s32>(control->maximum);
    query.step = static_cast<__s32>(control->step);
    query.flags = control->flags;
    return 0;
}

int FakeControls::menu(v4l2_querymenu& query) {
    const FakeControl* const control = find(query.id);
    if (control == nullptr)
        return -EINVAL;
    if (const auto item = control->items.find(query.index); item != control->items.end()) {
        std::memset(query.name, 0, sizeof query.name);
        std::memcpy(query.name, item->second.data(), std::min(item->second.size(), sizeof query.name - 1));
        return 0;
    }
    if (const auto number = control->numbers.find(query.index); number != control->numbers.end()) {
        query.value = number->second;
        return 0;
    }
    return -EINVAL;
}

int FakeControls::get(v4l2_ext_controls& call) {
    for (std::uint32_t i = 0; i < call.count; ++i) {
        v4l2_ext_control& asked = call.controls[i];
        const FakeControl* const control = find(asked.id);
        if (control == nullptr)
            return -EINVAL;
        if ((control->flags & V4L2_CTRL_FLAG_WRITE_ONLY) != 0 || control->type == V4L2_CTRL_TYPE_BUTTON)
            return -EACCES;
        if (control->type == V4L2_CTRL_TYPE_STRING) {
            if (asked.size < control->text.size() + 1)
                return -ENOSPC;
            std::memcpy(asked.string, control->text.c_str(), control->text.size() + 1);
        } else if (control->type == V4L2_CTRL_TYPE_INTEGER64) {
            asked.value64 = control->value;
        } else {
            asked.value = static_cast<__s32>(control->value);
        }
    }
    return 0;
}

int FakeControls::exchange(v4l2_ext_controls& call, bool keep) {
    call.error_idx = call.count;
    for (std::uint32_t i = 0; i < call.count; ++i) {
        const FakeControl* const control = find(call.controls[i].id);
        const int result = control == nullptr ? -EINVAL : check(*control, call.controls[i]);
        if (result == 0)
            continue;
        call.error_idx = keep ? call.count : i;
        return result;
    }
    for (std::uint32_t i = 0; keep && i < call.count; ++i) {
        call.error_idx = i;
        if (const int result = set(*find(call.controls[i].id), call.controls[i]); result < 0)
            return result;
    }
    return 0;
}

int FakeControls::set(FakeControl& control, const v4l2_ext_control& wanted) {
    if (const auto refusal = refuses.find(control.id); refusal != refuses.end())
        return -refusal->second;
    if (control.type == V4L2_CTRL_TYPE_STRING)
        control.text = wanted.string;
    else if (control.type == V4L2_CTRL_TYPE_INTEGER64)
        control.value = wanted.value64;
    else if (control.type == V4L2_CTRL_TYPE_INTEGER)
        control.value = std::clamp<std::int64_t>(wanted.value, control.minimum, control.maximum);
    else
        control.value = wanted.value;
    if (on_set)
        on_set(control);
    return 0;
}

int FakeControls::get_plain(v4l2_control& plain) {
    const FakeControl* const control = find(plain.id);
    if (control == nullptr || control->type == V4L2_CTRL_TYPE_STRING)
        return -EINVAL;
    plain.value = static_cast<__s32>(control->value);
    return 0;
}

int FakeControls::set_plain(const v4l2_control& plain) {
    FakeControl* const control = find(plain.id);
    v4l2_ext_control wanted{};
    wanted.value = plain.value;
    const int result = control == nullptr ? -EINVAL : check(*control, wanted);
    return result < 0 ? result : set(*control, wanted);
}

} // namespace v4l2dma::testing
