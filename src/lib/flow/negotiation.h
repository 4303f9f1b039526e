// SPDX-License-Identifier: MIT
#pragma once

#include "flow/shared_memory.h"
#include "flow/strategy.h"

#include <optional>
#include <string>
#include <vector>

namespace v4l2dma {

/// What the user wants of the path.
struct PathWishes {
    bool zero_copy = false;                  ///< nothing else will do
    std::optional<IoMethod> source_method{}; ///< only paths on which the source moves frames like this
    std::optional<IoMethod> sink_method{};   ///< likewise the sink
    std::string heap{};        ///< whose dma-bufs, where neither end has memory; empty: the best
    std::string strategy{};    ///< only the path with this name; empty: any
    std::uint32_t buffers = 6; ///< to ask for, on each side that allocates; a source may need more
};

/// Finds the best path that works, once, by trying (what copies least comes first, then as strategies() has
/// it): some drivers accept REQBUFS(DMABUF) and refuse at QBUF, so a path counts as found only when its first
/// frame has gone through. Until then fall_back() takes the next one.
///
/// Borrows source and sink; releases them between two attempts and at its end.
class Negotiation {
public:
    /// What became of one strategy.
    struct Attempt {
        const Strategy* strategy = nullptr;
        unsigned copies = 0;  ///< of each frame, by the CPU
        std::string obstacle; ///< empty: it works; otherwise the call that failed, or why it was not tried
        bool tried = false;
    };

    Negotiation(Source& source, Sink& sink, const PathWishes& wishes, System& system = real_system())
        : source_(source), sink_(sink), wishes_(wishes), system_(system) {}
    Negotiation(const Negotiation&) = delete;
    Negotiation& operator=(const Negotiation&) = delete;
    ~Negotiation() { release(); }

    /// Settles the formats, if need be by another one of the source's that the sink takes as it is, and
    /// establishes the best path. The source streams afterwards.
    /// Errors: (unsupported) no path is left, with every call that failed, or zero-copy is demanded and the
    /// formats differ; (device) a device is busy, gone, or does not take the format, which another path would
    /// not change; (usage) a format that was asked for cannot be had.
    [[nodiscard]] Status establish();
    /// The path that runs failed with @p why before its first frame was through: takes the next one.
    [[nodiscard]] Status fall_back(const Error& why);
    /// Gives everything on both sides back. The source and the sink are stopped.
    void release() noexcept;

    /// The path that runs. Only after establish() succeeded.
    [[nodiscard]] const Path& current() const noexcept { return candidates_[next_ - 1]; }
    [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept { return attempts_; }

private:
    [[nodiscard]] Status agree();
    [[nodiscard]] Status check_conversion() const;
    [[nodiscard]] Status establish_next();
    [[nodiscard]] Status establish_on(const Strategy& strategy);
    [[nodiscard]] Status connect(const Strategy& strategy);
    [[nodiscard]] Result<std::span<BufferMemory>> frames_memory(const Strategy& strategy);
    [[nodiscard]] std::uint32_t wanted_buffers() const noexcept;
    [[nodiscard]] std::string why_not(const Path& path) const;
    [[nodiscard]] Error nothing_left() const;

    Source& source_;
    Sink& sink_;
    PathWishes wishes_;
    System& system_;
    std::optional<SharedMemory> shared_; ///< of a path whose memory belongs to neither end
    std::vector<Path> candidates_;       ///< best first
    std::size_t next_ = 0;               ///< of candidates_, the one to try next
    std::vector<Attempt> attempts_;
    std::optional<Error> last_error_;
};

} // namespace v4l2dma
