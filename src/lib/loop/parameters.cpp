// SPDX-License-Identifier: MIT
#include "loop/parameters.h"

#include <algorithm>
#include <charconv>
#include <grp.h>
#include <set>
#include <uapi/v4l2dma.h>

namespace v4l2dma {

namespace {

std::unexpected<Error> usage(std::string_view option, std::string_view why, std::string_view remedy = {}) {
    return make_error(ErrorKind::usage, option, {}, why, remedy);
}

std::optional<long> to_number(std::string_view text) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

Status check_range(std::string_view option, std::optional<int> value, int min, int max) {
    if (!value || (*value >= min && *value <= max))
        return {};
    return usage(option, std::to_string(*value) + " is not possible, " + std::to_string(min) + " to " +
                             std::to_string(max) + " are");
}

Status check_ranges(const LoopParameters& wanted) {
    for (const Status& status :
         {check_range("--devices", wanted.devices, 1, max_loops),
          check_range("--min-buffers", wanted.min_buffers, fewest_buffers, most_buffers),
          check_range("--max-buffers", wanted.max_buffers, fewest_buffers, most_buffers),
          check_range("--support-dmabuf", wanted.support_dmabuf, 0, 1),
          check_range("--max-readers", wanted.max_readers, 1, most_readers),
          check_range("--debug", wanted.debug, 0, 9)})
        if (!status)
            return status;
    constexpr int default_min_buffers = 4;
    if (wanted.max_buffers && *wanted.max_buffers < wanted.min_buffers.value_or(default_min_buffers))
        return usage("--max-buffers",
                     std::to_string(*wanted.max_buffers) + " is less than the fewest buffers (" +
                         std::to_string(wanted.min_buffers.value_or(default_min_buffers)) + ")",
                     "Give a smaller --min-buffers, too");
    return {};
}

Status check_video_numbers(const std::vector<std::string>& numbers) {
    std::set<long> seen;
    for (const std::string& text : numbers) {
        const std::optional<long> number = to_number(text);
        if (!number || *number < -1 || *number > 255)
            return usage("--video-nr", "'" + text + "' is no device number",
                         "Numbers are 0 to 255, or -1 for any that is free");
        if (*number >= 0 && !seen.insert(*number).second)
            return usage("--video-nr", text + " is given twice");
    }
    return {};
}

Status check_labels(const std::vector<std::string>& labels) {
    constexpr std::size_t longest = V4L2DMA_LABEL_LEN - 1;
    for (const std::string& label : labels) {
        if (label.empty())
            return usage("--card-label", "a label is empty",
                         "A comma separates the labels of several loops, so no label can contain one");
        if (label.size() > longest)
            return usage("--card-label",
                         "'" + label + "' has more than " + std::to_string(longest) + " bytes");
        const bool unsafe = std::ranges::any_of(
            label, [](char c) { return c == '"' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
        if (unsafe)
            return usage("--card-label", "a label contains a quote or a control character",
                         "The kernel cannot take these in a module parameter");
    }
    return {};
}

Status check_lengths(const LoopParameters& wanted, std::size_t devices) {
    const std::string loops = std::to_string(devices) + (devices == 1 ? " loop" : " loops");
    if (devices > static_cast<std::size_t>(max_loops))
        return usage("load", loops + " are more than the module makes (" + std::to_string(max_loops) + ")");
    if (wanted.video_nr.size() > devices)
        return usage("--video-nr", std::to_string(wanted.video_nr.size()) + " numbers for " + loops);
    if (wanted.card_label.size() > devices)
        return usage("--card-label", std::to_string(wanted.card_label.size()) + " labels for " + loops,
                     "A comma separates labels, so no label can contain one");
    return {};
}

Status check_flags(const std::vector<std::string>& flags, std::size_t devices) {
    for (const std::string& flag : flags)
        if (flag != "0" && flag != "1")
            return usage("--exclusive-caps", "'" + flag + "' is neither 0 nor 1");
    if (flags.size() > 1 && flags.size() != devices)
        return usage("--exclusive-caps",
                     std::to_string(flags.size()) + " values for " + std::to_string(devices) + " loops",
                     "Give one for all loops, or one for each");
    return {};
}

Result<std::string> group_number(const std::string& group) {
    if (const std::optional<long> number = to_number(group)) {
        // The module takes an int; -1 means no group.
        if (*number >= 0 && *number <= INT32_MAX)
            return std::to_string(*number);
        return usage("--allowed-gid", group + " is no group number");
    }
    std::vector<char> names(1024);
    struct group entry {};
    struct group* found = nullptr;
    int code = 0;
    // ERANGE: the group's list of members is longer.
    while ((code = ::getgrnam_r(group.c_str(), &entry, names.data(), names.size(), &found)) == ERANGE)
        names.resize(names.size() * 2);
    if (code != 0)
        return system_error("look up the group", group, code);
    if (found == nullptr)
        return usage("--allowed-gid", "there is no group '" + group + "'");
    return std::to_string(entry.gr_gid);
}

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ",") + word;
    return text;
}

} // namespace

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> elements;
    for (;;) {
        const std::size_t comma = text.find(',');
        elements.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos)
            return elements;
        text.remove_prefix(comma + 1);
    }
}

Result<std::vector<ModuleParameter>> module_parameters(const LoopParameters& wanted) {
    const std::size_t longest = std::max(
        {std::size_t{1}, wanted.video_nr.size(), wanted.card_label.size(), wanted.exclusive_caps.size()});
    const std::size_t devices = wanted.devices ? static_cast<std::size_t>(*wanted.devices) : longest;
    for (const Status& status :
         {check_ranges(wanted), check_video_numbers(wanted.video_nr), check_labels(wanted.card_label),
          check_lengths(wanted, devices), check_flags(wanted.exclusive_caps, devices)})
        if (!status)
            return std::unexpected(status.error());

    std::vector<ModuleParameter> parameters;
    if (wanted.devices || devices > 1) // otherwise modprobe.d or the module's default decides
        parameters.push_back({"devices", std::to_string(devices)});
    const auto add_list = [&](const char* name, const std::vector<std::string>& values) {
        if (!values.empty())
            parameters.push_back({name, join(values)});
    };
    const auto add = [&](const char* name, std::optional<int> value) {
        if (value)
            parameters.push_back({name, std::to_string(*value)});
    };
    add_list("video_nr", wanted.video_nr);
    add_list("card_label", wanted.card_label);
    add_list("exclusive_caps", wanted.exclusive_caps);
    add("min_buffers", wanted.min_buffers);
    add("max_buffers", wanted.max_buffers);
    add("support_dmabuf", wanted.support_dmabuf);
    add("max_readers", wanted.max_readers);
    add("debug", wanted.debug);
    if (wanted.allowed_gid) {
        const Result<std::string> number = group_number(*wanted.allowed_gid);
        if (!number)
            return std::unexpected(number.error());
        parameters.push_back({"allowed_gid", *number});
    }
    return parameters;
}

} // namespace v4l2dma
