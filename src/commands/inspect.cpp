// SPDX-License-Identifier: MIT
#include "commands/inspect.h"

#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/table.h"
#include "commands/control_report.h"
#include "commands/loop_report.h"
#include "loop/control.h"
#include "v4l2/device.h"
#include "v4l2/format.h"
#include "v4l2/queue.h"

#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

/// One direction of a device.
struct SideReport {
    BufferType type{};
    std::optional<FrameFormat> format; ///< empty if the device does not say
    std::optional<double> frame_rate;
    std::vector<FormatDescription> offers;
    MemorySupport memory;
};

struct LoopReport {
    LoopInfo info{};
    LoopStats stats{};
    std::vector<ReaderStats> readers;
};

struct DeviceReport {
    std::string path;
    Capability capability;
    std::vector<SideReport> sides;
    std::optional<LoopReport> loop;
    std::string loop_unknown;                           ///< why a loop's counters are missing
    std::optional<std::vector<ControlReport>> controls; ///< of a device that was asked for by name
    std::string controls_unknown;                       ///< why they are missing
};

SideReport inspect_side(const Device& device, BufferType type) {
    SideReport side;
    side.type = type;
    if (Result<FrameFormat> format = get_format(device, type))
        side.format = *format;
    side.frame_rate = get_frame_rate(device, type);
    side.offers = enumerate_formats(device, type);
    if (device.capability().can_stream())
        side.memory = probe_memory(device, type);
    else
        side.memory = {.mmap = ENOTTY, .userptr = ENOTTY, .dmabuf = ENOTTY, .expbuf = ENOTTY};
    return side;
}

Result<LoopReport> inspect_loop(const Device& device) {
    const Result<ControlNode> control = ControlNode::open();
    if (!control)
        return std::unexpected(control.error());
    const Result<std::optional<LoopInfo>> info = control->find(device.number());
    if (!info)
        return std::unexpected(info.error());
    if (!*info)
        return make_error(ErrorKind::device, "find the loop", device.path(), "it is gone");
    const Result<LoopStats> stats = control->stats((*info)->id);
    if (!stats)
        return std::unexpected(stats.error());
    Result<std::vector<ReaderStats>> readers = control->readers((*info)->id);
    if (!readers)
        return std::unexpected(readers.error());
    return LoopReport{.info = **info, .stats = *stats, .readers = std::move(*readers)};
}

DeviceReport inspect_device(const Device& device, bool with_controls) {
    DeviceReport report;
    report.path = device.path();
    report.capability = device.capability();
    // The counters first: the probes below are a reader and a writer of their own for a moment.
    if (report.capability.is_loop()) {
        Result<LoopReport> loop = inspect_loop(device);
        if (loop)
            report.loop = std::move(*loop);
        else
            report.loop_unknown =
                is_not_permitted(loop.error()) ? "only root may see them" : loop.error().message();
    }
    for (const BufferType type : {BufferType::capture, BufferType::output})
        if (report.capability.is(type))
            report.sides.push_back(inspect_side(device, type));
    if (!with_controls)
        return report;
    if (Result<std::vector<ControlReport>> controls = inspect_controls(device))
        report.controls = std::move(*controls);
    else
        report.controls_unknown = controls.error().message();
    return report;
}

std::vector<std::string> capability_names(const Capability& capability) {
    std::vector<std::string> names;
    const auto add = [&](bool has, const char* name) {
        if (has)
            names.emplace_back(name);
    };
    add(capability.is_capture(), "capture");
    add(capability.is_output(), "output");
    add(capability.is_multiplanar(BufferType::capture), "multi-planar capture");
    add(capability.is_multiplanar(BufferType::output), "multi-planar output");
    add(capability.is_memory_to_memory(), "memory-to-memory");
    add(capability.is_metadata(), "metadata");
    add(capability.can_read_write(), "read/write");
    add(capability.can_stream(), "streaming");
    return names;
}

/// Of a probe: a device that is busy, or a process at its limits, tells nothing about what it could do.
std::string_view answer(int code) {
    switch (code) {
    case 0:
        return "yes";
    case EBUSY:
        return "busy";
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return "unknown";
    default:
        return "no";
    }
}

// --- for people ---

std::string format_text(const SideReport& side) {
    if (!side.format)
        return "unknown";
    std::string text = fmt::format("{}, {} bytes/line, {} bytes", side.format->text(),
                                   side.format->bytesperline(), side.format->sizeimage());
    if (side.frame_rate)
        text += fmt::format(", {:.6g} fps", *side.frame_rate);
    return text;
}

/// As many rows as it takes: a driver may offer a hundred formats.
void add_offers(Table& table, const std::vector<FormatDescription>& offers) {
    std::vector<std::string> names;
    for (const FormatDescription& offer : offers)
        names.push_back(offer.fourcc.text() + (offer.compressed ? " (compressed)" : "") +
                        (offer.emulated ? " (emulated)" : ""));
    if (names.empty())
        names.emplace_back("none listed");
    const std::vector<std::string> lines = wrap_list(names);
    for (std::size_t i = 0; i < lines.size(); ++i)
        table.add({i == 0 ? "  formats" : "", lines[i]});
}

std::string memory_text(const SideReport& side, bool can_read_write) {
    if (side.memory.busy())
        return "not tried: another program uses this side";
    const std::string_view file_io = side.type == BufferType::capture ? "read()" : "write()";
    return fmt::format("mmap {}, userptr {}, dmabuf {}, export {}, {} {}", answer(side.memory.mmap),
                       answer(side.memory.userptr), answer(side.memory.dmabuf), answer(side.memory.expbuf),
                       file_io, can_read_write ? "yes" : "no");
}

/// What is not as every loop has it; empty if nothing is.
std::string peculiarities(const LoopInfo& info) {
    std::vector<std::string> words;
    if ((info.config.flags & V4L2DMA_LOOP_SPLIT_NODES) != 0)
        words.push_back("split nodes " + nodes_text(info));
    if ((info.config.flags & V4L2DMA_LOOP_EXCLUSIVE_CAPS) != 0)
        words.emplace_back("exclusive capabilities");
    if ((info.config.flags & V4L2DMA_LOOP_LOSSLESS) != 0)
        words.emplace_back("lossless");
    if ((info.config.flags & V4L2DMA_LOOP_CONTIGUOUS) != 0)
        words.emplace_back("contiguous memory");
    if ((info.config.flags & V4L2DMA_LOOP_MULTIPLANAR) != 0)
        words.emplace_back("multi-planar");
    if ((info.config.flags & V4L2DMA_LOOP_NO_DMABUF) != 0)
        words.emplace_back("no DMABUF");
    if (info.config.timeout_ms > 0)
        words.push_back(fmt::format("a picture after {} ms without a frame", info.config.timeout_ms));
    if ((info.config.flags & V4L2DMA_LOOP_ALLOWED_GID_SET) != 0)
        words.push_back(fmt::format("only group {}", info.config.allowed_gid));
    return fmt::format("{}", fmt::join(words, ", "));
}

void add_loop(Table& table, const LoopReport& loop) {
    const LoopInfo& info = loop.info;
    const LoopStats& stats = loop.stats;
    if (const std::string words = peculiarities(info); !words.empty())
        table.add({"set to", words});
    table.add({"loop", fmt::format("{} slots ({} to {}), {}", info.slots, info.config.min_buffers,
                                   info.config.max_buffers, users_text(info))});
    table.add({"frames",
               fmt::format("{} written, {} delivered, {} dropped, {} reclaimed, {} orphaned", stats.frames,
                           stats.delivered, stats.dropped, stats.reclaimed, stats.orphaned)});
    if (stats.placeholders > 0 || stats.repeated > 0)
        table.add({"of its own", fmt::format("{} pictures without a signal, {} frames repeated",
                                             stats.placeholders, stats.repeated)});
    table.add({"copies", fmt::format("{} frames, {} bytes", stats.copies, stats.copied_bytes)});
    for (const ReaderStats& reader : loop.readers)
        table.add({"reader", fmt::format("pid {} {}: {}, {} delivered, {} dropped, {} held, {} waiting, "
                                         "{} copies of {} bytes, {} reclaimed",
                                         reader.pid, command_name(reader), memory_name(reader.memory),
                                         reader.delivered, reader.dropped, reader.held, reader.waiting,
                                         reader.copies, reader.copied_bytes, reader.reclaimed)});
}

std::string to_text(const DeviceReport& report) {
    const Capability& capability = report.capability;
    Table table;
    table.add({"driver", capability.driver()});
    table.add({"card", capability.card()});
    table.add({"bus", capability.bus_info()});
    table.add({"can", fmt::format("{}", fmt::join(capability_names(capability), ", "))});
    for (const SideReport& side : report.sides) {
        table.add({std::string(to_text(side.type)), format_text(side)});
        add_offers(table, side.offers);
        table.add({"  memory", memory_text(side, capability.can_read_write())});
    }
    if (report.sides.empty() && capability.is_metadata())
        table.add({"sides", "none with pictures: they are at another node of the device"});
    else if (report.sides.empty())
        table.add({"sides", "none that this version can use (single-planar capture or output)"});
    if (report.loop)
        add_loop(table, *report.loop);
    else if (!report.loop_unknown.empty())
        table.add({"counters", report.loop_unknown});
    if (report.controls)
        add_controls(table, *report.controls);
    else if (!report.controls_unknown.empty())
        table.add({"controls", report.controls_unknown});
    return printable(report.path) + "\n" + table.text(2);
}

// --- for machines ---

nlohmann::ordered_json to_json(const SideReport& side) {
    nlohmann::ordered_json json;
    json["side"] = to_text(side.type);
    json["format"] = nullptr;
    if (side.format)
        json["format"] = {{"fourcc", side.format->fourcc.text()},
                          {"width", side.format->width},
                          {"height", side.format->height},
                          {"bytesperline", side.format->bytesperline()},
                          {"sizeimage", side.format->sizeimage()}};
    json["fps"] = nullptr;
    if (side.frame_rate)
        json["fps"] = *side.frame_rate;
    json["formats"] = nlohmann::ordered_json::array();
    for (const FormatDescription& offer : side.offers)
        json["formats"].push_back({{"fourcc", offer.fourcc.text()},
                                   {"description", offer.description},
                                   {"compressed", offer.compressed},
                                   {"emulated", offer.emulated}});
    json["memory"] = {{"mmap", answer(side.memory.mmap)},
                      {"userptr", answer(side.memory.userptr)},
                      {"dmabuf", answer(side.memory.dmabuf)},
                      {"export", answer(side.memory.expbuf)}};
    return json;
}

nlohmann::ordered_json to_json(const ReaderStats& reader) {
    return {{"pid", reader.pid},
            {"comm", command_name(reader)},
            {"memory", memory_name(reader.memory)},
            {"delivered", reader.delivered},
            {"dropped", reader.dropped},
            {"held", reader.held},
            {"waiting", reader.waiting},
            {"copies", reader.copies},
            {"copied_bytes", reader.copied_bytes},
            {"reclaimed", reader.reclaimed}};
}

nlohmann::ordered_json to_json(const LoopReport& loop) {
    const LoopInfo& info = loop.info;
    nlohmann::ordered_json json = {{"id", info.id}};
    json.update(settings_json(info.config));
    json.update(state_json(info));
    json.update({{"frames", loop.stats.frames},
                 {"delivered", loop.stats.delivered},
                 {"dropped", loop.stats.dropped},
                 {"copies", loop.stats.copies},
                 {"copied_bytes", loop.stats.copied_bytes},
                 {"reclaimed", loop.stats.reclaimed},
                 {"orphaned", loop.stats.orphaned},
                 {"placeholders", loop.stats.placeholders},
                 {"repeated", loop.stats.repeated}});
    json["reader_stats"] = nlohmann::ordered_json::array();
    for (const ReaderStats& reader : loop.readers)
        json["reader_stats"].push_back(to_json(reader));
    return json;
}

nlohmann::ordered_json to_json(const DeviceReport& report) {
    nlohmann::ordered_json json;
    json["device"] = report.path;
    json["driver"] = report.capability.driver();
    json["card"] = report.capability.card();
    json["bus_info"] = report.capability.bus_info();
    json["capabilities"] = capability_names(report.capability);
    json["sides"] = nlohmann::ordered_json::array();
    for (const SideReport& side : report.sides)
        json["sides"].push_back(to_json(side));
    json["loop"] = nullptr;
    if (report.loop)
        json["loop"] = to_json(*report.loop);
    else if (!report.loop_unknown.empty())
        json["loop_unknown"] = report.loop_unknown;
    json["controls"] = nullptr;
    if (report.controls)
        json["controls"] = controls_json(*report.controls);
    else if (!report.controls_unknown.empty())
        json["controls_unknown"] = report.controls_unknown;
    return json;
}

Status print(const std::vector<DeviceReport>& reports, bool json) {
    if (json) {
        nlohmann::ordered_json document;
        document["devices"] = nlohmann::ordered_json::array();
        for (const DeviceReport& report : reports)
            document["devices"].push_back(to_json(report));
        return write_json_document(document);
    }
    std::string text;
    for (const DeviceReport& report : reports)
        text += (text.empty() ? "" : "\n") + to_text(report);
    return write_stdout(text);
}

} // namespace

int run_inspect(std::span<char*> arguments) {
    CommandLine line("inspect", "Show what video devices are, and which memory their sides really take: each "
                                "kind is tried, a device in use is left alone.");
    std::vector<std::string> names;
    line.app()
        .add_option("devices", names,
                    "Path, number, card label, or bus info; their controls are listed, too (default: every "
                    "/dev/video*, without controls)")
        ->type_name("DEV");
    line.add_json("Print one JSON document");
    if (const std::optional<int> code = line.parse(arguments))
        return *code;
    const bool named = !names.empty();
    if (!named)
        names = real_system().video_nodes();
    if (names.empty())
        return report(Error{.kind = ErrorKind::device,
                            .code = 0,
                            .operation = "inspect",
                            .object = "/dev/video*",
                            .detail = "there is no video device",
                            .remedy = "Plug a camera in, or make a loop with 'v4l2dma load'"});
    std::vector<DeviceReport> reports;
    int exit_code = to_int(ExitCode::done);
    for (const std::string& name : names) {
        if (const Result<Device> device = Device::open(name))
            reports.push_back(inspect_device(*device, named));
        else if (const int code = report(device.error()); exit_code == to_int(ExitCode::done))
            exit_code = code; // the first failure's; the others are still worth an answer
    }
    const Status printed = print(reports, line.json());
    return printed ? exit_code : report(printed.error());
}

} // namespace v4l2dma
