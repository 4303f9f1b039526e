// SPDX-License-Identifier: MIT
#include "flow/negotiation.h"

#include "base/log.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>

namespace v4l2dma {

namespace {

/// Why paths were not even tried.
struct Obstacle {
    std::string text;
    std::vector<std::string_view> paths{};
};

void add_obstacle(std::vector<Obstacle>& obstacles, const Negotiation::Attempt& attempt) {
    auto same = std::ranges::find(obstacles, attempt.obstacle, &Obstacle::text);
    if (same == obstacles.end())
        same = obstacles.insert(same, {.text = attempt.obstacle});
    same->paths.push_back(attempt.strategy->name);
}

// Twenty paths have few obstacles; -v lists which is whose.
std::string summary(std::span<const Obstacle> obstacles) {
    constexpr std::size_t most = 3;
    std::string text;
    for (const Obstacle& obstacle : obstacles) {
        const std::span paths = std::span(obstacle.paths).first(std::min(most, obstacle.paths.size()));
        text += fmt::format(
            "{}{} ({}{})", text.empty() ? "" : "; ", obstacle.text, fmt::join(paths, ", "),
            obstacle.paths.size() > most ? fmt::format(" and {} more", obstacle.paths.size() - most) : "");
    }
    return text;
}

} // namespace

Status Negotiation::establish() {
    if (Status status = agree(); !status)
        return status;
    sink_.set_properties(source_.properties());
    if (Status status = sink_.set_format(source_.format()); !status)
        return status;
    if (Status status = check_conversion(); !status)
        return status;
    for (const Strategy& strategy : strategies())
        candidates_.push_back(path_between(source_, sink_, strategy));
    std::ranges::stable_sort(candidates_, {}, &Path::copies);
    return establish_next();
}

// A format of the source's that the sink takes as it is spares a conversion.
Status Negotiation::agree() {
    const FrameFormat first = source_.format();
    sink_.set_properties(source_.properties());
    if (sink_.takes(first))
        return {};
    for (const FrameFormat& other : source_.other_formats()) {
        if (!sink_.takes(other))
            continue;
        const Status status = source_.set_format(other);
        if (status && sink_.takes(source_.format())) { // the real strides
            spdlog::info("{} delivers {} instead of {}: {} takes it without a conversion", source_.name(),
                         source_.format().text(), first.text(), sink_.name());
            return {};
        }
        if (!status)
            spdlog::debug("{} {}: {}", source_.name(), other.text(), status.error().message());
        if (!status && is_gone(status.error().kind)) // it is so in every format
            return status;
    }
    return source_.format() == first ? Status{} : source_.set_format(first);
}

Status Negotiation::check_conversion() const {
    const Conversion* conversion = sink_.conversion();
    if (conversion == nullptr)
        return {};
    const std::string formats = source_.format().text() + " becomes " + conversion->to.text();
    if (wishes_.zero_copy)
        return make_error(ErrorKind::unsupported, "zero-copy",
                          std::string(source_.name()) + " to " + std::string(sink_.name()),
                          formats + ", because " + conversion->why,
                          (conversion->remedy.empty() ? "" : conversion->remedy + ". ") +
                              "Without --dmabuf the frames are converted");
    spdlog::info("{} for {}: {}", formats, sink_.name(), conversion->why);
    return {};
}

Status Negotiation::fall_back(const Error& why) {
    attempts_.back().obstacle = why.message();
    last_error_ = why;
    release();
    if (is_gone(why.kind))
        return std::unexpected(why);
    return establish_next();
}

Status Negotiation::establish_next() {
    while (next_ < candidates_.size()) {
        const Path& path = candidates_[next_++];
        attempts_.push_back(
            {.strategy = path.strategy, .copies = path.copies, .obstacle = why_not(path), .tried = false});
        if (!attempts_.back().obstacle.empty())
            continue;
        attempts_.back().tried = true;
        Status status = establish_on(*path.strategy);
        if (status)
            return {};
        attempts_.back().obstacle = status.error().message();
        // A path that was never possible says less than one whose devices failed.
        if (!last_error_ || status.error().kind != ErrorKind::unsupported)
            last_error_ = status.error();
        release();
        // A device that is gone or busy is so on every path.
        if (is_gone(status.error().kind))
            return status;
    }
    return std::unexpected(nothing_left());
}

Status Negotiation::establish_on(const Strategy& strategy) {
    if (Status status = connect(strategy); !status)
        return status;
    if (sink_.keeps_all())
        source_.hold_back();
    return source_.start();
}

// What it leaves behind when it fails, release() takes away.
Status Negotiation::connect(const Strategy& strategy) {
    const auto failed = [](auto& result) { return std::unexpected(std::move(result.error())); };
    const std::uint32_t buffers = wanted_buffers();
    sink_.leave_to_source(source_.extra_buffers());
    if (strategy.memory == Strategy::Memory::sink) {
        Result<std::span<BufferMemory>> memory = sink_.provide(strategy.sink, buffers);
        return memory ? source_.use(strategy.source, *memory) : failed(memory);
    }
    // A sink that copies has slots of its own beside the frames' memory.
    if (strategy.sink == MemoryRole::copies)
        if (Result<std::span<BufferMemory>> slots = sink_.provide(strategy.sink, buffers); !slots)
            return failed(slots);
    Result<std::span<BufferMemory>> memory = frames_memory(strategy);
    if (!memory)
        return failed(memory);
    if (strategy.sink != MemoryRole::copies)
        if (Status status = sink_.prepare(strategy.sink, static_cast<std::uint32_t>(memory->size())); !status)
            return status;
    return shared_ ? source_.use(strategy.source, *memory) : Status{};
}

// The memory that frames lie in, where it is not the sink's.
Result<std::span<BufferMemory>> Negotiation::frames_memory(const Strategy& strategy) {
    const bool dmabufs = strategy.memory == Strategy::Memory::dmabuf;
    if (!dmabufs && strategy.memory != Strategy::Memory::plain)
        return source_.provide(strategy.source, wanted_buffers());
    const bool addresses = strategy.source == MemoryRole::borrows || strategy.sink == MemoryRole::borrows;
    Result<SharedMemory> memory =
        dmabufs ? SharedMemory::dmabufs(source_.format(), wanted_buffers(), wishes_.heap, addresses, system_)
                : SharedMemory::plain(source_.format(), wanted_buffers(), system_);
    if (!memory) {
        if (memory.error().kind == ErrorKind::device) // none of this path: another may do without
            memory.error().kind = ErrorKind::unsupported;
        return std::unexpected(std::move(memory.error()));
    }
    return shared_.emplace(std::move(*memory)).buffers();
}

std::uint32_t Negotiation::wanted_buffers() const noexcept {
    constexpr std::uint32_t most = 32; // VIDEO_MAX_FRAME
    return std::min(wishes_.buffers + source_.extra_buffers(), most);
}

// Whoever works in another's buffers lets go of them first.
void Negotiation::release() noexcept {
    const bool lent = next_ > 0 && current().strategy->memory == Strategy::Memory::source;
    if (lent)
        sink_.stop();
    source_.stop();
    sink_.stop();
    if (lent)
        sink_.release();
    source_.release();
    sink_.release();
    shared_.reset(); // nobody works in it any more
}

std::string Negotiation::why_not(const Path& path) const {
    const Strategy& strategy = *path.strategy;
    if (!wishes_.strategy.empty() && wishes_.strategy != strategy.name)
        return "another one was asked for";
    if (std::string reason = source_.why_not(strategy.source); !reason.empty())
        return reason;
    if (std::string reason = sink_.why_not(strategy.sink); !reason.empty())
        return reason;
    const auto excluded = [](std::optional<IoMethod> wish, MemoryRole role) {
        return wish && *wish != method_of(role);
    };
    if (excluded(wishes_.source_method, strategy.source) || excluded(wishes_.sink_method, strategy.sink))
        return "excluded by the memory type that was asked for";
    if (wishes_.zero_copy && !path.zero_copy())
        return "not zero-copy";
    return {};
}

Error Negotiation::nothing_left() const {
    std::string tried;
    std::vector<Obstacle> excluded;
    for (const Attempt& attempt : attempts_) {
        if (!wishes_.strategy.empty() && wishes_.strategy != attempt.strategy->name)
            continue;
        if (!attempt.tried)
            add_obstacle(excluded, attempt);
        else
            tried +=
                fmt::format("{}{}: {}", tried.empty() ? "" : "; ", attempt.strategy->name, attempt.obstacle);
    }
    const bool demanded =
        wishes_.zero_copy || wishes_.source_method || wishes_.sink_method || !wishes_.strategy.empty();
    if (!demanded && last_error_)
        return *last_error_;
    return make_error(ErrorKind::unsupported, wishes_.zero_copy ? "zero-copy" : "memory",
                      std::string(source_.name()) + " to " + std::string(sink_.name()),
                      tried.empty() ? "no path is possible: " + summary(excluded) : tried,
                      wishes_.zero_copy ? "Without --dmabuf the frames would be copied" : "")
        .error();
}

} // namespace v4l2dma
