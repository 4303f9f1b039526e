// SPDX-License-Identifier: MIT
#include "report.h"

namespace {

using Json = nlohmann::ordered_json;

Json of_case(const char* figure, const Case& of) {
    return {{"figure", figure},       {"module", of.module->name},      {"strategy", of.strategy->name},
            {"size", of.size.name()}, {"frame_bytes", of.size.bytes()}, {"readers", of.readers}};
}

Json of_figure(const Figure& figure) {
    return {{"median", figure.at(0.5)},
            {"min", figure.at(0)},
            {"max", figure.at(1)},
            {"rounds", figure.rounds.size()}};
}

Json of_cost(const char* figure, const Cost& cost) {
    Json json = of_case(figure, cost.of);
    if (!cost.refused.empty()) {
        json["refused"] = cost.refused;
        return json;
    }
    json["copied_bytes"] = cost.of.copied_bytes(cost.counted);
    json["copied_bytes_from"] = cost.of.module->ours ? "counters" : "source";
    json["page_faults"] = static_cast<double>(cost.counted.faults) / cost.counted.frames;
    for (const auto& [name, number] : cost.counted.calls)
        json["dma_buf_calls"][name] = static_cast<double>(number) / cost.counted.frames;
    json["cpu_us"] = of_figure(cost.cpu_us);
    json["frames_per_second"] = of_figure(cost.frames_per_second);
    return json;
}

Json of_flow(const Flow& flow) {
    Json json = of_case("free_running", flow.of);
    json["delivered_per_second"] = of_figure(flow.delivered_per_second);
    json["written_per_second"] = of_figure(flow.written_per_second);
    json["cpu_us"] = of_figure(flow.cpu_us);
    return json;
}

Json of_latency(const Latency& latency) {
    Json json = of_case("latency", latency.of);
    json["p50_us"] = latency.samples.at(0.5);
    json["p99_us"] = latency.samples.at(0.99);
    json["frames"] = latency.samples.rounds.size();
    return json;
}

} // namespace

Json json(const Machine& machine, const Results& results, const std::vector<Finding>& findings) {
    Json all{{"kernel", machine.kernel},   {"hypervisor", machine.hypervisor}, {"cpus", machine.cpus},
             {"modules", machine.modules}, {"exporter", results.exporter},     {"buffers", buffers},
             {"rounds", results.rounds},   {"results", Json::array()},         {"checks", Json::array()}};
    Json& list = all["results"];
    for (const Cost& cost : results.costs)
        list.push_back(of_cost("cost", cost));
    for (const Cost& cost : results.camera_costs)
        list.push_back(of_cost("camera", cost));
    for (const Flow& flow : results.flows)
        list.push_back(of_flow(flow));
    for (const Latency& latency : results.latencies)
        list.push_back(of_latency(latency));
    for (const Cost& cost : results.reader_costs)
        list.push_back(of_cost("readers", cost));
    for (const Finding& finding : findings)
        all["checks"].push_back({{"what", finding.what}, {"good", finding.good}});
    return all;
}
