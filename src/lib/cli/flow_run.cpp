// SPDX-License-Identifier: MIT
#include "cli/flow_run.h"

#include "cli/exit_code.h"
#include "cli/run_observers.h"
#include "flow/session.h"

namespace v4l2dma {

int run_flow(const FlowRun& run, Source& source, Sink& sink, const StopSignals& signals) {
    RunObservers observers;
    if (const Status status = observers.create(run.options); !status)
        return report(status.error());
    RunReporter reporter({.report = {.command = run.command, .json = run.json, .stop_fd = signals.fd()},
                          .interval = run.options.interval(),
                          .waiting = "waiting for the first frame of " + std::string(source.name())},
                         source, sink);
    PumpOptions pump = run.options.pump_options(reporter.pump_interval());
    if (run.adjust)
        run.adjust(pump);
    Session session(source, sink, {.path = run.path, .pump = pump}, signals, reporter, observers.all());
    Status outcome = session.run();
    if (outcome)
        outcome = sink.verdict();
    if (outcome)
        outcome = observers.verdict(source.name());
    const std::optional<Error> error = outcome ? std::nullopt : std::optional(outcome.error());
    nlohmann::ordered_json extra = run.members ? run.members() : nlohmann::ordered_json::object();
    observers.add_to(extra);
    const Status finished = reporter.finish(session.result(), error, extra);
    if (!run.json && run.say)
        run.say();
    if (!run.json)
        observers.say(run.command);
    if (error)
        return report(*error);
    return finished ? to_int(ExitCode::done) : report(finished.error());
}

int report_unopened(const Error& error, const StopSignals& signals) {
    return error.code == ECANCELED && signals.take() > 0 ? to_int(ExitCode::done) : report(error);
}

} // namespace v4l2dma
