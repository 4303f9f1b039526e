// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <linux/videodev2.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace v4l2dma::testing {

/// A control as a driver has it.
struct FakeControl {
    std::uint32_t id = 0;
    std::uint32_t type = V4L2_CTRL_TYPE_INTEGER;
    std::string label;
    std::int64_t minimum = 0;
    std::int64_t maximum = 255;
    std::uint64_t step = 1;
    std::int64_t value = 0;
    std::string text{};                              ///< of a string
    std::uint32_t flags = 0;                         ///< V4L2_CTRL_FLAG_*
    std::uint32_t elements{};                        ///< of an array
    std::map<std::uint32_t, std::string> items{};    ///< of a menu
    std::map<std::uint32_t, std::int64_t> numbers{}; ///< of an integer menu
};

/// The controls of a FakeDevice: `device.beside = std::ref(controls)`. Like the kernel's control framework it
/// checks all before it sets the first, says with TRY which one is wrong, and clamps what is out of range.
class FakeControls {
public:
    std::vector<FakeControl> list; ///< in order of id
    bool extended = true;          ///< knows QUERY_EXT_CTRL and *_EXT_CTRLS; else QUERYCTRL and *_CTRL
    /// The errno with which the driver meets the setting of a control, after those before it were set.
    std::map<std::uint32_t, int> refuses;
    std::function<void(FakeControl&)> on_set; ///< after each; to switch others

    /// One of every type that can be written as text, and a heading, an array, a read-only control.
    static FakeControls of_every_type();

    [[nodiscard]] FakeControl& at(std::string_view label);
    int operator()(unsigned long request, void* argument);

private:
    FakeControl* find(std::uint32_t id);
    FakeControl* find_asked(std::uint32_t id);
    int describe(v4l2_query_ext_ctrl& query);
    int describe(v4l2_queryctrl& query);
    int menu(v4l2_querymenu& query);
    int get(v4l2_ext_controls& call);
    int exchange(v4l2_ext_controls& call, bool keep);
    int set(FakeControl& control, const v4l2_ext_control& wanted);
    int get_plain(v4l2_control& plain);
    int set_plain(const v4l2_control& plain);
};

} // namespace v4l2dma::testing
