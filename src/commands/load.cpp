// SPDX-License-Identifier: MIT
#include "commands/load.h"

#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "commands/load_loops.h"
#include "commands/loop_report.h"
#include "loop/module.h"
#include "loop/parameters.h"

#include <algorithm>
#include <functional>

namespace v4l2dma {

namespace {

const std::string module_name = V4L2DMA_DRIVER_NAME;

struct LoadOptions {
    LoopParameters loops;
    std::optional<std::string> module_path;
    bool reload = false;
    bool unload = false;
    bool add_one = false;
    bool list_all = false;
    bool force = false;
    std::vector<std::string> remove;
    std::string change;

    void add_to(CommandLine& line);
    /// The first option given that says how to load; empty if none is.
    [[nodiscard]] std::string loading_option() const;
    /// Likewise, of those that are about the module and not its loops.
    [[nodiscard]] std::string module_option() const;
    /// What to do instead of loading; several if the user contradicts himself.
    [[nodiscard]] std::vector<std::string> actions() const;

private:
    void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& list,
                  const std::string& help, const std::string& type);
    std::vector<CLI::Option*> loading_options_; ///< owned by the CLI::App
    std::vector<CLI::Option*> module_options_;  ///< some of these
    std::vector<CLI::Option*> action_options_;  ///< instead of loading
};

void LoadOptions::add_list(CLI::App& app, const std::string& name, std::vector<std::string>& list,
                           const std::string& help, const std::string& type) {
    // Not CLI11's delimiter: it drops empty elements, and takes the words that follow for further ones.
    const std::function<void(const std::string&)> split = [&list](const std::string& text) {
        list = split_list(text);
    };
    loading_options_.push_back(app.add_option_function(name, split, help)->type_name(type));
}

void LoadOptions::add_to(CommandLine& line) {
    CLI::App& app = line.app();
    const std::function<void(const std::string&)> split_names = [this](const std::string& text) {
        remove = split_list(text);
    };
    const auto add = [&](const std::string& name, auto& value, const std::string& help,
                         const std::string& type) {
        loading_options_.push_back(app.add_option(name, value, help)->type_name(type));
    };
    add("--devices", loops.devices, "Number of loops, 1 to 32 (1, or as many as the longest list needs)",
        "N");
    add_list(app, "--video-nr", loops.video_nr, "Number of each loop's /dev/videoN; -1: any", "N[,N..]");
    add_list(app, "--card-label", loops.card_label, "Name of each loop, as applications show it",
             "NAME[,NAME..]");
    add_list(app, "--exclusive-caps", loops.exclusive_caps,
             "1: announce only CAPTURE while a writer streams, and only OUTPUT otherwise", "0|1[,..]");
    add("--nodes", loops.nodes, "single: one node for both sides; split: one for each (single)", "WORD");
    add_list(app, "--capture-nr", loops.capture_nr,
             "With split nodes the number of each loop's readers' node", "N[,N..]");
    add("--overrun", loops.overrun, "leaky: a slow reader loses frames; lossless: the writer waits (leaky)",
        "WORD");
    add("--support-dmabuf", loops.support_dmabuf, "0: offer neither DMABUF memory nor EXPBUF (1)", "0|1");
    add("--contiguous", loops.contiguous, "1: memory in one piece, for cameras that import nothing else (0)",
        "0|1");
    add("--multiplanar", loops.multiplanar, "1: the multi-planar API, a dma-buf for each plane of NV12M (0)",
        "0|1");
    add("--allowed-gid", loops.allowed_gid, "Only this group may open the loops; with --set also none",
        "GROUP");
    for (const LoopNumber& number : loop_numbers())
        add(number.option, loops.*number.value, number.help, "N");
    add("--module", module_path, "Take this file instead of the installed module", "PATH");
    module_options_.push_back(loading_options_.back());
    loading_options_.push_back(app.add_flag("--reload", reload, "Unload the module first if it is loaded"));
    module_options_.push_back(loading_options_.back());
    action_options_ = {
        app.add_flag("--unload", unload, "Unload the module and end"),
        app.add_flag("--add", add_one, "Make one loop more in the loaded module"),
        app.add_option_function("--remove", split_names, "Remove these loops")->type_name("DEV[,DEV..]"),
        app.add_option("--set", change, "Change a loop that is there")->type_name("DEV"),
        app.add_flag("--list", list_all, "Print all loops and what they do")};
    app.add_flag("--force", force, "With --remove: even if somebody has it open");
    line.add_json();
}

// Not CLI11's excludes(): it fills the help with the list.
std::string first_given(const std::vector<CLI::Option*>& options) {
    const auto given = std::ranges::find_if(options, [](const CLI::Option* o) { return o->count() > 0; });
    return given == options.end() ? "" : (*given)->get_name();
}

std::string LoadOptions::loading_option() const {
    return first_given(loading_options_);
}

std::string LoadOptions::module_option() const {
    return first_given(module_options_);
}

std::vector<std::string> LoadOptions::actions() const {
    std::vector<std::string> names;
    for (const CLI::Option* option : action_options_)
        if (option->count() > 0)
            names.push_back(option->get_name());
    return names;
}

std::string times(std::uint32_t count) {
    return count == 1 ? "once" : std::to_string(count) + " times";
}

/// "it is in use: /dev/video4 is open twice". Everything here is a help for the user, so whatever cannot be
/// found out is left out.
Error explain_use(Error error) {
    const std::optional<int> count = module_use_count(module_name); // before our own handle counts
    std::string users;
    std::string nodes;
    for (const LoopInfo& loop : all_loops().value_or(std::vector<LoopInfo>{})) {
        if (loop.openers == 0)
            continue;
        users += (users.empty() ? "" : ", ") + device_path(loop) + " is open " + times(loop.openers);
        nodes += " " + device_path(loop);
    }
    if (users.empty() && count && *count > 0)
        users = "something holds " + std::to_string(*count) + (*count == 1 ? " reference" : " references") +
                ", as an exported dma-buf does";
    error.code = 0; // "Resource temporarily unavailable" adds nothing
    error.detail = "it is in use";
    if (!users.empty())
        error.detail += ": " + users;
    error.remedy = nodes.empty() ? "End the programs that use it first"
                                 : "End the programs first; 'fuser -v" + nodes + "' names them";
    return error;
}

int report_unload(const ModuleError& failure) {
    return report(failure.reason == ModuleFailure::in_use ? explain_use(failure.error) : failure.error);
}

int report_loaded() {
    std::string nodes;
    for (const LoopInfo& loop : all_loops().value_or(std::vector<LoopInfo>{}))
        nodes += (nodes.empty() ? " with " : ", ") + device_path(loop);
    return report(Error{.kind = ErrorKind::device,
                        .code = 0,
                        .operation = "load",
                        .object = "module " + module_name,
                        .detail = "it is loaded already" + nodes,
                        .remedy = "'v4l2dma load --reload' unloads it first and loads it with new options"});
}

int run_unload(bool json) {
    if (const ModuleResult<void> unloaded = unload_module(module_name); !unloaded)
        return report_unload(unloaded.error());
    if (!json) {
        spdlog::info("the module {} is unloaded", module_name);
        return to_int(ExitCode::done);
    }
    nlohmann::ordered_json document;
    document["unloaded"] = module_name;
    return exit_after(write_json_document(document), "the module is unloaded all the same");
}

Status print_loops(const std::vector<LoopInfo>& loops, const std::string& module_path, bool json) {
    if (json) {
        nlohmann::ordered_json document;
        document["module"] = module_path;
        document["devices"] = loops_json(loops);
        return write_json_document(document);
    }
    return write_stdout(loop_lines(loops));
}

int run_load_module(const LoadOptions& options, std::span<const ModuleParameter> parameters, bool json) {
    const bool loaded = is_module_loaded(module_name);
    if (loaded && !options.reload)
        return report_loaded();
    const ModuleResult<KernelModule> module = KernelModule::find(module_name, options.module_path);
    if (!module)
        return report(module.error().error);
    // Before the old one is gone.
    const ModuleResult<void> checked =
        loaded ? module->check_replacement(parameters) : module->check(parameters);
    if (!checked)
        return report(checked.error().error);
    if (loaded)
        if (const ModuleResult<void> unloaded = unload_module(module_name); !unloaded)
            return report_unload(unloaded.error());
    if (const ModuleResult<void> inserted = module->load(parameters); !inserted)
        return report(inserted.error().error);

    const Result<std::vector<LoopInfo>> loops = all_loops();
    if (!loops) {
        Error error = loops.error();
        error.detail = "the module is loaded, but does not say which devices it made";
        error.remedy = "";
        return report(error);
    }
    warn_about_nodes(*loops, options.loops);
    return exit_after(print_loops(*loops, module->path(), json), "the module is loaded all the same");
}

/// What the user asked for instead of loading; empty if it is loading.
std::optional<int> run_instead(const LoadOptions& options, const CommandLine& line) {
    const std::vector<std::string> actions = options.actions();
    if (actions.empty())
        return std::nullopt;
    const std::string& action = actions.front();
    if (actions.size() > 1)
        return line.usage_error(action + " goes without " + actions.back());
    const bool with_settings = action == "--add" || action == "--set";
    const std::string other = with_settings ? options.module_option() : options.loading_option();
    if (!other.empty())
        return line.usage_error(action + " goes without " + other);
    const bool names_nothing = action == "--remove" ? std::ranges::count(options.remove, "") > 0
                                                    : action == "--set" && options.change.empty();
    if (names_nothing)
        return line.usage_error(action + " needs the name of a loop");
    if (options.unload)
        return run_unload(line.json());
    if (options.list_all)
        return list_loops(line.json());
    if (action == "--remove")
        return remove_loops(options.remove, options.force, line.json());
    return options.add_one ? add_loop(options.loops, line.json())
                           : change_loop(options.change, options.loops, line.json());
}

} // namespace

int run_load(std::span<char*> arguments) {
    CommandLine line("load", "Load the kernel module v4l2dma and say which devices came. Needs root.");
    LoadOptions options;
    options.add_to(line);
    if (const std::optional<int> code = line.parse(arguments))
        return *code;
    if (options.force && options.remove.empty())
        return line.usage_error("--force goes with --remove only");
    if (const std::optional<int> code = run_instead(options, line))
        return *code;
    const Result<std::vector<ModuleParameter>> parameters = module_parameters(options.loops);
    if (!parameters)
        return parameters.error().kind == ErrorKind::usage ? line.usage_error(parameters.error().message())
                                                           : report(parameters.error());
    return run_load_module(options, *parameters, line.json());
}

} // namespace v4l2dma
