// SPDX-License-Identifier: MIT
#include "commands/load_loops.h"

#include "cli/exit_code.h"
#include "cli/output.h"
#include "cli/table.h"
#include "commands/loop_report.h"
#include "format/fourcc.h"

#include <algorithm>
#include <filesystem>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace v4l2dma {

namespace {

/// By path, number or label, as everywhere.
Result<LoopInfo> find_loop(const ControlNode& control, const std::string& name) {
    const bool number =
        !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    const std::string path = number ? "/dev/video" + name : name;
    struct stat status {};
    if (path.contains('/') && ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode)) {
        Result<std::optional<LoopInfo>> loop = control.find(status.st_rdev);
        if (!loop)
            return std::unexpected(std::move(loop.error()));
        if (*loop)
            return **loop;
        return make_error(ErrorKind::device, "find the loop", path, "it is none of the module's loops",
                          "'v4l2dma load --list' lists them");
    }
    Result<std::vector<LoopInfo>> loops = control.loops();
    if (!loops)
        return std::unexpected(std::move(loops.error()));
    // The paths, too: not every /dev has the nodes.
    std::erase_if(*loops, [&](const LoopInfo& loop) {
        return card_label(loop) != name && device_path(loop) != path && capture_path(loop) != path;
    });
    if (loops->empty())
        return make_error(ErrorKind::device, "find the loop", name, "there is none of that name",
                          "'v4l2dma load --list' lists them");
    if (loops->size() > 1)
        return make_error(ErrorKind::device, "find the loop", name, "several loops have that name",
                          "Give the device instead");
    return loops->front();
}

Error explain_removal(Error error, const LoopInfo& loop) {
    if (error.code != EBUSY)
        return error;
    error.code = 0;
    error.operation = "remove";
    error.object = nodes_text(loop);
    error.detail = "somebody has it open";
    error.remedy = fmt::format("End the programs first ('fuser -v {}' names them), or take it from them with "
                               "--force, as if it was unplugged",
                               device_path(loop));
    return error;
}

Status remove_one(const ControlNode& control, const std::string& name, bool force, std::string& removed) {
    const Result<LoopInfo> loop = find_loop(control, name);
    if (!loop)
        return std::unexpected(loop.error());
    if (const Status status = control.remove(loop->id, force); !status)
        return std::unexpected(explain_removal(status.error(), *loop));
    removed = device_path(*loop);
    return {};
}

/// @p done: what happened to it.
int print(const LoopInfo& loop, bool json, const std::string& done) {
    const Status written = json ? write_json_document(loop_json(loop)) : write_stdout(loop_lines({loop}));
    return exit_after(written, nodes_text(loop) + done);
}

/// Of a node that was asked for by its number in @p wanted, the @p index-th of them.
void warn_if_taken(const std::vector<std::string>& wanted, std::size_t index, std::string_view what,
                   const std::string& path) {
    if (index < wanted.size() && wanted[index] != "-1" && path != "/dev/video" + wanted[index])
        spdlog::warn("/dev/video{} is taken, {} became {}", wanted[index], what, path);
}

} // namespace

int exit_after(const Status& written, const std::string& done) {
    if (written)
        return to_int(ExitCode::done);
    Error error = written.error();
    error.detail = done;
    return report(error);
}

Result<std::vector<LoopInfo>> all_loops() {
    const Result<ControlNode> control = ControlNode::open();
    if (!control)
        return std::unexpected(control.error());
    return control->loops();
}

void warn_about_nodes(const std::vector<LoopInfo>& loops, const LoopParameters& wanted) {
    if (wanted.devices && loops.size() < static_cast<std::size_t>(*wanted.devices))
        spdlog::warn("the module made {} of {} loops; the kernel log says why", loops.size(),
                     *wanted.devices);
    for (std::size_t i = 0; i < loops.size(); ++i) {
        const std::string path = device_path(loops[i]);
        warn_if_taken(wanted.video_nr, i, "the loop", path);
        warn_if_taken(wanted.capture_nr, i, "the readers' node of " + path, capture_path(loops[i]));
        // devtmpfs makes the node before the module's load is over.
        if (std::error_code ignored; !std::filesystem::exists(path, ignored))
            spdlog::warn("{} does not appear; is /dev a devtmpfs here?", path);
    }
}

int add_loop(const LoopParameters& wanted, bool json) {
    const Result<LoopConfig> config = loop_config(wanted);
    if (!config)
        return report(config.error());
    const Result<ControlNode> control = ControlNode::open();
    if (!control)
        return report(control.error());
    const Result<LoopInfo> loop = control->add(*config);
    if (!loop)
        return report(loop.error());
    warn_about_nodes({*loop}, wanted);
    return print(*loop, json, " is made all the same");
}

int remove_loops(const std::vector<std::string>& names, bool force, bool json) {
    const Result<ControlNode> control = ControlNode::open();
    if (!control)
        return report(control.error());
    int code = to_int(ExitCode::done);
    std::vector<std::string> gone;
    for (const std::string& name : names) {
        std::string removed;
        if (const Status status = remove_one(*control, name, force, removed); !status) {
            const int failed = report(status.error());
            code = code == 0 ? failed : code;
            continue;
        }
        gone.push_back(removed);
        if (!json)
            spdlog::info("{} is removed", removed);
    }
    if (!json)
        return code;
    const int said =
        exit_after(write_json_document({{"removed", gone}}),
                   gone.empty() ? "" : fmt::format("removed all the same: {}", fmt::join(gone, ", ")));
    return code == 0 ? said : code;
}

int change_loop(const std::string& name, const LoopParameters& wanted, bool json) {
    const Result<LoopChange> change = loop_change(wanted);
    if (!change)
        return report(change.error());
    const Result<ControlNode> control = ControlNode::open();
    if (!control)
        return report(control.error());
    const Result<LoopInfo> loop = find_loop(*control, name);
    if (!loop)
        return report(loop.error());
    if (const Status status = control->set(loop->id, change->config, change->which); !status)
        return report(status.error());
    const Result<LoopInfo> changed = control->loop(loop->id);
    return changed ? print(*changed, json, " is changed all the same") : report(changed.error());
}

int list_loops(bool json) {
    const Result<std::vector<LoopInfo>> loops = all_loops();
    if (!loops)
        return report(loops.error());
    Table table;
    for (const LoopInfo& loop : *loops)
        table.add({nodes_text(loop), card_label(loop),
                   fmt::format("{} {}x{}, {}", FourCC(loop.pixelformat).text(), loop.width, loop.height,
                               users_text(loop))});
    const Status written =
        json ? write_json_document({{"devices", loops_json(*loops)}}) : write_stdout(table.text());
    return exit_after(written, "");
}

} // namespace v4l2dma
