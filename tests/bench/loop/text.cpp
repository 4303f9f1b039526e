// SPDX-License-Identifier: MIT
#include "cli/table.h"
#include "report.h"

#include <algorithm>
#include <functional>
#include <spdlog/fmt/fmt.h>

namespace {

std::string number(double value) {
    return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string spread(const Figure& figure) {
    if (figure.rounds.size() == 1)
        return number(figure.at(0));
    return fmt::format("{} ({}-{})", number(figure.at(0.5)), number(figure.at(0)), number(figure.at(1)));
}

bool same_row(const Case& one, const Case& other) {
    return one.module == other.module && one.strategy == other.strategy && one.readers == other.readers;
}

/// A table of everything in @p list: a row for each strategy, module and number of readers, a column for each
/// size. @p last: a further cell, from the first and the last size.
template <typename Item> class Sizes {
public:
    using Cell = std::function<std::string(const Item&)>;
    using Last = std::function<std::string(const Item&, const Item&)>;

    Sizes(const std::vector<Item>& list, const std::vector<Size>& sizes) : list_(list), sizes_(sizes) {}

    [[nodiscard]] std::string text(const Cell& cell, const std::string& last_title = "",
                                   const Last& last = nullptr) const {
        std::vector<std::string> titles{"writer > reader", "module"};
        for (const Size size : sizes_)
            titles.push_back(size.name());
        titles.push_back(last_title);
        v4l2dma::Table table(titles);
        for (const Item& first : list_) {
            if (first.of.size.bytes() != sizes_.front().bytes())
                continue;
            std::vector<std::string> row{first.of.strategy->name, first.of.module->name};
            if (has_readers())
                row[0] += fmt::format(", {} reader{}", first.of.readers, first.of.readers == 1 ? "" : "s");
            const Item* end = &first;
            for (const Item& item : list_)
                if (same_row(item.of, first.of))
                    row.push_back(cell(*(end = &item)));
            row.push_back(last && sizes_.size() > 1 ? last(first, *end) : "");
            table.add(row);
        }
        return table.text(2);
    }

private:
    [[nodiscard]] bool has_readers() const {
        return std::ranges::any_of(list_, [](const Item& item) { return item.of.readers != 1; });
    }
    const std::vector<Item>& list_;
    const std::vector<Size>& sizes_;
};

std::string copied(const Cost& cost) {
    if (!cost.refused.empty())
        return "-";
    return std::to_string(cost.of.copied_bytes(cost.counted)) + (cost.of.module->ours ? "" : "*");
}

std::string cpu(const Cost& cost) {
    return cost.refused.empty() ? spread(cost.cpu_us) : "-";
}

std::string growth(const Cost& small, const Cost& large) {
    if (!small.refused.empty() || !large.refused.empty())
        return "-";
    return fmt::format("x {:.2f}", large.cpu_us.at(0) / small.cpu_us.at(0));
}

std::string head(const Machine& machine, const Results& results) {
    std::string modules;
    for (const auto& [name, version] : machine.modules)
        modules +=
            fmt::format("{}{}{}{}", modules.empty() ? "" : ", ", name, version.empty() ? "" : " ", version);
    const char* emulated = ": an emulated machine, so compare times with each other and with nothing else";
    return fmt::format("{}; kernel {}; {} CPUs, {}{}\n", modules, machine.kernel, machine.cpus,
                       machine.hypervisor.empty() ? "no hypervisor" : machine.hypervisor,
                       machine.hypervisor == "TCG" ? emulated : "") +
           fmt::format(
               "YUYV, {} buffers. Without a camera, if nothing else is said: frames lie ready, in imports "
               "those of {}. Nobody\ndraws or looks at more than two words of a frame, so what is measured "
               "is "
               "the way through the loop and nothing else.\n",
               buffers, results.exporter) +
           fmt::format("{} round{}, in which modules and sizes take turns: median (least-most); growth: of "
                       "the least.\n",
                       results.rounds, results.rounds == 1 ? "" : "s");
}

std::string costs(const Results& results) {
    const Sizes table(results.costs, results.sizes);
    return "\nBytes copied for each frame, by the module's counters (* by its source)\n" +
           table.text(copied) +
           "\nCPU for each frame in microseconds, user and kernel, writer and reader in one thread\n" +
           table.text(cpu, "growth", growth) + "\nFrames per second, one at a time, likewise\n" +
           table.text([](const Cost& cost) { return spread(cost.frames_per_second); });
}

std::string cameras(const Results& results) {
    if (results.camera_costs.empty())
        return "\nCamera, loop, reader: not measured, there is no camera (--camera)\n";
    const Sizes table(results.camera_costs, results.camera_sizes);
    return "\nCamera, loop, reader: bytes copied for each frame, by the module and the program that "
           "forwards\n" +
           table.text(copied) +
           "\nCamera, loop, reader: CPU of the program for each frame, in microseconds (the camera draws in "
           "a "
           "thread of its own)\n" +
           table.text(cpu, "growth", growth);
}

std::string flows(const Results& results) {
    const Sizes table(results.flows, results.sizes);
    return "\nFree running, a thread and a CPU each: frames per second at the reader / written\n" +
           table.text([](const Flow& flow) {
               return fmt::format("{} / {}", number(flow.delivered_per_second.at(0.5)),
                                  number(flow.written_per_second.at(0.5)));
           }) +
           "\nFree running: CPU of both for each frame at the reader, in microseconds\n" +
           table.text([](const Flow& flow) { return spread(flow.cpu_us); });
}

std::string latencies(const Results& results) {
    return "\nQBUF to DQBUF (write() to read()) of a reader that sleeps, in microseconds: p50 / p99 "
           "(frames)\n" +
           Sizes(results.latencies, results.sizes).text([](const Latency& latency) {
               return fmt::format("{} / {} ({})", number(latency.samples.at(0.5)),
                                  number(latency.samples.at(0.99)), latency.samples.rounds.size());
           });
}

std::string readers(const Results& results) {
    std::string refused;
    for (const Cost& cost : results.reader_costs)
        if (!cost.refused.empty() && cost.of.size.bytes() == results.sizes.front().bytes())
            refused +=
                fmt::format("  {}, {} readers: {}\n", cost.of.module->name, cost.of.readers, cost.refused);
    const Sizes table(results.reader_costs, results.sizes);
    return "\nSeveral readers: bytes copied for each frame\n" + table.text(copied) +
           "\nSeveral readers: CPU for each frame, in microseconds\n" + table.text(cpu, "growth", growth) +
           refused;
}

std::string checks(const std::vector<Finding>& findings) {
    std::string text;
    const auto bad = std::ranges::count_if(findings, [](const Finding& finding) { return !finding.good; });
    for (const Finding& finding : findings)
        if (!finding.good)
            text += "  FAIL " + finding.what + "\n";
    return "\nCounts (times are not judged): bytes as promised; nothing that works on a frame's memory where "
           "it is "
           "not copied\n" +
           text + fmt::format("{} passed, {} failed, 0 skipped\n", std::ssize(findings) - bad, bad);
}

} // namespace

std::string text(const Machine& machine, const Results& results, const std::vector<Finding>& findings) {
    return head(machine, results) + costs(results) + cameras(results) + flows(results) + latencies(results) +
           readers(results) + checks(findings);
}
