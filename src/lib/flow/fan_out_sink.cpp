// SPDX-License-Identifier: MIT
#include "flow/fan_out_sink.h"

#include "base/log.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>
#include <utility>

namespace v4l2dma {

namespace {

using enum MemoryRole;

std::optional<FrameFormat> converted(const Sink& output) {
    const Conversion* conversion = output.conversion();
    return conversion == nullptr ? std::nullopt : std::optional(conversion->to);
}

} // namespace

FanOutSink::FanOutSink(std::vector<std::unique_ptr<Sink>> outputs, const FanOutWishes& wishes)
    : wishes_(wishes) {
    for (std::unique_ptr<Sink>& output : outputs) {
        name_ += (name_.empty() ? "" : ", ") + std::string(output->name());
        outputs_.push_back({.sink = std::move(output)});
    }
}

FanOutPlan FanOutSink::plan(MemoryRole role) const {
    std::vector<const Sink*> outputs;
    for (const Output& output : outputs_)
        outputs.push_back(output.gone() ? nullptr : output.sink.get());
    return plan_fan_out(outputs, role, wishes_);
}

void FanOutSink::set_properties(const StreamProperties& properties) {
    for (Output& output : outputs_)
        if (!output.gone())
            output.sink->set_properties(properties);
}

bool FanOutSink::takes(const FrameFormat& format) const {
    return std::ranges::all_of(
        outputs_, [&](const Output& output) { return output.gone() || output.sink->takes(format); });
}

Status FanOutSink::set_format(const FrameFormat& format) {
    for (Output& output : outputs_) {
        if (std::exchange(output.unset, false))
            output.failure.reset();
        Status status = output.gone() ? Status{} : output.sink->set_format(format);
        // The others go on; and so may this one in the stream after, if its device is there.
        output.unset = !status && has_run_ && status.error().kind != ErrorKind::device;
        if (!status && (output.unset || is_gone(status.error().kind)))
            status = lose(output, status.error());
        if (!status)
            return status;
    }
    return {};
}

const Conversion* FanOutSink::conversion() const noexcept {
    for (const Output& output : outputs_)
        if (const Conversion* conversion = output.gone() ? nullptr : output.sink->conversion())
            return conversion;
    return nullptr;
}

// A new path: nobody has failed on it, except those that are gone. What is counted is counted over all paths.
void FanOutSink::begin(MemoryRole role, std::uint32_t count) {
    FanOutPlan plan = this->plan(role);
    refusal_ = make_error(ErrorKind::unsupported, to_text(role), name_, "none of these outputs can").error();
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        Output& output = outputs_[i];
        output.roles = std::move(plan.roles[i]);
        output.next = 0;
        output.role.reset();
        output.proven = false;
        output.refusal = refusal_;
        if (!output.gone())
            output.failure.reset();
        output.kept = 0;
        if (!running_) { // what it got on a path that nobody took goes again
            output.frames = output.frames_before;
            output.copied_bytes = output.copied_bytes_before;
        }
        output.frames_before = output.frames;
        output.copied_bytes_before = output.copied_bytes;
        output.first_copied_bytes.reset();
    }
    role_ = role;
    provider_.reset();
    buffers_ = count;
    running_ = false;
    holders_.clear();
    free_.clear();
}

Result<std::span<BufferMemory>> FanOutSink::provide(MemoryRole role, std::uint32_t count) {
    begin(role, count);
    Result<std::span<BufferMemory>> memory;
    if (provides_memory(role))
        memory = find_provider(count);
    if (!memory)
        return memory;
    if (provider_)
        buffers_ = static_cast<std::uint32_t>(memory->size());
    if (Status status = prepare_others(); !status)
        return std::unexpected(std::move(status.error()));
    return memory;
}

Status FanOutSink::prepare(MemoryRole role, std::uint32_t count) {
    begin(role, count);
    return prepare_others();
}

void FanOutSink::leave_to_source(std::uint32_t count) noexcept {
    sources_ = count;
    for (Output& output : outputs_)
        output.sink->leave_to_source(count);
}

// One that cannot provide may still work in another's memory.
Result<std::span<BufferMemory>> FanOutSink::find_provider(std::uint32_t count) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        Output& output = outputs_[i];
        if (output.gone() || !obstacle_to(role_, *output.sink, wishes_).empty())
            continue;
        Result<std::span<BufferMemory>> memory = output.sink->provide(role_, count);
        if (memory) {
            provider_ = i;
            output.role = role_;
            return memory;
        }
        output.sink->release();
        if (memory.error().kind != ErrorKind::device)
            note_refusal(output, role_, memory.error());
        else if (Status status = lose(output, memory.error()); !status)
            return std::unexpected(std::move(status.error()));
    }
    return std::unexpected(refusal_);
}

Status FanOutSink::prepare_others() {
    for (Output& output : outputs_) {
        if (output.role || output.gone())
            continue;
        Status status = play_next_role(output);
        if (!status)
            status = lose(output, status.error());
        if (!status)
            return status;
    }
    return is_played(role_) ? Status{} : std::unexpected(refusal_);
}

// Errors: (device), which would come back in every role; otherwise the last role's, if there is none left.
Status FanOutSink::play_next_role(Output& output) {
    while (output.next < output.roles.size()) {
        const MemoryRole role = output.roles[output.next++];
        const Status status = get_ready(*output.sink, role);
        if (status) {
            output.role = role;
            return {};
        }
        output.sink->release();
        if (is_gone(status.error().kind))
            return status;
        note_refusal(output, role, status.error());
    }
    return std::unexpected(output.refusal);
}

Status FanOutSink::get_ready(Sink& output, MemoryRole role) const {
    if (role != MemoryRole::copies)
        return output.prepare(role, buffers_);
    const Result<std::span<BufferMemory>> slots = output.provide(role, buffers_);
    return slots ? Status{} : std::unexpected(slots.error());
}

void FanOutSink::note_refusal(Output& output, MemoryRole role, const Error& why) {
    spdlog::debug("{} {}: {}", output.sink->name(), to_text(role), why.message());
    output.refusal = why;
    if (role == role_)
        refusal_ = why;
}

bool FanOutSink::is_played(MemoryRole role) const noexcept {
    return std::ranges::find(outputs_, std::optional(role), &Output::role) != outputs_.end();
}

// Before the first frame of all, when somebody is there to see it, a device that is busy or gone ends it;
// later the others go on, in this stream or the next. An output that cannot do what was asked for ends any
// stream that has not begun, but for one that refused the format of a stream after the first.
Status FanOutSink::lose(Output& output, const Error& why) {
    output.role.reset();
    output.drained = true;
    const bool unfit = (wishes_.zero_copy || wishes_.method) && !output.unset;
    if (is_gone(why.kind) ? !has_run_ : unfit && !running_)
        return std::unexpected(why);
    output.failure = why;
    output.sink->stop(); // its memory stays until release(): frames may lie there
    for (std::uint32_t index = 0; index < holders_.size(); ++index)
        if ((holders_[index] & bit(output)) != 0)
            gave_back(output, index);
    if (std::ranges::all_of(outputs_, [](const Output& other) { return other.failure.has_value(); }))
        return std::unexpected(why);
    spdlog::warn("{} gets no frames any more, the others do: {}", output.sink->name(), why.message());
    return {};
}

// An output that fails at its first frame may do in another role; one that did has failed.
Status FanOutSink::on_refused(Output& output, const Error& why) {
    const MemoryRole refused = *output.role;
    if (output.proven || is_gone(why.kind))
        return lose(output, why);
    note_refusal(output, refused, why);
    output.role.reset();
    if (!running_ && !is_played(role_))
        return std::unexpected(why); // it is another path without it
    if (provides_memory(refused))
        return lose(output, why); // frames lie in it
    output.sink->release();
    const Status status = play_next_role(output);
    return status ? status : lose(output, status.error());
}

Result<PutResult> FanOutSink::put_to(Output& output, const Frame& frame) {
    while (!output.failure) {
        Result<PutResult> result = output.sink->put(frame);
        if (result) {
            output.proven = output.proven || (result->taken && !result->bad);
            return result;
        }
        if (Status status = on_refused(output, result.error()); !status)
            return std::unexpected(std::move(status.error()));
    }
    return PutResult{};
}

// As many as leave the source what it needs, two of them, and one on its way to the other outputs. Then an
// output that does not go on, although it has room, stops nobody else.
bool FanOutSink::may_keep_more(const Output& output) const noexcept {
    constexpr std::uint32_t for_others = 3;
    constexpr std::uint32_t least = 2; // fewer keep some drivers from starting
    const std::uint32_t left = for_others + sources_;
    return output.kept < std::max(buffers_, left + least) - left;
}

Status FanOutSink::offer(Output& output, const Frame& frame, Round& round) {
    Result<PutResult> result = put_to(output, frame);
    if (result && !result->taken) {
        if (Status status = drain(output); !status) // what it is done with makes room
            return status;
        result = put_to(output, frame);
    }
    if (!result)
        return std::unexpected(std::move(result.error()));
    if (!result->taken)
        return {};
    if (result->dropped) {
        round.left_out = true;
        return {};
    }
    round.takers |= bit(output);
    round.holders |= result->kept ? bit(output) : Holders{0};
    round.spoilt |= result->bad ? bit(output) : Holders{0};
    round.copied_bytes += result->copied_bytes;
    output.kept += result->kept ? 1U : 0U;
    output.frames += result->bad ? 0U : 1U;
    if (!result->bad && !output.first_copied_bytes)
        output.first_copied_bytes = result->copied_bytes;
    output.corrupt += result->bad ? 1U : 0U;
    output.copied_bytes += result->copied_bytes;
    return {};
}

// First to those that may keep more. Only if none of them takes it to the rest: then nobody waits for them.
Result<PutResult> FanOutSink::put(const Frame& frame) {
    Round round;
    for (Output& output : outputs_) {
        Status status = may_keep_more(output) ? Status{} : drain(output);
        if (status && may_keep_more(output))
            status = offer(output, frame, round);
        if (!status)
            return std::unexpected(std::move(status.error()));
    }
    const bool anybody = round.takers == 0;
    for (Output& output : outputs_)
        if (anybody && !may_keep_more(output))
            if (Status status = offer(output, frame, round); !status)
                return std::unexpected(std::move(status.error()));
    if (round.takers == 0 && !round.left_out)
        return PutResult{};
    const bool dropped = round.takers == 0;
    const bool bad = !dropped && round.takers == round.spoilt; // for everybody
    running_ = running_ || !(bad || dropped);
    has_run_ = has_run_ || running_;
    for (Output& output : outputs_)
        output.dropped += output.wants() && (round.takers & bit(output)) == 0 ? 1U : 0U;
    if (round.holders != 0)
        holders_of(frame.index) = round.holders;
    return PutResult{.taken = true,
                     .kept = round.holders != 0,
                     .bad = bad,
                     .dropped = dropped,
                     .copied_bytes = round.copied_bytes};
}

FanOutSink::Holders FanOutSink::bit(const Output& output) const noexcept {
    return static_cast<Holders>(1U << static_cast<unsigned>(&output - outputs_.data()));
}

// Grows with the first frames only.
FanOutSink::Holders& FanOutSink::holders_of(std::uint32_t index) {
    if (index >= holders_.size()) {
        holders_.resize(index + 1);
        free_.reserve(holders_.capacity());
    }
    return holders_[index];
}

void FanOutSink::gave_back(Output& output, std::uint32_t index) {
    --output.kept;
    Holders& holders = holders_of(index);
    holders &= static_cast<Holders>(~bit(output));
    if (holders == 0)
        free_.push_back(index);
}

Status FanOutSink::reclaim_from(Output& output) {
    output.drained = true;
    if (output.failure)
        return {};
    const Result<std::optional<std::uint32_t>> index = output.sink->reclaim();
    output.drained = !index || !*index;
    if (!index)
        return lose(output, index.error());
    if (*index)
        gave_back(output, **index);
    return {};
}

// All that it is done with now.
Status FanOutSink::drain(Output& output) {
    do {
        if (Status status = reclaim_from(output); !status)
            return status;
    } while (!output.drained);
    return {};
}

Result<std::optional<std::uint32_t>> FanOutSink::reclaim() {
    for (Output& output : outputs_)
        output.drained = output.failure.has_value();
    bool progress = true;
    // Empty means that every output answered so in this very call: what it gives back later is an event.
    while (progress) {
        progress = false;
        for (Output& output : outputs_) {
            if (output.drained)
                continue;
            if (Status status = reclaim_from(output); !status)
                return std::unexpected(std::move(status.error()));
            progress = progress || !output.drained;
        }
        progress = progress && free_.empty();
    }
    if (free_.empty())
        return std::nullopt;
    const std::uint32_t index = free_.front();
    free_.erase(free_.begin());
    return index;
}

std::uint32_t FanOutSink::in_flight() const noexcept {
    auto sum = static_cast<std::uint32_t>(free_.size());
    for (const Output& output : outputs_)
        sum += output.failure ? 0 : output.sink->in_flight();
    return sum;
}

std::uint64_t FanOutSink::headway() const noexcept {
    std::uint64_t sum = 0;
    for (const Output& output : outputs_)
        sum += output.failure ? 0 : output.sink->headway();
    return sum;
}

bool FanOutSink::satisfied() const noexcept {
    return std::ranges::none_of(outputs_, [](const Output& output) { return output.wants(); });
}

std::chrono::microseconds FanOutSink::finish(Ending ending) noexcept {
    std::chrono::microseconds longest{};
    for (Output& output : outputs_)
        if (!output.failure)
            longest = std::max(longest, output.sink->finish(ending));
    return longest;
}

Result<bool> FanOutSink::watch_demand() {
    for (Output& output : outputs_) {
        Result<bool> known = output.gone() ? true : output.sink->watch_demand();
        if (known && *known)
            continue;
        if (known || known.error().kind != ErrorKind::device)
            return known;
        if (Status status = lose(output, known.error()); !status)
            return std::unexpected(std::move(status.error()));
    }
    return true;
}

// Each is asked, so that none keeps announcing.
Result<bool> FanOutSink::is_wanted() {
    bool wanted = false;
    for (Output& output : outputs_) {
        if (output.failure)
            continue;
        const Result<bool> answer = output.sink->is_wanted();
        if (answer)
            wanted = wanted || *answer;
        else if (Status status = lose(output, answer.error()); !status)
            return std::unexpected(std::move(status.error()));
    }
    return wanted;
}

Status FanOutSink::verdict() const {
    for (const Output& output : outputs_) {
        if (output.failure)
            return std::unexpected(*output.failure);
        if (Status status = output.sink->verdict(); !status)
            return status;
    }
    return {};
}

std::vector<SinkPart> FanOutSink::parts() const {
    std::vector<SinkPart> parts;
    for (const Output& output : outputs_)
        parts.push_back({.name = std::string(output.sink->name()),
                         .role = output.role,
                         .converted = converted(*output.sink),
                         .frames = output.frames,
                         .dropped = output.dropped,
                         .corrupt = output.corrupt,
                         .copied_bytes = output.copied_bytes,
                         .first_copied_bytes = output.first_copied_bytes.value_or(0),
                         .copies = output.role ? output.sink->copies(*output.role) : 0,
                         .failure = output.failure});
    return parts;
}

EventFds FanOutSink::event_fds() const noexcept {
    EventFds fds;
    for (const Output& output : outputs_) {
        const EventFds own = output.failure ? EventFds{} : output.sink->event_fds();
        for (const int fd : own.all())
            fds.add(fd);
    }
    return fds;
}

void FanOutSink::stop() noexcept {
    for (Output& output : outputs_) {
        output.sink->stop();
        output.kept = 0;
    }
    holders_.clear();
    free_.clear();
}

// Whoever works in another's memory lets go of it first.
void FanOutSink::release_outputs() noexcept {
    FanOutSink::stop();
    for (std::size_t i = 0; i < outputs_.size(); ++i)
        if (provider_ != i)
            outputs_[i].sink->release();
    if (provider_)
        outputs_[*provider_].sink->release();
}

} // namespace v4l2dma
