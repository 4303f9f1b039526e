// SPDX-License-Identifier: MIT
#pragma once

#include "flow/strategy.h"
#include "support/frames.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <sys/eventfd.h>
#include <utility>
#include <vector>

namespace v4l2dma::testing {

/// What both ends share: a common log of calls, and the errors that calls are told to answer with.
struct Script {
    std::vector<std::string> log; ///< "source.allocate", "sink.put 3"
    std::map<std::string, Error> errors;

    /// Notes the call; its error, if it was told to fail.
    [[nodiscard]] Status call(const std::string& name, const std::string& argument = {}) {
        log.push_back(argument.empty() ? name : name + " " + argument);
        auto error = errors.find(name);
        if (error == errors.end())
            error = errors.find(name + " " + argument);
        return error == errors.end() ? Status{} : std::unexpected(error->second);
    }
    void fail(const std::string& name, int code) {
        errors[name] = system_error(name.substr(name.find('.') + 1), "/dev/scripted", code).error();
    }
    [[nodiscard]] std::ptrdiff_t count(std::string_view name) const {
        return std::ranges::count_if(log, [&](const std::string& entry) {
            return entry == name || entry.starts_with(std::string(name) + " ");
        });
    }
    /// Where in the log this call first is; beyond its end if it is not.
    [[nodiscard]] std::size_t position(std::string_view name) const {
        return static_cast<std::size_t>(std::ranges::find(log, name) - log.begin());
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        for (const std::string& entry : log)
            all += (all.empty() ? "" : ", ") + entry;
        return all;
    }
};

/// Hands out the frames it was given; says when one comes back that is not out, or a call comes out of order.
class ScriptedSource final : public Source {
public:
    explicit ScriptedSource(Script& script) : script_(script) {
        format_.fourcc = FourCC("GREY");
        format_.width = 8;
        format_.height = 1;
        format_.planes[0] = {.bytesperline = 8, .sizeimage = 8};
        for (BufferMemory& memory : memory_)
            memory.planes[0].bytes = bytes_;
    }

    /// A frame to take next. @p sequence also chooses the buffer.
    void add_frame(std::uint32_t sequence, std::uint32_t flags = 0, std::uint32_t bytesused = 8) {
        Frame frame{.index = sequence % buffers, .format = &format_, .memory = &memory_[sequence % buffers]};
        frame.metadata = one_plane(bytesused);
        frame.metadata.flags = flags;
        frame.metadata.sequence = sequence;
        frame.metadata.timestamp = sequence * interval;
        frame.copied_bytes = copied_bytes;
        waiting_.push_back(frame);
    }
    [[nodiscard]] std::uint32_t ready() const {
        return (waiting_.empty() ? 0U : 1U) | (change ? 2U : 0U); // EPOLLIN, EPOLLPRI
    }
    /// Frames taken and not given back.
    [[nodiscard]] std::size_t out() const { return out_.size(); }
    [[nodiscard]] bool running() const { return running_; }

    static constexpr std::uint32_t buffers = 6;
    std::map<MemoryRole, std::string> obstacles{{MemoryRole::borrows, "no"}, {MemoryRole::touches, "no"}};
    std::vector<std::string> violations;
    bool has_event = true;                ///< false: event_fd() is -1
    std::uint64_t copied_bytes = 0;       ///< of each frame that is added from now on
    std::chrono::microseconds interval{}; ///< between the timestamps of frames added from now on
    bool ends = false;                    ///< once all frames were taken there will be no more
    std::uint32_t missing = 0;            ///< of the buffers, as of a source that has fewer
    /// What changed() answers, once; empty: it has nothing to say.
    std::optional<bool> change;
    bool returns = false;                 ///< may_come_back()
    std::deque<bool> comebacks;           ///< what come_back() answers; true when there is none left
    std::uint32_t next_width = 8;         ///< of the format that it comes back with
    std::vector<FrameFormat> others;      ///< what it can deliver instead
    bool changes_before_it_fails = false; ///< set_format(): as a driver that grants the format, but no rate

    [[nodiscard]] std::string_view name() const override { return "/dev/source"; }
    [[nodiscard]] Result<bool> changed() override {
        if (Status status = script_.call("source.changed"); !status)
            return std::unexpected(status.error());
        return std::exchange(change, std::nullopt).value_or(false);
    }
    void hold_back() noexcept override { static_cast<void>(script_.call("source.hold_back")); }
    [[nodiscard]] bool may_come_back(const Error&) const override { return returns; }
    [[nodiscard]] Result<bool> come_back() override {
        if (Status status = script_.call("source.come_back"); !status)
            return std::unexpected(status.error());
        format_.width = next_width;
        if (comebacks.empty())
            return true;
        const bool answer = comebacks.front();
        comebacks.pop_front();
        return answer;
    }
    [[nodiscard]] FdEvent comeback_event() const noexcept override {
        return {.fd = fd_.get(), .events = 1U}; // EPOLLIN
    }
    [[nodiscard]] std::string awaited() const override { return "a miracle"; }
    [[nodiscard]] std::vector<FrameFormat> other_formats() const override { return others; }
    [[nodiscard]] Status set_format(const FrameFormat& format) override {
        Status status = script_.call("source.set_format", format.fourcc.text());
        if (status || changes_before_it_fails)
            format_ = format;
        return status;
    }
    [[nodiscard]] const FrameFormat& format() const override { return format_; }
    [[nodiscard]] std::string why_not(MemoryRole role) const override {
        const auto found = obstacles.find(role);
        return found == obstacles.end() ? "" : found->second;
    }
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t) override {
        if (Status status = script_.call("source.provide", std::string(to_text(role))); !status)
            return std::unexpected(status.error());
        return std::span(memory_);
    }
    [[nodiscard]] Status use(MemoryRole role, std::span<BufferMemory>) override {
        return script_.call("source.use", std::string(to_text(role)));
    }
    [[nodiscard]] Status start() override {
        Status status = script_.call("source.start");
        running_ = status.has_value();
        return status;
    }
    [[nodiscard]] Result<std::optional<Frame>> take() override {
        if (!running_)
            violations.emplace_back("take() before start()");
        if (Status status = script_.call("source.take"); !status)
            return std::unexpected(status.error());
        if (waiting_.empty())
            return std::nullopt;
        const Frame frame = waiting_.front();
        waiting_.pop_front();
        if (!out_.insert(frame.index).second)
            violations.emplace_back("the script has a buffer out twice");
        return frame;
    }
    [[nodiscard]] Status give_back(std::uint32_t index) override {
        if (out_.erase(index) == 0)
            violations.emplace_back("a frame came back that was not out");
        return script_.call("source.give_back", std::to_string(index));
    }
    [[nodiscard]] std::uint32_t available() const noexcept override {
        return buffers - missing - static_cast<std::uint32_t>(out_.size());
    }
    [[nodiscard]] bool ended() const noexcept override { return ends && waiting_.empty(); }
    void stop() noexcept override {
        running_ = false;
        script_.log.emplace_back("source.stop");
    }
    void release() noexcept override {
        script_.log.emplace_back("source.release");
        out_.clear();
    }
    [[nodiscard]] int event_fd() const noexcept override { return has_event ? fd_.get() : -1; }

private:
    Script& script_;
    FrameFormat format_;
    std::vector<std::byte> bytes_ = std::vector<std::byte>(8);
    std::array<BufferMemory, buffers> memory_{};
    std::deque<Frame> waiting_;
    std::set<std::uint32_t> out_;
    bool running_ = false;
    UniqueFd fd_{::eventfd(0, EFD_CLOEXEC)};
};

/// Holds the frames it is given until it is told to be done with them.
class ScriptedSink final : public Sink {
public:
    /// @p name: what its calls are logged under, and its node's name in /dev.
    explicit ScriptedSink(Script& script, std::string name = "sink")
        : script_(script), name_(std::move(name)), path_("/dev/" + name_) {}

    std::size_t room = 4;
    bool has_event = true; ///< false: there is nothing to wait for
    int second_fd = -1;    ///< is waited for, too
    std::map<MemoryRole, std::string> obstacles{{MemoryRole::borrows, "no"}, {MemoryRole::lends, "no"}};

    std::optional<std::set<FourCC>> taken; ///< the formats that it takes as they are; all if empty
    std::set<std::uint32_t> bad;           ///< sequences of frames that it cannot convert
    std::set<std::uint32_t> late;          ///< sequences of frames that it leaves out
    std::set<MemoryRole> refuses;          ///< put() in these roles is EINVAL
    std::set<MemoryRole> refuses_to_begin; ///< provide() and prepare() in these roles are EINVAL

    std::optional<std::uint32_t> enough; ///< frames, after which it is satisfied

    bool writes = false;          ///< touches copies, as write() does
    bool keeps = false;           ///< keeps_all()
    std::uint32_t left = 0;       ///< to the source, as it was told
    std::uint64_t done_steps = 0; ///< headway()
    std::optional<Ending> ending; ///< as it was told last

    /// The oldest frame is done with.
    void finish_one() {
        if (!held_.empty()) {
            done_.push_back(held_.front());
            held_.pop_front();
        }
    }
    [[nodiscard]] std::uint32_t ready() const {
        return (done_.empty() ? 0U : 4U) | (demand_changed ? 2U : 0U); // EPOLLOUT, EPOLLPRI
    }
    bool knows_demand = true;
    bool wanted = true;
    bool demand_changed = false; ///< and nobody has asked since
    /// Somebody begins or ceases to want its frames.
    void want(bool now) {
        wanted = now;
        demand_changed = true;
    }

    [[nodiscard]] bool keeps_all() const noexcept override { return keeps; }
    [[nodiscard]] std::string_view name() const override { return path_; }
    [[nodiscard]] std::string why_not(MemoryRole role) const override {
        const auto found = obstacles.find(role);
        return found == obstacles.end() ? "" : found->second;
    }
    [[nodiscard]] bool takes(const FrameFormat& format) const override {
        return !taken || taken->contains(format.fourcc);
    }
    [[nodiscard]] unsigned copies(MemoryRole role) const override {
        return role == MemoryRole::copies || (role == MemoryRole::touches && writes) ? 1 : 0;
    }
    [[nodiscard]] Status set_format(const FrameFormat& format) override {
        conversion_.reset();
        if (!takes(format))
            conversion_ = {.to = FrameFormat{.fourcc = *taken->begin(), .width = 8, .height = 1},
                           .why = "it was asked for",
                           .remedy = "Do not ask"};
        return call("set_format");
    }
    [[nodiscard]] const Conversion* conversion() const noexcept override {
        return conversion_ ? &*conversion_ : nullptr;
    }
    [[nodiscard]] Result<std::span<BufferMemory>> provide(MemoryRole role, std::uint32_t) override {
        role_ = role;
        Status status = call("provide", std::string(to_text(role)));
        if (status)
            status = check(refuses_to_begin, role, "provide");
        if (!status)
            return std::unexpected(status.error());
        return std::span(memory_);
    }
    [[nodiscard]] Status prepare(MemoryRole role, std::uint32_t) override {
        role_ = role;
        Status status = call("prepare", std::string(to_text(role)));
        return status ? check(refuses_to_begin, role, "prepare") : status;
    }
    [[nodiscard]] Result<PutResult> put(const Frame& frame) override {
        if (Status status = call("put", std::to_string(frame.metadata.sequence)); !status)
            return std::unexpected(status.error());
        if (Status status = check(refuses, role_, "put"); !status)
            return std::unexpected(status.error());
        if (held_.size() + done_.size() >= room)
            return PutResult{};
        if (bad.contains(frame.metadata.sequence))
            return PutResult{.taken = true, .bad = true};
        if (late.contains(frame.metadata.sequence))
            return PutResult{.taken = true, .dropped = true};
        held_.push_back(frame.index);
        ++got_;
        const bool copied = copies(role_) > 0;
        return PutResult{
            .taken = true, .kept = !copied, .copied_bytes = copied ? frame.metadata.payload() : 0};
    }
    [[nodiscard]] Result<std::optional<std::uint32_t>> reclaim() override {
        if (Status status = call("reclaim"); !status)
            return std::unexpected(status.error());
        if (done_.empty())
            return std::nullopt;
        const std::uint32_t index = done_.front();
        done_.pop_front();
        if (copies(role_) > 0) // the source has it back already
            return reclaim();
        return index;
    }
    [[nodiscard]] Result<bool> watch_demand() override {
        if (Status status = call("watch_demand"); !status)
            return std::unexpected(status.error());
        return knows_demand;
    }
    [[nodiscard]] Result<bool> is_wanted() override {
        if (Status status = call("is_wanted"); !status)
            return std::unexpected(status.error());
        demand_changed = false;
        return wanted;
    }
    [[nodiscard]] bool satisfied() const noexcept override { return enough && got_ >= *enough; }
    [[nodiscard]] std::uint32_t in_flight() const noexcept override {
        return static_cast<std::uint32_t>(held_.size() + done_.size());
    }
    void leave_to_source(std::uint32_t count) noexcept override { left = count; }
    [[nodiscard]] std::uint64_t headway() const noexcept override { return done_steps; }
    [[nodiscard]] std::chrono::microseconds finish(Ending how) noexcept override {
        ending = how;
        return {};
    }
    void stop() noexcept override {
        script_.log.push_back(name_ + ".stop");
        held_.clear();
        done_.clear();
    }
    void release() noexcept override { script_.log.push_back(name_ + ".release"); }
    [[nodiscard]] EventFds event_fds() const noexcept override {
        EventFds fds{has_event ? fd_.get() : -1};
        fds.add(second_fd);
        return fds;
    }
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// The role it was last told to play.
    [[nodiscard]] MemoryRole role() const noexcept { return role_; }

private:
    [[nodiscard]] Status call(std::string_view what, const std::string& argument = {}) {
        return script_.call(name_ + "." + std::string(what), argument);
    }

    [[nodiscard]] Status check(const std::set<MemoryRole>& refused, MemoryRole role,
                               std::string_view what) const {
        return refused.contains(role) ? system_error(what, path_, EINVAL) : Status{};
    }

    Script& script_;
    std::string name_;
    std::string path_;
    MemoryRole role_ = MemoryRole::imports;
    std::optional<Conversion> conversion_;
    std::array<BufferMemory, 4> memory_{};
    std::uint32_t got_ = 0;
    std::deque<std::uint32_t> held_;
    std::deque<std::uint32_t> done_;
    UniqueFd fd_{::eventfd(0, EFD_CLOEXEC)};
};

} // namespace v4l2dma::testing
