// SPDX-License-Identifier: MIT
#include "loop/parameters.h"

#include <algorithm>
#include <charconv>
#include <grp.h>
#include <set>
#include <uapi/v4l2dma.h>

namespace v4l2dma {

namespace {

using P = LoopParameters;
using C = LoopConfig;
constexpr LoopNumber numbers[] = {
    {"--min-buffers", "min_buffers", "Fewest buffers of a loop, 2 to 32 (4)", &P::min_buffers,
     &C::min_buffers, 2, 32, 0},
    {"--max-buffers", "max_buffers", "Most buffers of a loop, up to 32 (32)", &P::max_buffers,
     &C::max_buffers, 2, 32, 0},
    {"--max-readers", "max_readers", "Most readers of a loop at a time, 1 to 64 (8)", &P::max_readers,
     &C::max_readers, 1, 64, V4L2DMA_SET_MAX_READERS},
    {"--max-openers", "max_openers", "Most times that a loop may be open, 1 to 1024 (1024)", &P::max_openers,
     &C::max_openers, 1, 1024, V4L2DMA_SET_MAX_OPENERS},
    {"--max-pending", "max_pending", "Most frames that wait for one reader, 1 to 32 (2)", &P::max_pending,
     &C::max_pending, 1, 32, V4L2DMA_SET_MAX_PENDING},
    {"--reclaim-ms", "reclaim_ms", "How long a reader may keep a frame while the writer has none left (500)",
     &P::reclaim_ms, &C::reclaim_ms, 1, 60000, V4L2DMA_SET_RECLAIM_MS},
    {"--max-width", "max_width", "Largest width of a frame, 16 to 8192 (8192)", &P::max_width, &C::max_width,
     16, 8192, 0},
    {"--max-height", "max_height", "Largest height of a frame, 16 to 8192 (8192)", &P::max_height,
     &C::max_height, 16, 8192, 0},
    {"--timeout", "timeout", "Show readers a picture after so many ms without a frame, 0: never (0)",
     &P::timeout, &C::timeout_ms, 0, 3600000, V4L2DMA_SET_TIMEOUT},
    {"--debug", "debug", "Verbosity of the module in the kernel log, 0 to 9 (0)", &P::debug, &C::debug, 0, 9,
     V4L2DMA_SET_DEBUG},
};

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

Status check_word(std::string_view option, const std::optional<std::string>& value, std::string_view first,
                  std::string_view second) {
    if (!value || *value == first || *value == second)
        return {};
    return usage(option, "'" + *value + "' is neither " + std::string(first) + " nor " + std::string(second));
}

Status check_ranges(const LoopParameters& wanted) {
    for (const LoopNumber& number : numbers)
        if (Status status = check_range(number.option, wanted.*number.value, number.min, number.max); !status)
            return status;
    for (const Status& status : {check_range("--devices", wanted.devices, 1, max_loops),
                                 check_range("--support-dmabuf", wanted.support_dmabuf, 0, 1),
                                 check_range("--contiguous", wanted.contiguous, 0, 1),
                                 check_range("--multiplanar", wanted.multiplanar, 0, 1),
                                 check_word("--nodes", wanted.nodes, "single", "split"),
                                 check_word("--overrun", wanted.overrun, "leaky", "lossless")})
        if (!status)
            return status;
    if (wanted.nodes == "split" &&
        std::ranges::find(wanted.exclusive_caps, "1") != wanted.exclusive_caps.end())
        return usage("--nodes", "split nodes have one side each, so --exclusive-caps has no meaning there");
    constexpr int default_min_buffers = 4;
    if (wanted.max_buffers && *wanted.max_buffers < wanted.min_buffers.value_or(default_min_buffers))
        return usage("--max-buffers",
                     std::to_string(*wanted.max_buffers) + " is less than the fewest buffers (" +
                         std::to_string(wanted.min_buffers.value_or(default_min_buffers)) + ")",
                     "Give a smaller --min-buffers, too");
    return {};
}

Status check_video_numbers(std::string_view option, const std::vector<std::string>& list,
                           std::set<long>& seen) {
    for (const std::string& text : list) {
        const std::optional<long> number = to_number(text);
        // The kernel would take 010 for 8.
        if (!number || *number < -1 || *number > 255 || text != std::to_string(*number))
            return usage(option, "'" + text + "' is no device number",
                         "Numbers are 0 to 255 without leading zeros, or -1 for any that is free");
        if (*number >= 0 && !seen.insert(*number).second)
            return usage(option, text + " is given twice");
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
    if (wanted.capture_nr.size() > devices)
        return usage("--capture-nr", std::to_string(wanted.capture_nr.size()) + " numbers for " + loops);
    if (!wanted.capture_nr.empty() && wanted.nodes != "split")
        return usage("--capture-nr", "there is a node of its own for readers only with --nodes split");
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

Status set_group(LoopConfig& config, const std::optional<std::string>& group) {
    if (!group)
        return {};
    const Result<std::string> number = group_number(*group);
    if (!number)
        return std::unexpected(number.error());
    config.flags |= V4L2DMA_LOOP_ALLOWED_GID_SET;
    config.allowed_gid = static_cast<std::uint32_t>(*to_number(*number));
    return {};
}

/// Everything that can be checked without the system; answers how many loops are wanted.
Result<std::size_t> checked_number_of_loops(const LoopParameters& wanted) {
    const std::size_t longest = std::max({std::size_t{1}, wanted.video_nr.size(), wanted.capture_nr.size(),
                                          wanted.card_label.size(), wanted.exclusive_caps.size()});
    const std::size_t devices = wanted.devices ? static_cast<std::size_t>(*wanted.devices) : longest;
    std::set<long> seen;
    for (const Status& status :
         {check_ranges(wanted), check_video_numbers("--video-nr", wanted.video_nr, seen),
          check_video_numbers("--capture-nr", wanted.capture_nr, seen), check_labels(wanted.card_label),
          check_lengths(wanted, devices), check_flags(wanted.exclusive_caps, devices)})
        if (!status)
            return std::unexpected(status.error());
    return devices;
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

std::span<const LoopNumber> loop_numbers() {
    return numbers;
}

Result<std::vector<ModuleParameter>> module_parameters(const LoopParameters& wanted) {
    const Result<std::size_t> devices = checked_number_of_loops(wanted);
    if (!devices)
        return std::unexpected(devices.error());
    std::vector<ModuleParameter> parameters;
    if (wanted.devices || *devices > 1) // otherwise modprobe.d or the module's default decides
        parameters.push_back({"devices", std::to_string(*devices)});
    const auto add_list = [&](const char* name, const std::vector<std::string>& values) {
        if (!values.empty())
            parameters.push_back({name, join(values)});
    };
    const auto add = [&](const char* name, std::optional<int> value) {
        if (value)
            parameters.push_back({name, std::to_string(*value)});
    };
    add_list("video_nr", wanted.video_nr);
    add_list("capture_nr", wanted.capture_nr);
    add_list("card_label", wanted.card_label);
    add_list("exclusive_caps", wanted.exclusive_caps);
    if (wanted.nodes)
        parameters.push_back({"nodes", *wanted.nodes});
    if (wanted.overrun)
        parameters.push_back({"overrun", *wanted.overrun});
    add("support_dmabuf", wanted.support_dmabuf);
    add("contiguous", wanted.contiguous);
    add("multiplanar", wanted.multiplanar);
    for (const LoopNumber& number : numbers)
        add(number.parameter, wanted.*number.value);
    if (wanted.allowed_gid) {
        const Result<std::string> number = group_number(*wanted.allowed_gid);
        if (!number)
            return std::unexpected(number.error());
        parameters.push_back({"allowed_gid", *number});
    }
    return parameters;
}

Result<LoopConfig> loop_config(const LoopParameters& wanted) {
    const Result<std::size_t> devices = checked_number_of_loops(wanted);
    if (!devices)
        return std::unexpected(devices.error());
    if (*devices > 1)
        return usage("--add", "it makes one loop", "Call it once for each");
    LoopConfig config{};
    config.video_nr = wanted.video_nr.empty() ? -1 : static_cast<int>(*to_number(wanted.video_nr.front()));
    config.capture_nr =
        wanted.capture_nr.empty() ? -1 : static_cast<int>(*to_number(wanted.capture_nr.front()));
    if (!wanted.card_label.empty())
        std::ranges::copy(wanted.card_label.front(), config.card_label); // it is short enough, and the rest 0
    if (wanted.exclusive_caps == std::vector<std::string>{"1"})
        config.flags |= V4L2DMA_LOOP_EXCLUSIVE_CAPS;
    if (wanted.support_dmabuf == 0)
        config.flags |= V4L2DMA_LOOP_NO_DMABUF;
    if (wanted.contiguous == 1)
        config.flags |= V4L2DMA_LOOP_CONTIGUOUS;
    if (wanted.multiplanar == 1)
        config.flags |= V4L2DMA_LOOP_MULTIPLANAR;
    if (wanted.nodes == "split")
        config.flags |= V4L2DMA_LOOP_SPLIT_NODES;
    if (wanted.overrun == "lossless")
        config.flags |= V4L2DMA_LOOP_LOSSLESS;
    for (const LoopNumber& number : numbers)
        config.*number.config = static_cast<std::uint32_t>((wanted.*number.value).value_or(0));
    if (const Status status = set_group(config, wanted.allowed_gid); !status)
        return std::unexpected(status.error());
    return config;
}

Result<LoopChange> loop_change(const LoopParameters& wanted) {
    LoopParameters changeable;
    changeable.allowed_gid = wanted.allowed_gid == "none" ? std::nullopt : wanted.allowed_gid;
    LoopChange change;
    for (const LoopNumber& number : numbers) {
        if (!(wanted.*number.value))
            continue;
        if (number.set == 0)
            return usage(number.option, "it is fixed while the loop exists",
                         "Remove the loop and add another");
        changeable.*number.value = wanted.*number.value;
        change.which |= number.set;
    }
    if (wanted.devices || !wanted.video_nr.empty() || !wanted.capture_nr.empty() ||
        !wanted.card_label.empty() || !wanted.exclusive_caps.empty() || wanted.nodes || wanted.overrun ||
        wanted.support_dmabuf || wanted.contiguous || wanted.multiplanar)
        return usage("--set", "numbers, names, nodes, overrun and memory are fixed while the loop exists",
                     "Remove the loop and add another");
    if (wanted.allowed_gid)
        change.which |= V4L2DMA_SET_ALLOWED_GID;
    if (change.which == 0)
        return usage("--set", "there is nothing to change", "Give one of the options that --help lists");
    Result<LoopConfig> config = loop_config(changeable);
    if (!config)
        return std::unexpected(std::move(config.error()));
    change.config = *config;
    return change;
}

} // namespace v4l2dma
