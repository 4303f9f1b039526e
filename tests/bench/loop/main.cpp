// SPDX-License-Identifier: MIT
// What a frame costs on its way through a loop, beside v4l2loopback. See tests/bench/README.md.
#include "plan.h"
#include "report.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

namespace {

struct Options {
    std::string ours;
    std::string beside;
    Sources sources;
    unsigned rounds = 3;
    bool quick = false;
    bool json = false;
};

int run(const Options& options) {
    std::vector<Module> modules{{"v4l2dma", options.ours, true}};
    if (!options.beside.empty())
        modules.push_back({"v4l2loopback", options.beside, false});
    const Plan plan = options.quick ? quick_plan() : full_plan(options.rounds);
    const Results results = measure(plan, modules, options.sources);
    const std::vector<Finding> findings = check(results);
    const Machine machine = this_machine(modules);
    if (options.json)
        std::cout << json(machine, results, findings).dump(2) << "\n";
    else
        std::cout << text(machine, results, findings);
    std::cout.flush();
    return std::cout && std::ranges::all_of(findings, &Finding::good) ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("Measures a loop of v4l2dma, and one of v4l2loopback beside it.");
    app.add_option("node", options.ours, "a loop of v4l2dma, with max_readers=16 or more")->required();
    app.add_option("--beside", options.beside, "a loop of v4l2loopback, with max_buffers=4");
    app.add_option("--exporter", options.sources.exporter, "whose dma-bufs are imported")
        ->check(CLI::IsMember({"udmabuf", "system", "vgem"}));
    app.add_option("--camera", options.sources.camera,
                   "the node of a vivid, which is measured as a source, too");
    app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
    app.add_flag("--quick", options.quick, "one round, small pictures");
    app.add_flag("--json", options.json);
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::cerr << "\nv4l2dma_loop_bench: " << error.what() << "\n";
        return 1;
    }
}
