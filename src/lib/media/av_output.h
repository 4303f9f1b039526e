// SPDX-License-Identifier: MIT
#pragma once

#include "media/av_objects.h"
#include "media/output_file.h"
#include "media/urgency.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace v4l2dma {

/// Where a muxer of FFmpeg writes to: a file of ours, or a URL that FFmpeg opens. One thread.
///
/// load_ffmpeg_formats() must have succeeded. Stays where it is: FFmpeg has its address.
class AvOutput {
public:
    /// Errors: (system) no memory.
    [[nodiscard]] static Result<std::unique_ptr<AvOutput>> of_file(OutputFile file);
    /// Forgets what is written: to find out whether it could be. Errors: (system) no memory.
    [[nodiscard]] static Result<std::unique_ptr<AvOutput>> to_nowhere();
    /// How long a peer is waited for.
    struct Patience {
        const Urgency* urgency =
            nullptr; ///< borrowed; hurried, a connected peer has five seconds for each call
        std::optional<std::chrono::microseconds> to_connect{}; ///< empty: for ever
    };
    /// Connects, until a signal comes (StopSignals). A @p muxer that opens its URL by itself finds only the
    /// means to interrupt it, see begin_connecting().
    /// Errors: (usage) a protocol that this FFmpeg has not; (peer) what FFmpeg says; those of error().
    [[nodiscard]] static Result<std::unique_ptr<AvOutput>>
    of_url(const std::string& url, const AVOutputFormat& muxer, const Patience& patience);
    AvOutput(const AvOutput&) = delete;
    AvOutput& operator=(const AvOutput&) = delete;
    ~AvOutput();

    /// nullptr where the muxer opens what it writes to.
    [[nodiscard]] AVIOContext* context() const noexcept { return context_; }
    [[nodiscard]] AVIOInterruptCB interrupt() noexcept { return {.callback = interrupted, .opaque = this}; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Before each call that may wait for a peer: what it is given time for is this one.
    void begin_operation() noexcept { deadline_.reset(); }
    /// Bytes that were written.
    [[nodiscard]] std::uint64_t size() const noexcept;
    /// Around what connects: until then it ends with a signal, with hurry_fd, or when patience does.
    void begin_connecting() noexcept;
    void end_connecting() noexcept;
    /// Whether somebody else stands in the way, as after an error of FFmpeg, and not what is to be written.
    [[nodiscard]] bool is_hindered() const noexcept;
    /// What stands behind an error of FFmpeg that came while it wrote here. ECANCELED: a signal came while it
    /// connected.
    [[nodiscard]] std::unexpected<Error> error(std::string_view operation, int code) const;
    /// After an error nothing is written any more; this tries again.
    void forget_error() noexcept;
    /// Takes a file away again that nothing useful got into.
    void discard() noexcept;
    /// Writes out what waits and closes. Errors: of any write so far.
    [[nodiscard]] Status close();

private:
    AvOutput(std::string name, const Patience& patience) : name_(std::move(name)), patience_(patience) {}
    [[nodiscard]] Status allocate(bool seekable);
    static int write(void* self, std::uint8_t* bytes, int size);
    static std::int64_t seek(void* self, std::int64_t offset, int whence);
    static int interrupted(void* self);
    [[nodiscard]] bool must_end() noexcept;
    void let_arrive() const noexcept;
    void free_context() noexcept;

    std::string name_;
    Patience patience_;
    std::optional<OutputFile> file_; ///< empty for a URL, and for nowhere
    AVIOContext* context_ = nullptr;
    bool connecting_ = false;
    bool interrupted_ = false;     ///< and FFmpeg knows it
    bool ours_ = false;            ///< the context; else avio_open2() made it
    std::uint64_t final_size_ = 0; ///< of a URL that is closed
    std::optional<std::chrono::steady_clock::time_point>
        deadline_; ///< of connecting; later of an operation, once we are to hurry
};

} // namespace v4l2dma
