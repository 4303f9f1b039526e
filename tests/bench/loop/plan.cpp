// SPDX-License-Identifier: MIT
#include "plan.h"

#include "camera.h"

#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>

namespace {

/// Those of which more than the cost for one reader is measured: nothing is copied, the writer's own memory
/// comes out, one copy, and what every program can do.
const char* const some_strategies[] = {"mmap > mmap", "import > expbuf", "import > mmap", "write > read"};

/// In every round each strategy is measured with each module at each size, one right after the other: what
/// the machine does meanwhile hits alike what is compared.
class Measurement {
public:
    Measurement(const Plan& plan, const std::vector<Module>& modules, const Sources& sources)
        : plan_(plan), camera_(sources.camera) {
        for (const Size size : plan.sizes)
            exporters_.emplace(size.name(),
                               std::make_unique<Exporter>(sources.exporter, buffers, size.bytes()));
        results_.sizes = plan.sizes;
        results_.rounds = plan.rounds;
        results_.exporter = exporters_.begin()->second->name();
        for (const Strategy& each : all_strategies())
            list_costs(modules, each, plan.sizes, results_.costs);
        if (!camera_.empty())
            list_camera(modules);
        for (const char* name : some_strategies)
            list_others(modules, strategy(name));
    }

    Results run() {
        std::fprintf(stderr, "counting");
        count_all();
        for (unsigned round = 1; round <= plan_.rounds; ++round) {
            std::fprintf(stderr, ", round %u of %u", round, plan_.rounds);
            time_all();
        }
        std::fprintf(stderr, "\n");
        return std::move(results_);
    }

private:
    template <typename Add>
    void for_each_case(const std::vector<Module>& modules, const Strategy& each,
                       const std::vector<Size>& sizes, Add add) {
        for (const Size size : sizes)
            for (const Module& module : modules)
                if (module.ours || each.both)
                    add(Case{&module, &each, size});
    }

    void list_costs(const std::vector<Module>& modules, const Strategy& each, const std::vector<Size>& sizes,
                    std::vector<Cost>& costs) {
        for_each_case(modules, each, sizes, [&costs](const Case& of) { costs.push_back({.of = of}); });
    }

    void list_camera(const std::vector<Module>& modules) {
        results_.camera_sizes = plan_.camera_sizes;
        for (const Strategy& each : camera_strategies())
            list_costs(modules, each, plan_.camera_sizes, results_.camera_costs);
    }

    void list_others(const std::vector<Module>& modules, const Strategy& each) {
        for_each_case(modules, each, plan_.sizes, [this](const Case& of) {
            results_.flows.push_back({.of = of});
            results_.latencies.push_back({.of = of});
        });
        for (const unsigned readers : plan_.readers)
            for_each_case(modules, each, plan_.sizes, [this, readers](Case of) {
                of.readers = readers;
                if (of.strategy->shared)
                    results_.reader_costs.push_back({.of = of});
            });
    }

    Path path(const Case& of) { return {*of.module, of.size, of.strategy->reading, writer(of), of.readers}; }

    std::unique_ptr<Writer> writer(const Case& of) {
        if (of.strategy->has_camera())
            return std::make_unique<CameraFrames>(camera_, *of.module, of.size, of.strategy->writing);
        return std::make_unique<ReadyFrames>(*of.module, of.size, of.strategy->writing,
                                             *exporters_.at(of.size.name()));
    }

    void count_all() {
        const Calls calls;
        for (auto* list : {&results_.costs, &results_.camera_costs, &results_.reader_costs})
            for (Cost& cost : *list)
                count_one(cost, calls);
    }

    /// More readers than one is something that a module may not have.
    void count_one(Cost& cost, const Calls& calls) {
        try {
            Path frames = path(cost.of);
            cost.counted = count(frames, *cost.of.module, calls, plan_.counted);
        } catch (const std::runtime_error& error) {
            if (cost.of.module->ours || cost.of.readers == 1)
                throw;
            cost.refused = error.what();
        }
    }

    void time_all() {
        for (auto* list : {&results_.costs, &results_.camera_costs, &results_.reader_costs})
            for (Cost& cost : *list)
                if (cost.refused.empty())
                    time_one(cost);
        for (Flow& flow : results_.flows)
            time_one(flow);
        for (Latency& latency : results_.latencies)
            time_one(latency);
    }

    void time_one(Cost& cost) {
        Path frames = path(cost.of);
        const Timed timed = time_cost(frames, plan_.cost);
        cost.cpu_us.add(timed.cpu_us);
        cost.frames_per_second.add(timed.frames_per_second);
    }

    void time_one(Flow& flow) {
        Path frames = path(flow.of);
        const Running running = free_running(frames, plan_.flow_seconds);
        flow.delivered_per_second.add(running.delivered_per_second);
        flow.written_per_second.add(running.written_per_second);
        flow.cpu_us.add(running.cpu_us);
    }

    void time_one(Latency& latency) {
        Path frames = path(latency.of);
        for (const double sample : latencies(frames, plan_.latency))
            latency.samples.add(sample);
    }

    const Plan& plan_;
    std::string camera_;
    std::map<std::string, std::unique_ptr<Exporter>> exporters_;
    Results results_;
};

} // namespace

Plan full_plan(unsigned rounds) {
    return {.sizes = {{640, 480}, {1920, 1080}, {3840, 2160}, {7680, 4320}},
            .camera_sizes = {{640, 480}, {1920, 1080}, {3840, 2160}}, // vivid has nothing larger
            .readers = {1, 4, 16},
            .rounds = rounds,
            .counted = 8,
            .cost = {.seconds = 0.1, .least = 8, .most = 2000},
            .latency = {.seconds = 0.3, .least = 10, .most = 100},
            .flow_seconds = 0.25};
}

Plan quick_plan() {
    return {.sizes = {{640, 480}},
            .camera_sizes = {{640, 480}},
            .readers = {1, 4, 16},
            .rounds = 1,
            .counted = 8,
            .cost = {.seconds = 0, .least = 8, .most = 8},
            .latency = {.seconds = 0, .least = 10, .most = 10},
            .flow_seconds = 0.05};
}

Results measure(const Plan& plan, const std::vector<Module>& modules, const Sources& sources) {
    return Measurement(plan, modules, sources).run();
}
